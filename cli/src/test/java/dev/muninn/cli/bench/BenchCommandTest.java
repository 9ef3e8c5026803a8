package dev.muninn.cli.bench;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.muninn.cli.ChildRun;
import dev.muninn.cli.CommandRun;
import dev.muninn.cli.process.ExitCode;
import dev.muninn.weights.JsonFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BenchCommandTest {
  @TempDir private Path directory;

  private CommandRun bench(String... arguments) {
    String[] fixed = {"bench", "--repetitions", "2", "--no-warmup"};
    return CommandRun.of(
        Stream.concat(Stream.of(fixed), Stream.of(arguments)).toArray(String[]::new));
  }

  @Test
  void tableFileAndPictureSayTheSame() throws IOException {
    Path saved = directory.resolve("saved.json");
    Path plot = directory.resolve("plot.svg");
    CommandRun run =
        bench("-p", "5", "-n", "3", "-r", "1-3", "--save", saved.toString(), "--plot", "" + plot);
    assertEquals(ExitCode.OK, run.exitCode(), run.err());
    assertEquals("", run.err());
    List<String> rows = run.out().lines().filter(line -> line.startsWith("|")).toList();
    assertEquals(2 + 3 + 3, rows.size(), run.out());
    int columns = rows.getFirst().split("\\|", -1).length;
    rows.forEach(row -> assertEquals(columns, row.split("\\|", -1).length, row));
    assertTrue(run.out().contains("tg3 @ d5: p50 = "), run.out());
    List<Object> results = JsonFile.readArray(saved);
    assertEquals(6, results.size());
    for (int i = 0; i < results.size(); i++) {
      Map<?, ?> result = (Map<?, ?>) results.get(i);
      assertEquals(1L + i % 3, result.get("recurrence"));
      assertEquals(1.0 + i % 3, result.get("mean_recurrences"));
      assertEquals(i < 3 ? "pp5" : "tg3 @ d5", result.get("test"));
      assertEquals(2, ((List<?>) result.get("samples_ts")).size());
      requireConsistent(result, i >= 3);
    }
    assertTrue(Files.readString(plot).contains("<svg"));
  }

  @Test
  void randomWeightsMayBePrepared() {
    CommandRun run =
        bench("-m", "tiny", "--quantize", "q4", "-p", "5", "-n", "3", "-r", "2", "-o", "csv");
    assertEquals(ExitCode.OK, run.exitCode(), run.err());
    assertTrue(run.out().lines().skip(1).allMatch(line -> line.contains(",tiny,Q4,")), run.out());
    bench("--quantize", "q4", "-m", CommandRun.RAVEN_TINY.toString())
        .assertFails(ExitCode.USAGE, "--quantize");
  }

  @Test
  void kernelsAreTimedAlone() {
    String tiny = CommandRun.RAVEN_TINY.toString();
    CommandRun.of("bench", "-m", tiny, "--kernels", "-p", "5")
        .assertFails(ExitCode.USAGE, "leave out --prompt-tokens");
    CommandRun.of("bench", "-m", tiny, "--kernels", "--save", "kernels.json")
        .assertFails(ExitCode.USAGE, "leave out --save");
    CommandRun.of("bench", "-m", tiny, "--kernels")
        .assertFails(ExitCode.USAGE, "--backend tornado");
  }

  @Test
  void devicesAreWrittenToAndFullOnesNamed() {
    assumeTrue(Files.exists(Path.of("/dev/full")), "no /dev/full here");
    CommandRun run = bench("-p", "2", "-n", "1", "-r", "1", "--save", "/dev/null");
    assertEquals(ExitCode.OK, run.exitCode(), run.err());
    assertFalse(Files.isRegularFile(Path.of("/dev/null")));
    run = bench("-p", "2", "-n", "1", "-r", "1", "--save", "/dev/full");
    assertEquals("muninn: /dev/full: No space left on device\n", run.err());
    assertEquals(ExitCode.FAILED, run.exitCode());
  }

  @Test
  void theNextRunRemovesTheRandomWeightsOfOneThatWasKilled() throws Exception {
    String[] small = {"bench", "-m", "small", "-p", "2", "-n", "1", "-r", "1"};
    try (ChildRun killed = ChildRun.start(directory, Map.of(), small)) {
      killed.await(() -> CommandRun.hidden(directory).size() == 2);
    }
    assertEquals(2, CommandRun.hidden(directory).size());
    String[] tiny = {"bench", "-m", "tiny", "-p", "2", "-n", "1", "-r", "1", "--no-warmup"};
    try (ChildRun next = ChildRun.start(directory, Map.of(), tiny)) {
      assertEquals(ExitCode.OK, next.result().exitCode());
    }
    assertEquals(List.of(), CommandRun.hidden(directory));
  }

  private static void requireConsistent(Map<?, ?> result, boolean decoding) {
    List<?> samples = (List<?>) result.get("samples_ts");
    double mean = samples.stream().mapToDouble(sample -> (Double) sample).average().orElseThrow();
    assertEquals(mean, number(result, "avg_ts"), 1e-9 * mean);
    assertEquals(
        number(result, "gb_s") / number(result, "limit_gb_s"), number(result, "gb_s_share"), 1e-12);
    if (decoding) {
      assertNull(result.get("ttft_ms_avg"));
      assertTrue(number(result, "inter_token_ms_p50") <= number(result, "inter_token_ms_p95"));
      assertTrue(number(result, "inter_token_ms_p95") <= number(result, "inter_token_ms_p99"));
      assertEquals(3, ((List<?>) result.get("inter_token_ms_by_context")).size());
      assertEquals(
          number(result, "inter_token_ms_p50"),
          number(result, "fit_ms_at_0")
              + number(result, "fit_ms_per_recurrence") * number(result, "mean_recurrences")
              + number(result, "fit_distance_ms"),
          1e-9);
    } else {
      assertNull(result.get("inter_token_ms_p50"));
      assertNull(result.get("fit_residual"));
      assertEquals(number(result, "avg_ns") / 1e6, number(result, "ttft_ms_avg"), 1e-9);
    }
  }

  private static double number(Map<?, ?> result, String name) {
    return ((Number) result.get(name)).doubleValue();
  }

  @Test
  void comparisonDividesNowByBefore() throws IOException {
    Path before = directory.resolve("before.json");
    Path plot = directory.resolve("plot.png");
    bench("-p", "3", "-n", "2", "-r", "1", "--save", before.toString());
    CommandRun run =
        bench(
            "-p",
            "3",
            "-n",
            "2",
            "-r",
            "1,2",
            "--exit",
            "none,latent-diff",
            "--kv",
            "budget:1,full",
            "-o",
            "jsonl",
            "--compare",
            before.toString(),
            "--plot",
            plot.toString());
    assertEquals(ExitCode.OK, run.exitCode(), run.err());
    List<String> lines = run.out().lines().toList();
    assertEquals(16, lines.size(), run.out());
    int compared = 0;
    for (String line : lines) {
      Map<String, Object> now = JsonFile.readObject("line", line);
      boolean same =
          now.get("kv_policy").equals("full")
              && now.get("exit").equals("none")
              && now.get("recurrence").equals(1L);
      if (!same) {
        assertNull(now.get("ratio_avg_ts"), line);
        continue;
      }
      Map<?, ?> was =
          (Map<?, ?>)
              JsonFile.readArray(before).stream()
                  .filter(object -> ((Map<?, ?>) object).get("test").equals(now.get("test")))
                  .findFirst()
                  .orElseThrow();
      assertEquals(
          number(now, "avg_ts") / number(was, "avg_ts"), number(now, "ratio_avg_ts"), 1e-12);
      compared++;
    }
    assertEquals(2, compared);
    assertEquals(2400, ImageIO.read(plot.toFile()).getWidth());
  }

  @Test
  void randomModelIsDeletedAndItsTableComparesWithItself() throws IOException {
    Path saved = directory.resolve("saved.json");
    CommandRun first = bench("-m", "tiny", "-p", "0", "-n", "1", "-r", "2", "--save", "" + saved);
    assertEquals(ExitCode.OK, first.exitCode(), first.err());
    assertTrue(first.err().startsWith("muninn: there is no directory tiny: "), first.err());
    Path temporary = Path.of(first.err().strip().replaceFirst(".* ", ""));
    assertTrue(Files.notExists(temporary), first.err());
    CommandRun second =
        bench("-m", "tiny", "-p", "0", "-n", "1", "-r", "2", "--compare", saved.toString());
    assertTrue(second.out().contains("Against " + saved), second.out());
    assertTrue(second.out().contains("limits of the machine: reading x "), second.out());
  }

  @Test
  void csvHasOneValueForEachName() {
    CommandRun run = bench("-p", "2", "-n", "0", "-r", "1", "-o", "csv");
    assertEquals(ExitCode.OK, run.exitCode(), run.err());
    List<String> lines = run.out().lines().toList();
    assertEquals(2, lines.size());
    assertTrue(lines.get(1).contains("\"vector ("), lines.get(1));
    String unquoted = lines.get(1).replaceAll("\"[^\"]*\"", "");
    assertEquals(lines.get(0).split(",", -1).length, unquoted.split(",", -1).length);
  }

  @Test
  void filesAreCheckedBeforeAnythingIsMeasured() throws IOException {
    Path file = directory.resolve("other.json");
    Files.writeString(file, "[{\"test\":\"pp1\"}]");
    bench("--compare", file.toString()).assertFails(ExitCode.FAILED, "element 1 has no recurrence");
    Files.writeString(file, "{}");
    bench("--compare", file.toString()).assertFails(ExitCode.FAILED, "one JSON array");
    bench("--compare", directory.resolve("none.json").toString())
        .assertFails(ExitCode.FAILED, "none.json");
    bench("--save", directory.resolve("none/x.json").toString())
        .assertFails(ExitCode.FAILED, "none: no such file or directory");
    bench("--plot", directory.resolve("none/x.svg").toString())
        .assertFails(ExitCode.FAILED, "none: no such file or directory");
    bench("-m", directory.resolve("none").toString())
        .assertFails(ExitCode.FAILED, "none: no such directory");
  }

  @Test
  void countsAreListsAndRanges() {
    ListOptions.Counts counts = new ListOptions.Counts();
    assertArrayEquals(
        new Object[] {0, 7, 1, 2, 3, 1, 4, 7, 2, 6, 18},
        counts.convert("0,7,1-3,1-9+3,2-18*3").toArray());
  }
}
