package dev.muninn.spark;

import dev.muninn.cli.output.Units;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.functions;

/**
 * What is known of rows before anything is computed.
 *
 * @param rows how many there are
 * @param bad how many of them cannot be computed
 * @param example what one of those lacks, or null
 */
record RowCheck(long rows, long bad, String example) {

  /** Looks at all rows. */
  static RowCheck of(Dataset<Row> rows, RowJob<?, ?> job) {
    Row sums =
        rows.mapPartitions(job.check(), Encoders.STRING())
            .agg(
                functions.count("*"),
                functions.count_if(functions.col("value").notEqual("")),
                functions.min(
                    functions.when(functions.col("value").notEqual(""), functions.col("value"))))
            .first();
    return new RowCheck(sums.getLong(0), sums.getLong(1), sums.getString(2));
  }

  /**
   * Refuses too many bad rows.
   *
   * @param most their largest share
   */
  void requireAtMost(double most) {
    if (bad > most * rows) {
      throw new IllegalArgumentException(
          Units.format(
              "%,d of %s %s bad, more than --max-errors %s; one of them: %s",
              bad, Units.count(rows, "row"), bad == 1 ? "is" : "are", most, example));
    }
  }
}
