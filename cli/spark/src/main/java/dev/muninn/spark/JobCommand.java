package dev.muninn.spark;

import dev.muninn.cli.Failures;
import dev.muninn.cli.help.GroupedOptionList;
import dev.muninn.cli.options.UsageException;
import dev.muninn.weights.CheckpointException;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkThrowable;
import org.apache.spark.sql.SparkSession;
import picocli.CommandLine;
import picocli.CommandLine.Help.Ansi;

/** A command that {@code spark-submit} runs: its options, its session, its failures in one line. */
final class JobCommand {
  private JobCommand() {}

  /** What a command does with its session. */
  @FunctionalInterface
  interface Job {
    int run(SparkSession spark) throws IOException;
  }

  /**
   * Runs a command.
   *
   * @return the exit code
   */
  static int run(Callable<Integer> command, String... arguments) {
    CommandLine commandLine = new CommandLine(command);
    GroupedOptionList.install(commandLine);
    Failures failures = new Failures();
    return commandLine
        .setErr(new PrintWriter(System.err, true, System.err.charset()))
        .setUsageHelpLongOptionsMaxWidth(24)
        .setExpandAtFiles(false)
        .setColorScheme(CommandLine.Help.defaultColorScheme(Ansi.OFF))
        .setAllowOptionsAsOptionParameters(true)
        .setParameterExceptionHandler(failures)
        .setExecutionExceptionHandler(failures)
        .execute(arguments);
  }

  /** Opens a session by what {@code spark-submit} was told, and closes it behind the job. */
  static int inSession(String name, Job job) throws IOException {
    SparkConf conf = new SparkConf();
    conf.setIfMissing("spark.master", "local[*]");
    conf.setIfMissing("spark.app.name", name);
    // As names in JSON are.
    conf.setIfMissing("spark.sql.caseSensitive", "true");
    ExecutorCores.giveToTask(conf);
    ExecutorCores.requireWhole(conf);
    try (SparkSession spark = SparkSession.builder().config(conf).getOrCreate()) {
      MuninnSpark.prepare(spark);
      return job.run(spark);
    } catch (Exception e) {
      throw cause(e);
    }
  }

  /** What went wrong, out of what Spark has wrapped around it. */
  private static RuntimeException cause(Exception failure) throws IOException {
    Throwable known = null;
    for (Throwable each = failure; each != null; each = each.getCause()) {
      if (each instanceof CheckpointException
          || each instanceof UsageException
          || each instanceof IllegalArgumentException
          || each instanceof IOException && !(each instanceof SparkThrowable)) {
        known = each;
      }
    }
    if (known instanceof IOException io) {
      throw io;
    }
    if (known instanceof RuntimeException runtime) {
      return runtime;
    }
    if (failure instanceof SparkThrowable && failure.getMessage() != null) {
      // The first line says what it is; the others say where in Spark.
      throw new IOException(failure.getMessage().lines().findFirst().orElse(""), failure);
    }
    if (failure instanceof RuntimeException runtime) {
      return runtime;
    }
    throw new IOException(failure.toString(), failure);
  }
}
