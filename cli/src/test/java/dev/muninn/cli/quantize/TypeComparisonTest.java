package dev.muninn.cli.quantize;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.cli.CommandRun;
import dev.muninn.cli.process.ExitCode;
import dev.muninn.eval.BuiltInTasks;
import dev.muninn.eval.Interval;
import dev.muninn.eval.Measure;
import dev.muninn.eval.Task;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TypeComparisonTest {
  private static final List<String> TYPES = List.of("as it came", "bf16", "q8", "q4", "mixed");

  private static CommandRun compare(String... arguments) {
    List<String> all = new ArrayList<>(List.of("quantize", "--compare"));
    all.addAll(List.of("--calibrate", "none", "--repetitions", "1"));
    all.addAll(List.of(arguments));
    return CommandRun.of(all.toArray(String[]::new));
  }

  @Test
  void eachTypeHasItsSizeSpeedAndAccuracy() throws IOException {
    Map<String, Object> found =
        compare("--tasks", "check-digit:9", "--problems", "12", "-r", "1,8", "--json").json();
    List<?> rows = (List<?>) found.get("types");
    assertEquals(2 * TYPES.size(), rows.size());
    long[] bytes = new long[rows.size()];
    for (int i = 0; i < rows.size(); i++) {
      Map<?, ?> row = (Map<?, ?>) rows.get(i);
      assertEquals(TYPES.get(i % TYPES.size()), row.get("type"));
      assertEquals(i < TYPES.size() ? 1L : 8L, row.get("recurrence"));
      assertTrue((Double) row.get("prompt_tokens_per_second") > 0, row.toString());
      assertTrue((Double) row.get("tokens_per_second") > 0, row.toString());
      bytes[i] = (Long) row.get("bytes");
      Map<?, ?> task = (Map<?, ?>) ((List<?>) row.get("tasks")).getFirst();
      assertEquals("check-digit:9", task.get("task"));
      double accuracy = ((Number) task.get("value")).doubleValue();
      assertTrue(i < TYPES.size() ? accuracy < 0.9 : accuracy >= 0.9, row.toString());
    }
    assertTrue(bytes[0] > bytes[2] && bytes[2] > bytes[4] && bytes[4] > bytes[3], found.toString());
  }

  @Test
  void theTableIsAligned() {
    Measure right = new Measure(Measure.ACCURACY, 0.975, new Interval(0.9, 1), 0.975, 0.01);
    List<TypeComparison.Row> rows =
        List.of(
            new TypeComparison.Row("as it came", 1_751_288, 16, 3252.6, 348.9, List.of(right)),
            new TypeComparison.Row("q4", 498_000, 16, 999.9, 51.25, List.of(right)));
    Task task = BuiltInTasks.parse("sum:2", 1, 0).orElseThrow().getFirst();
    assertEquals(
        """
        | type       |  weights |  r | prompt t/s |  t/s | sum:2 % |
        | ---------- | --------:| --:| ----------:| ----:| -------:|
        | as it came |   1.8 MB | 16 |       3250 |  349 |    97.5 |
        | q4         | 498.0 kB | 16 |       1000 | 51.3 |    97.5 |
        """,
        new TypeTable(List.of(task), rows).text());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--compare --out x | --compare prepares all types and keeps none: leave out --out",
        "--compare --problems 3 | --problems needs --tasks",
        "--type q4 --out x --tasks sum:2 | --tasks needs --compare",
        "--type q4 | needs --type and --out; or --compare",
      })
  void whatDoesNotFitIsRefused(String arguments, String message) {
    CommandRun run = CommandRun.of(("quantize " + arguments).split(" "));
    assertEquals(ExitCode.USAGE, run.exitCode(), run.err());
    assertTrue(run.err().startsWith("muninn: " + message), run.err());
  }
}
