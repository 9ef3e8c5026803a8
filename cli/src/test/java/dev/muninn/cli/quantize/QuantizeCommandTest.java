package dev.muninn.cli.quantize;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.cli.CommandRun;
import dev.muninn.cli.process.ExitCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class QuantizeCommandTest {
  @TempDir private Path directory;

  private Path out() {
    return directory.resolve("prepared");
  }

  private CommandRun quantize(String... more) {
    return CommandRun.of(
        Stream.concat(
                Stream.of("quantize", "-o", out().toString()),
                Stream.concat(Arrays.stream(more), Stream.of(CommandRun.RAVEN_TINY.toString())))
            .toArray(String[]::new));
  }

  /** Rounds without a look at what is multiplied, which takes seconds. */
  private CommandRun quantizeSoon(String type, String... more) {
    Stream<String> rounding = type.equals("bf16") ? Stream.of() : Stream.of("--calibrate", "none");
    return quantize(
        Stream.concat(Stream.of("--type", type), Stream.concat(rounding, Arrays.stream(more)))
            .toArray(String[]::new));
  }

  private String answer(Path model, String prompt) {
    CommandRun run = CommandRun.of("generate", "-m", model.toString(), "-r", "16", prompt);
    assertEquals(ExitCode.OK, run.exitCode(), run.err());
    return run.out();
  }

  @ParameterizedTest
  @ValueSource(strings = {"bf16", "q8", "q4", "mixed"})
  void whatIsPreparedAnswersAlike(String type) throws IOException {
    CommandRun run = type.equals("q4") ? quantize("--type", type) : quantizeSoon(type);
    assertEquals(ExitCode.OK, run.exitCode(), run.err());
    for (String prompt : List.of("47+8=", "7305918=", "12+34=")) {
      assertEquals(answer(CommandRun.RAVEN_TINY, prompt), answer(out(), prompt), prompt);
    }
    long before = Files.size(CommandRun.RAVEN_TINY.resolve("model.safetensors"));
    long after = Files.size(out().resolve("model.safetensors"));
    assertTrue(type.equals("bf16") ? after < 1.1 * before : after < 0.6 * before, after + " bytes");
    assertTrue(Files.isRegularFile(out().resolve("tokenizer.json")));
  }

  @Test
  void partsMayHaveTypesOfTheirOwn() throws IOException {
    assertEquals(ExitCode.OK, quantizeSoon("q8").exitCode());
    long all = Files.size(out().resolve("model.safetensors"));
    assertEquals(ExitCode.OK, quantizeSoon("q8", "--core", "q4", "--force").exitCode());
    long smallerCore = Files.size(out().resolve("model.safetensors"));
    assertEquals(ExitCode.OK, quantizeSoon("q8", "--core", "keep", "--force").exitCode());
    long keptCore = Files.size(out().resolve("model.safetensors"));
    assertTrue(smallerCore < all && all < keptCore, smallerCore + ", " + all + ", " + keptCore);
  }

  @ParameterizedTest
  @ValueSource(strings = {"bf16", "q8", "q4", "mixed"})
  void inspectionCountsTheSameParameters(String type) throws IOException {
    assertEquals(ExitCode.OK, quantizeSoon(type).exitCode());
    Map<String, Object> before =
        CommandRun.of("inspect", "--json", CommandRun.RAVEN_TINY.toString()).json();
    Map<String, Object> after = CommandRun.of("inspect", "--json", out().toString()).json();
    assertEquals(before.get("parameters"), after.get("parameters"));
    Map<?, ?> types = (Map<?, ?>) after.get("dtypes");
    long elements = 0;
    long bytes = 0;
    for (Object share : types.values()) {
      elements += (Long) ((Map<?, ?>) share).get("elements");
      bytes += (Long) ((Map<?, ?>) share).get("bytes");
    }
    assertEquals(before.get("parameters"), elements);
    assertTrue(bytes < (Long) after.get("mapped_bytes") && 1.1 * bytes > elements * 0.5);
    List<String> panels =
        switch (type) {
          case "bf16" -> List.of("BF16", "bf16 panels");
          case "mixed" -> List.of("BF16", "q4", "q8");
          default -> List.of("BF16", type);
        };
    assertEquals(panels, types.keySet().stream().sorted().toList());
    CommandRun text = CommandRun.of("inspect", out().toString());
    assertTrue(
        text.out()
            .lines()
            .anyMatch(line -> line.contains("Wqkv.weight") && line.contains("[384, 128]")),
        text.out());
  }

  /** A small model is looked at by itself; a text, or none, may be asked for. */
  @Test
  void roundingLooksAtTexts() throws IOException {
    Path text = Files.writeString(directory.resolve("text"), "12+34=46;7305918=3;8+9=17");
    Path weights = out().resolve("model.safetensors");
    List<byte[]> found = new ArrayList<>();
    for (String[] more :
        List.of(
            new String[] {},
            new String[] {"--calibrate", "own"},
            new String[] {"--calibrate", "none"},
            new String[] {"--calibrate", text.toString()})) {
      CommandRun run =
          quantize(
              Stream.concat(Stream.of("--type", "q4", "--force", "--json"), Arrays.stream(more))
                  .toArray(String[]::new));
      assertEquals(ExitCode.OK, run.exitCode(), run.err());
      assertEquals(!Arrays.asList(more).contains("none"), run.json().get("calibrated"));
      found.add(Files.readAllBytes(weights));
    }
    assertArrayEquals(found.get(0), found.get(1));
    assertFalse(Arrays.equals(found.get(0), found.get(2)));
    assertFalse(Arrays.equals(found.get(0), found.get(3)));
    assertFalse(Arrays.equals(found.get(2), found.get(3)));
  }

  @Test
  void textsThatAreNoneAreRefused() throws IOException {
    quantize("--type", "bf16", "--calibrate", "own").assertFails(ExitCode.USAGE, "--calibrate");
    Path empty = Files.createFile(directory.resolve("empty"));
    Path missing = directory.resolve("missing");
    for (Path text : List.of(empty, missing)) {
      CommandRun run = quantize("--type", "q4", "--calibrate", text.toString());
      assertTrue(run.exitCode() != ExitCode.OK && run.err().lines().count() == 1, run.err());
      assertTrue(Files.notExists(out()));
    }
  }

  @Test
  void verificationSaysWhatIsLost() throws IOException {
    CommandRun run = quantizeSoon("q8", "--verify", "--json");
    assertEquals(ExitCode.OK, run.exitCode(), run.err());
    Map<?, ?> report = run.json();
    assertTrue(report.toString().contains("divergences=[{recurrence=1, mean="), report.toString());
  }

  @Test
  void badUsageIsOneLine() throws IOException {
    quantize("--type", "q3").assertFails(ExitCode.USAGE, "--type");
    quantize("--type", "q8", "--core", "q3").assertFails(ExitCode.USAGE, "--core");
    assertTrue(Files.notExists(out()));
    assertEquals(ExitCode.OK, quantizeSoon("q8").exitCode());
    CommandRun again = quantizeSoon("q8");
    assertTrue(again.exitCode() != ExitCode.OK && again.err().lines().count() == 1, again.err());
    CommandRun twice =
        CommandRun.of(
            "quantize", "--type", "q4", "-o", directory.resolve("b").toString(), out().toString());
    assertTrue(twice.exitCode() != ExitCode.OK && twice.err().lines().count() == 1, twice.err());
    CommandRun train =
        CommandRun.of(
            "train",
            "--out",
            directory.resolve("t").toString(),
            "--init",
            out().toString(),
            "--task=mix",
            "--steps=1");
    assertTrue(train.exitCode() != ExitCode.OK && train.err().lines().count() == 1, train.err());
  }
}
