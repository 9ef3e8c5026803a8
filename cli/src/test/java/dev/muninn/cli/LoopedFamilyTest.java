package dev.muninn.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.cli.process.ExitCode;
import dev.muninn.family.ouro.OuroFamily;
import dev.muninn.measure.RandomCheckpoint;
import dev.muninn.weights.DType;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Every command on a model that has no prelude, no injection and no coda. */
class LoopedFamilyTest {
  @TempDir private Path model;

  @BeforeEach
  void write() throws IOException {
    Map<String, Object> config = new LinkedHashMap<>();
    config.put("model_type", "ouro");
    config.put("hidden_size", 32L);
    config.put("num_hidden_layers", 2L);
    config.put("num_attention_heads", 2L);
    config.put("num_key_value_heads", 2L);
    config.put("intermediate_size", 48L);
    config.put("vocab_size", 90L);
    config.put("max_position_embeddings", 64L);
    config.put("total_ut_steps", 4L);
    config.put("early_exit_threshold", 0.5);
    RandomCheckpoint.of(new OuroFamily(), config, DType.BF16).write(model);
  }

  private CommandRun run(String command, String... more) {
    String[] arguments = new String[3 + more.length];
    arguments[0] = command;
    arguments[1] = "-m";
    arguments[2] = model.toString();
    System.arraycopy(more, 0, arguments, 3, more.length);
    CommandRun run = CommandRun.of(arguments);
    assertEquals(ExitCode.OK, run.exitCode(), run.err());
    return run;
  }

  @Test
  void generatesAndSaysWhatTooManyRecurrencesDo() {
    assertEquals(
        "", run("generate", "--prompt-tokens", "1,2,3", "-n", "4", "--exit", "gate").err());
    String said = run("generate", "--prompt-tokens", "1,2,3", "-n", "4", "-r", "6").err();
    assertEquals(1, said.lines().count(), said);
    assertTrue(said.startsWith("muninn: this model was trained with 4 recurrences; with 6"), said);
  }

  @Test
  void saysThatTheInitialStateIsNotForChoice() {
    for (String option : new String[] {"--state=zero", "--state=random", "--state-scale=0"}) {
      String said = run("generate", "--prompt-tokens", "1,2,3", "-n", "1", option).err();
      assertEquals(
          "muninn: this model begins from the embedded token: --state and --state-scale do"
              + " nothing\n",
          said);
    }
  }

  @Test
  void isInspectedScoredTracedAndMeasured() throws IOException {
    Map<?, ?> architecture = (Map<?, ?>) run("inspect", "--json").json().get("architecture");
    assertEquals("Ouro", architecture.get("family"));
    assertEquals("threshold 0.5", architecture.get("exit_gate"));
    String scores = run("score", "--prompt-tokens", "1,2,3,4").out();
    assertTrue(scores.contains("4 tokens, log-likelihood"), scores);
    Path out = model.resolve("trace");
    run("trace", "--prompt-tokens", "1,2,3,4", "--out", out.toString());
    assertTrue(out.resolve("report.html").toFile().isFile());
    String table =
        run("bench", "-p", "4", "-n", "4", "--exit", "none,gate", "--repetitions", "1").out();
    assertTrue(table.contains("gate"), table);
  }
}
