package dev.muninn.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import jdk.incubator.vector.FloatVector;
import org.junit.jupiter.api.Test;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.BenchmarkList;
import org.openjdk.jmh.runner.BenchmarkListEntry;
import org.openjdk.jmh.runner.format.OutputFormat;
import org.openjdk.jmh.runner.format.OutputFormatFactory;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import org.openjdk.jmh.runner.options.VerboseMode;

/** Runs every benchmark for a moment: that it runs is tested, not how fast. */
class SmokeTest {

  /** In this JVM, without warm-up, stopping at a failure; then the smallest of each parameter. */
  private static final String COMMAND_LINE =
      "-f 0 -wi 0 -i 1 -r 1ms -foe true -v SILENT -p shape=TINY -p dtype=BF16 -p stored=F32"
          + " -p threads=1 -p rows=4 -p recurrence=2 -p positions=128 -p policy=budget:1"
          + " -p words=100 -p size=128 -p columns=1024 -p headSize=64 -p place=CACHE"
          + " -p matrix=ADAPTER_STATE -p dimensions=128x352";

  /** The machine's vectors may be too short for it. */
  private static final List<String> LEFT_OUT =
      FloatVector.SPECIES_PREFERRED.length() < 16 ? List.of("TransposeBenchmark") : List.of();

  @Test
  void everyBenchmarkRuns() throws Exception {
    List<String> arguments = new ArrayList<>(List.of(COMMAND_LINE.split(" ")));
    LEFT_OUT.forEach(pattern -> arguments.addAll(List.of("-e", pattern)));

    Collection<RunResult> results =
        Main.run(new CommandLineOptions(arguments.toArray(String[]::new)));

    Set<String> run =
        results.stream()
            .map(result -> result.getParams().getBenchmark())
            .collect(Collectors.toCollection(TreeSet::new));
    assertEquals(benchmarks(), run);
    for (RunResult result : results) {
      assertTrue(
          result.getPrimaryResult().getScore() > 0,
          () -> result.getParams().id() + " took no time");
    }
  }

  private static Set<String> benchmarks() {
    OutputFormat silent = OutputFormatFactory.createFormatInstance(System.out, VerboseMode.SILENT);
    return BenchmarkList.defaultList().find(silent, List.of(".*"), LEFT_OUT).stream()
        .map(BenchmarkListEntry::getUsername)
        .collect(Collectors.toCollection(TreeSet::new));
  }
}
