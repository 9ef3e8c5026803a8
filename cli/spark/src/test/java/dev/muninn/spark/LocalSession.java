package dev.muninn.spark;

import java.nio.file.Path;
import org.apache.spark.SparkConf;
import org.apache.spark.sql.SparkSession;

/** Sessions whose executor is the test's own JVM. */
final class LocalSession {
  private LocalSession() {}

  /** Settings of all sessions of tests: nothing listens but on 127.0.0.1. */
  static SparkConf quiet(SparkConf conf) {
    return conf.set("spark.app.name", "test")
        .set("spark.ui.enabled", "false")
        .set("spark.driver.host", "127.0.0.1")
        .set("spark.driver.bindAddress", "127.0.0.1")
        .set("spark.sql.shuffle.partitions", "2");
  }

  /** One task at a time, with one core. */
  static SparkSession open() {
    SparkConf conf = quiet(new SparkConf(false)).set("spark.master", "local");
    return SparkSession.builder().config(conf).getOrCreate();
  }

  /** Options that read a file in a number of parts. */
  static FileOptions file(Path input, int partitions) {
    return RowArguments.parse(
            new GenerateArguments(), input.toString(), "--partitions", Integer.toString(partitions))
        .files();
  }
}
