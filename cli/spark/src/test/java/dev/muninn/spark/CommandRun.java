package dev.muninn.spark;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.IntSupplier;
import org.apache.spark.SparkConf;

/**
 * A command as {@code spark-submit} runs it: what Spark is told stands in system properties.
 *
 * @param told the lines on standard error that are Muninn's
 */
record CommandRun(int exitCode, String out, List<String> told) {

  /**
   * Runs a command.
   *
   * @param settings of Spark, beyond a local master of two cores
   */
  static CommandRun of(Map<String, String> settings, IntSupplier command) {
    Map<String, String> all = new TreeMap<>();
    for (var setting : LocalSession.quiet(new SparkConf(false)).getAll()) {
      all.put(setting._1(), setting._2());
    }
    all.put("spark.master", "local[2]");
    all.putAll(settings);
    final PrintStream out = System.out;
    final PrintStream err = System.err;
    ByteArrayOutputStream printed = new ByteArrayOutputStream();
    ByteArrayOutputStream told = new ByteArrayOutputStream();
    all.forEach(System::setProperty);
    System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8));
    System.setErr(new PrintStream(told, true, StandardCharsets.UTF_8));
    try {
      int exitCode = command.getAsInt();
      List<String> lines =
          told.toString(StandardCharsets.UTF_8)
              .lines()
              .filter(line -> line.startsWith("muninn: "))
              .toList();
      return new CommandRun(exitCode, printed.toString(StandardCharsets.UTF_8), lines);
    } finally {
      System.setOut(out);
      System.setErr(err);
      all.keySet().forEach(System::clearProperty);
    }
  }

  /** The last line on standard error. */
  String last() {
    return told.isEmpty() ? "" : told.getLast();
  }
}
