/**
 * Generation, scoring and evaluation on Apache Spark: {@link dev.muninn.spark.MuninnSpark} for a
 * program's own pipeline, and {@link dev.muninn.spark.Generate}, {@link dev.muninn.spark.Score} and
 * {@link dev.muninn.spark.Evaluate} for {@code spark-submit}.
 */
package dev.muninn.spark;
