package dev.muninn.spark;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.from_json;
import static org.apache.spark.sql.functions.is_valid_utf8;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.regexp_replace;
import static org.apache.spark.sql.functions.when;

import java.io.IOException;
import java.util.Map;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RuntimeConfig;
import org.apache.spark.sql.SaveMode;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.StructType;

/** Reads and writes rows by Spark's own readers, writers and committers. */
final class RowFiles {
  private static final String PARSED = "parsed";
  private static final String VALUE = "value";

  private RowFiles() {}

  /** Reads the input. */
  static Dataset<Row> read(SparkSession spark, FileOptions files) {
    if (files.partitions() > 0) {
      // Split where it is read: a shuffle's files are lost with the executor that has them.
      RuntimeConfig settings = spark.conf();
      settings.set("spark.sql.files.minPartitionNum", Integer.toString(files.partitions()));
      settings.set("spark.sql.files.openCostInBytes", "0");
    }
    Dataset<Row> rows =
        files.format() == FileOptions.Format.PARQUET
            ? spark.read().parquet(files.input())
            : lines(spark, files.input());
    return files.partitions() > 0 ? rows.coalesce(files.partitions()) : rows;
  }

  /**
   * Reads JSONL. Columns are what Spark makes of the lines; beside them stands each line itself,
   * for one odd line may change the type of a column in all rows.
   */
  private static Dataset<Row> lines(SparkSession spark, String path) {
    Dataset<Row> lines =
        spark
            .read()
            .text(path)
            .select(
                when(is_valid_utf8(col(VALUE)), regexp_replace(col(VALUE), "^\uFEFF", ""))
                    .otherwise(lit(PromptColumns.NOT_UTF_8))
                    .as(VALUE))
            .filter(col(VALUE).rlike("\\S"));
    StructType schema = spark.read().json(lines.as(Encoders.STRING())).schema();
    if (schema.isEmpty()) {
      return lines.withColumnRenamed(VALUE, PromptColumns.LINE);
    }
    return lines
        .select(from_json(col(VALUE), schema, Map.of()).as(PARSED), col(VALUE))
        .select(col(PARSED + ".*"), col(VALUE).as(PromptColumns.LINE));
  }

  /**
   * Refuses an output that exists, before anything is computed.
   *
   * @throws IOException if it does, or if it cannot be determined
   */
  static void requireWritable(SparkSession spark, FileOptions files) throws IOException {
    Path path = new Path(files.output());
    if (!files.overwrite()
        && path.getFileSystem(spark.sparkContext().hadoopConfiguration()).exists(path)) {
      throw new IOException(files.output() + " exists; --overwrite replaces it");
    }
  }

  /** Writes the output. */
  static void write(Dataset<Row> rows, FileOptions files) {
    var writer = rows.write().mode(files.overwrite() ? SaveMode.Overwrite : SaveMode.ErrorIfExists);
    if (files.outputFormat() == FileOptions.Format.PARQUET) {
      writer.parquet(files.output());
    } else {
      writer.json(files.output());
    }
  }
}
