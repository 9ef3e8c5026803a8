package dev.muninn.spark;

/** Continues the prompts of a file: {@code spark-submit --class dev.muninn.spark.Generate}. */
public final class Generate {
  private Generate() {}

  /** Runs the command; ends the JVM with its exit code unless that is 0. */
  public static void main(String... arguments) {
    int exitCode = run(arguments);
    if (exitCode != 0) {
      System.exit(exitCode);
    }
  }

  /** Runs the command and gives its exit code. */
  static int run(String... arguments) {
    return JobCommand.run(new GenerateArguments(), arguments);
  }
}
