package dev.muninn.spark;

/**
 * Says how often a model is right, by recurrences: {@code spark-submit --class
 * dev.muninn.spark.Evaluate}.
 */
public final class Evaluate {
  private Evaluate() {}

  /** Runs the command; ends the JVM with its exit code unless that is 0. */
  public static void main(String... arguments) {
    int exitCode = run(arguments);
    if (exitCode != 0) {
      System.exit(exitCode);
    }
  }

  /** Runs the command and gives its exit code. */
  static int run(String... arguments) {
    return JobCommand.run(new EvaluateArguments(), arguments);
  }
}
