package dev.muninn.spark;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.spark.SparkContext;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerApplicationEnd;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/**
 * Generation and scoring of the rows of a Dataset, as a step of a program's own pipeline.
 *
 * <pre>{@code
 * Dataset<Row> answers =
 *     MuninnSpark.generate(
 *         spark.read().parquet("questions"),
 *         GenerateOptions.builder().model("/models/huginn-0125").recurrence(32).build());
 * answers.filter("error is null").write().parquet("answers");
 * }</pre>
 *
 * <p>A row has its prompt in one of the columns {@code prompt} (a text), {@code messages} (an array
 * of structs of {@code role} and {@code content}) and {@code prompt_tokens} (an array of integers).
 * All its columns stand in the result again. What becomes of a row depends on the row and the
 * options alone: not on partitions, executors, or tasks that are run again.
 *
 * <p>Each executor opens the model once. A task computes with all its cores, so {@code
 * spark.task.cpus} must be what an executor has.
 */
public final class MuninnSpark {
  /** Local applications whose end is waited for. */
  private static final Set<String> PREPARED = ConcurrentHashMap.newKeySet();

  private MuninnSpark() {}

  /** Continues the prompts of rows; {@link #generate(Dataset, GenerateOptions, JobMetrics)}. */
  public static Dataset<Row> generate(Dataset<Row> rows, GenerateOptions options) {
    return generate(rows, options, JobMetrics.of(rows.sparkSession()));
  }

  /**
   * Continues the prompts of rows.
   *
   * @return the rows' columns, and {@code text} (null without a tokenizer), {@code tokens}, {@code
   *     recurrences} (of each forward, the prompt's first), {@code mean_recurrences}, {@code
   *     finish_reason} and {@code error}: one line if the row is bad, and all others are then null
   * @throws IllegalArgumentException in one line, if the rows have no prompts or a column of one of
   *     these names, a task has not all cores of its executor, or more rows are bad than the
   *     options allow
   */
  public static Dataset<Row> generate(
      Dataset<Row> rows, GenerateOptions options, JobMetrics metrics) {
    refuseFiles(options.parsed());
    GenerateJob job = new GenerateJob(options, rows.schema(), metrics);
    return apply(rows, job, options.parsed());
  }

  /** Scores the texts of rows; {@link #score(Dataset, ScoreOptions, JobMetrics)}. */
  public static Dataset<Row> score(Dataset<Row> rows, ScoreOptions options) {
    return score(rows, options, JobMetrics.of(rows.sparkSession()));
  }

  /**
   * Scores the texts of rows.
   *
   * @return the rows' columns, and {@code tokens} (n of them), {@code logprobs} (natural logarithms
   *     of the probabilities of all tokens but the first, n - 1 of them), {@code log_likelihood},
   *     {@code perplexity} and {@code error}: one line if the row is bad, and all others are then
   *     null
   * @throws IllegalArgumentException as in {@link #generate(Dataset, GenerateOptions, JobMetrics)}
   */
  public static Dataset<Row> score(Dataset<Row> rows, ScoreOptions options, JobMetrics metrics) {
    refuseFiles(options.parsed());
    ScoreJob job = new ScoreJob(options, rows.schema(), metrics);
    return apply(rows, job, options.parsed());
  }

  private static void refuseFiles(RowArguments arguments) {
    if (arguments.files().given()) {
      throw new IllegalArgumentException(
          "unexpected argument '" + arguments.files().input() + "': the rows are given already");
    }
  }

  private static Dataset<Row> apply(Dataset<Row> rows, RowJob<?, ?> job, RowArguments arguments) {
    prepare(rows.sparkSession());
    double most = arguments.rows().maxErrors(1);
    if (most < 1) {
      requireModel(rows, job);
      RowCheck.of(rows, job).requireAtMost(most);
    }
    return compute(rows, job);
  }

  private static void requireModel(Dataset<Row> rows, RowJob<?, ?> job) {
    try {
      job.requireModel(rows.sparkSession());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Puts the job behind the rows. */
  static Dataset<Row> compute(Dataset<Row> rows, RowJob<?, ?> job) {
    return rows.mapPartitions(job.rows(), Encoders.row(job.output()));
  }

  /** Checks what the session gives a task, and sees to it that a local executor's model closes. */
  static void prepare(SparkSession spark) {
    SparkContext context = spark.sparkContext();
    ExecutorCores.requireWhole(context.getConf());
    if (context.isLocal() && PREPARED.add(context.applicationId())) {
      context.addSparkListener(
          new SparkListener() {
            @Override
            public void onApplicationEnd(SparkListenerApplicationEnd end) {
              PREPARED.remove(context.applicationId());
              ExecutorModel.closeAll();
            }
          });
    }
  }
}
