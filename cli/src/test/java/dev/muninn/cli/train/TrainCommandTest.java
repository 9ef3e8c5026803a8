package dev.muninn.cli.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.cli.CommandRun;
import dev.muninn.cli.process.ExitCode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TrainCommandTest {
  private static final List<String> SMALL =
      List.of(
          "--embedding-size=16",
          "--heads=2",
          "--intermediate-size=24",
          "--layers=1,1,1",
          "--context=64",
          "--mean-recurrence=2",
          "--batch=3",
          "--length=30",
          "--digits=4",
          "--threads=1",
          "--evaluate-every=4",
          "--evaluate-at=1,2",
          "--save-every=4");

  @TempDir private Path directory;

  /** Runs on a small model. */
  private CommandRun train(String... more) {
    List<String> arguments = new ArrayList<>(List.of("train", "--out", out().toString()));
    arguments.addAll(SMALL);
    arguments.addAll(List.of(more));
    return CommandRun.of(arguments.toArray(String[]::new));
  }

  /** Runs with nothing but these options. */
  private CommandRun plain(String... more) {
    List<String> arguments = new ArrayList<>(List.of("train", "--out", out().toString()));
    arguments.addAll(List.of(more));
    return CommandRun.of(arguments.toArray(String[]::new));
  }

  private Path out() {
    return directory.resolve("model");
  }

  @Test
  void whatIsTrainedGenerates() throws IOException {
    CommandRun run = train("--steps=9");
    assertEquals(ExitCode.OK, run.exitCode(), run.err());
    assertTrue(run.out().startsWith("step 9 is saved in " + out() + "\n"), run.out());
    assertTrue(run.out().contains("| validation, % right | r = 1 | r = 2 |\n"), run.out());
    assertTrue(run.err().contains("step 9 of 9, loss "), run.err());
    assertTrue(run.err().contains("step 8, validation: check digit of 4 r1 "), run.err());
    assertEquals(10, Files.readAllLines(out().resolve("log.csv")).size());
    CommandRun generated =
        CommandRun.of("generate", "-m", out().toString(), "--max-tokens", "2", "--json", "1=");
    assertEquals(ExitCode.OK, generated.exitCode(), generated.err());
    assertEquals(List.of(2L, 2L), generated.json().get("recurrences"));
  }

  @Test
  void aRunGoesOnWithItsOwnOptions() throws IOException {
    assertEquals(ExitCode.OK, train("--steps=6", "--cool-down=0", "--warm-up=0").exitCode());
    train("--resume", "--seed=1")
        .assertFails(ExitCode.USAGE, "--seed is 1, but the run was started with 0: leave it out");
    CommandRun run = plain("--resume", "--steps=8", "--seed=0", "--json");
    assertEquals(ExitCode.OK, run.exitCode(), run.err());
    Path parts = out();
    List<String> resumed = losses(parts);
    directory = Files.createDirectory(directory.resolve("other"));
    assertEquals(ExitCode.OK, train("--steps=8", "--cool-down=0", "--warm-up=0").exitCode());
    List<String> whole = losses(out());
    assertEquals(8, resumed.size());
    assertEquals(whole, resumed);
  }

  private static List<String> losses(Path path) throws IOException {
    return Files.readAllLines(path.resolve("log.csv")).stream()
        .skip(1)
        .map(line -> line.substring(0, line.indexOf(',', line.indexOf(',') + 1)))
        .toList();
  }

  @Test
  void resumingNothingIsRefused() {
    train("--resume", "--steps=1").assertFails(ExitCode.USAGE, "there is no run in " + out());
    assertTrue(Files.notExists(out()));
  }

  /** As after a power cut before the first checkpoint. */
  @Test
  void resumingARunThatHasSavedNothingBegins() throws IOException {
    assertEquals(ExitCode.OK, train("--steps=1").exitCode());
    byte[] before = Files.readAllBytes(out().resolve("model.safetensors"));
    Files.delete(out().resolve("model.safetensors"));
    Files.delete(out().resolve("training-state/model.safetensors"));
    CommandRun run = plain("--resume");
    assertEquals(ExitCode.OK, run.exitCode(), run.err());
    assertTrue(run.err().contains("nothing is saved in " + out() + " yet"), run.err());
    assertArrayEquals(before, Files.readAllBytes(out().resolve("model.safetensors")));
    Files.delete(out().resolve("training-state/model.safetensors"));
    Files.delete(out().resolve("training-state/settings.properties"));
    plain("--resume").assertFails(ExitCode.USAGE, "nothing is saved in " + out() + " yet");
  }

  @Test
  void aRunIsNotOverwritten() throws IOException {
    assertEquals(ExitCode.OK, train("--steps=1").exitCode());
    byte[] before = Files.readAllBytes(out().resolve("model.safetensors"));
    train("--steps=2").assertFails(ExitCode.USAGE, "has a run of 1 steps: --resume continues it");
    CommandRun.of("train", "--out", CommandRun.UNTIED.toString())
        .assertFails(ExitCode.USAGE, "has a model: name a directory without one");
    assertEquals(0, Arrays.compare(before, Files.readAllBytes(out().resolve("model.safetensors"))));
  }

  @Test
  void promptsAndCompletionsAndAPlot() throws IOException {
    Path data = directory.resolve("pairs.jsonl");
    Files.writeString(data, "{\"prompt\": \"ab\", \"completion\": \"cd\"}\n".repeat(30));
    for (String name : List.of("plot.svg", "plot.PNG")) {
      Path plot = directory.resolve(name);
      CommandRun run =
          CommandRun.of(
              Stream.concat(
                      Stream.of("train", "--out", directory.resolve(name + ".model").toString()),
                      Stream.concat(
                          SMALL.stream().filter(option -> !option.startsWith("--digits")),
                          Stream.of(
                              "--data=" + data, "--steps=5", "--plot=" + plot, "--save-dtype=f32")))
                  .toArray(String[]::new));
      assertEquals(ExitCode.OK, run.exitCode(), run.err());
      assertTrue(run.out().contains("| validation |"), run.out());
      byte[] drawing = Files.readAllBytes(plot);
      String begin = new String(drawing, 0, 200, StandardCharsets.ISO_8859_1);
      assertTrue(name.endsWith("svg") ? begin.contains("<svg") : begin.startsWith("PNG", 1), begin);
    }
  }

  @Test
  void anotherModelIsABeginning() {
    assertEquals(ExitCode.OK, train("--steps=2").exitCode());
    CommandRun run =
        CommandRun.of(
            "train",
            "--out",
            directory.resolve("next").toString(),
            "--init",
            out().toString(),
            "--task=sums",
            "--steps=2",
            "--length=30",
            "--batch=2",
            "--json");
    assertEquals(ExitCode.OK, run.exitCode(), run.err());
    assertTrue(run.out().contains("\"step\":2"), run.out());
    assertTrue(run.out().contains("\"set\":\"sum of 3\",\"recurrence\":8"), run.out());
  }

  @Test
  void badUsageIsOneLine() {
    assertUsage("--data excludes", "--data", "x", "--task", "sums");
    assertUsage("--digits", "--digits", "1");
    assertUsage("--task: expected check-digits, sums, mix or chat-mix, not 'x'", "--task", "x");
    assertUsage("--save-dtype: expected bf16 or f32, not 'f16'", "--save-dtype", "f16");
    assertUsage("--layers: expected three counts such as 1,2,1, not '1,2'", "--layers", "1,2");
    assertUsage("--evaluate-at: expected recurrences such as 1,4,8", "--evaluate-at", "0");
    assertUsage("--plot: expected a file's name that ends in .svg or .png", "--plot", "x.gif");
    assertUsage("--preset: expected raven-tiny, not 'huge'", "--preset", "huge");
    assertUsage("--length 300 exceeds the context of 256", "--length", "300");
    assertUsage("n_embd 30 is not a multiple of n_heads 4", "--embedding-size", "30");
    assertUsage("do not fit into 20", "--length", "20");
    assertUsage("--init needs --data or --task", "--init", CommandRun.RAVEN_TINY.toString());
    assertUsage("--fixed-depth excludes", "--fixed-depth", "2", "--mean-recurrence", "2");
    assertUsage("--validation needs --data", "--validation", "0.5");
    CommandRun.of("train").assertFails(ExitCode.USAGE, "--out");
    plain("--data", "missing.txt").assertFails(ExitCode.FAILED, "missing.txt: no such file");
    assertFalse(Files.exists(out()));
  }

  private void assertUsage(String text, String... options) {
    plain(options).assertFails(ExitCode.USAGE, text);
  }

  @Test
  void helpNamesEverything() {
    Map<String, Boolean> found = new TreeMap<>();
    String help = CommandRun.of("train", "--help").out();
    for (String option :
        List.of("--resume", "--no-sandwich", "--fixed-depth", "--init", "--save-dtype", "--plot")) {
      found.put(option, help.contains(option));
    }
    assertFalse(found.containsValue(false), found.toString());
  }
}
