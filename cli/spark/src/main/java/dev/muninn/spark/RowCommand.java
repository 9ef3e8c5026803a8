package dev.muninn.spark;

import dev.muninn.cli.options.UsageException;
import dev.muninn.cli.output.Units;
import java.io.IOException;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.StructType;

/** A command that reads rows, computes them and writes them. */
final class RowCommand {
  private static final double MAX_ERRORS = 0.1;

  private RowCommand() {}

  /** Makes the job of rows. */
  @FunctionalInterface
  interface Maker {
    RowJob<?, ?> make(StructType rows, JobMetrics metrics);
  }

  /**
   * Runs a command.
   *
   * @return the exit code
   */
  static int run(String name, RowArguments arguments, Maker maker) throws IOException {
    arguments.requireConsistency();
    FileOptions files = arguments.files();
    if (files.output() == null) {
      throw new UsageException("give INPUT and OUTPUT");
    }
    return JobCommand.inSession(name, spark -> run(spark, arguments, maker));
  }

  private static int run(SparkSession spark, RowArguments arguments, Maker maker)
      throws IOException {
    FileOptions files = arguments.files();
    JobMetrics metrics = JobMetrics.of(spark);
    Dataset<Row> rows = RowFiles.read(spark, files);
    RowJob<?, ?> job = maker.make(rows.schema(), metrics);
    RowFiles.requireWritable(spark, files);
    job.requireModel(spark);
    double most = arguments.rows().maxErrors(MAX_ERRORS);
    long all = 0;
    if (most < 1) {
      RowCheck check = RowCheck.of(rows, job);
      check.requireAtMost(most);
      all = check.rows();
    }
    try (Progress _ = new Progress(spark.sparkContext(), metrics, all, "rows", System.err)) {
      RowFiles.write(MuninnSpark.compute(rows, job), files);
    }
    if (metrics.errors() > most * metrics.rows()) {
      throw new IllegalArgumentException(
          Units.format(
              "%,d of %s could not be computed, more than --max-errors %s; %s says why",
              metrics.errors(), Units.count(metrics.rows(), "row"), most, files.output()));
    }
    return 0;
  }
}
