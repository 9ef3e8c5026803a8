package dev.muninn.bench;

import dev.muninn.measure.TemporaryDirectory;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.BenchmarkList;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.format.OutputFormat;
import org.openjdk.jmh.runner.format.OutputFormatFactory;
import org.openjdk.jmh.runner.options.CommandLineOptionException;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.VerboseMode;

/**
 * JMH's command line. Beside the benchmarks that are asked for it always runs those of the
 * machine's limits, and prints rates and shares of the limits at the end.
 */
public final class Main {
  private Main() {}

  public static void main(String[] given) throws IOException {
    try {
      String[] arguments = expandGroups(given);
      CommandLineOptions commandLine = new CommandLineOptions(arguments);
      if (asksForInformation(commandLine)) {
        org.openjdk.jmh.Main.main(arguments);
      } else if (matchesNothing(commandLine)) {
        fail(
            "no benchmark matches "
                + commandLine.getIncludes()
                + "; -l lists them, and the groups are "
                + Arrays.toString(BenchmarkGroup.values()));
      } else {
        run(commandLine);
      }
    } catch (CommandLineOptionException | RunnerException e) {
      fail(e.getMessage());
    }
  }

  /** Puts patterns for the names of groups where JMH would look for benchmarks. */
  private static String[] expandGroups(String[] arguments) throws CommandLineOptionException {
    List<String> includes = new CommandLineOptions(arguments).getIncludes();
    return Arrays.stream(arguments)
        .map(argument -> includes.contains(argument) ? BenchmarkGroup.expand(argument) : argument)
        .toArray(String[]::new);
  }

  private static void fail(String message) {
    System.err.println(message);
    System.exit(1);
  }

  private static boolean asksForInformation(CommandLineOptions commandLine) {
    return commandLine.shouldHelp()
        || commandLine.shouldList()
        || commandLine.shouldListWithParams()
        || commandLine.shouldListProfilers()
        || commandLine.shouldListResultFormats();
  }

  /** JMH would notice no misspelling, since the limits are always found. */
  private static boolean matchesNothing(CommandLineOptions commandLine) {
    OutputFormat silent = OutputFormatFactory.createFormatInstance(System.out, VerboseMode.SILENT);
    return BenchmarkList.defaultList()
        .find(silent, commandLine.getIncludes(), commandLine.getExcludes())
        .isEmpty();
  }

  /** Runs what a command line selects, and prints the table. */
  static Collection<RunResult> run(CommandLineOptions commandLine)
      throws IOException, RunnerException {
    try (TemporaryDirectory checkpoints = new TemporaryDirectory()) {
      return run(commandLine, checkpoints.path());
    }
  }

  private static Collection<RunResult> run(CommandLineOptions commandLine, Path checkpoints)
      throws RunnerException {
    // Benchmarks may also be run in this JVM, without forks.
    System.setProperty(RunCheckpoints.DIRECTORY_PROPERTY, checkpoints.toString());
    List<String> jvmArguments = new ArrayList<>(commandLine.getJvmArgsPrepend().orElse(List.of()));
    jvmArguments.add("-D" + RunCheckpoints.DIRECTORY_PROPERTY + "=" + checkpoints);
    OptionsBuilder options = new OptionsBuilder();
    options
        .parent(commandLine)
        .addProfiler(RateProfiler.class)
        .jvmArgsPrepend(jvmArguments.toArray(String[]::new));
    if (!commandLine.getIncludes().isEmpty()) {
      options.include(BenchmarkGroup.LIMITS.pattern());
    }
    Collection<RunResult> results = new Runner(options.build()).run();
    System.out.println();
    new ResultTable(results).print(System.out);
    return results;
  }
}
