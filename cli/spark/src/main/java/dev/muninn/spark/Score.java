package dev.muninn.spark;

/** Scores the texts of a file: {@code spark-submit --class dev.muninn.spark.Score}. */
public final class Score {
  private Score() {}

  /** Runs the command; ends the JVM with its exit code unless that is 0. */
  public static void main(String... arguments) {
    int exitCode = run(arguments);
    if (exitCode != 0) {
      System.exit(exitCode);
    }
  }

  /** Runs the command and gives its exit code. */
  static int run(String... arguments) {
    return JobCommand.run(new ScoreArguments(), arguments);
  }
}
