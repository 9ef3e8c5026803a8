package dev.muninn.spark;

import dev.muninn.cli.output.Units;
import java.io.Serializable;
import java.util.List;
import org.apache.spark.SparkContext;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.util.LongAccumulator;

/**
 * What a job has done so far, summed over executors by accumulators, which Spark's own pages show
 * too. Tasks that are run again count again, so these are for watching a job, not for its results.
 */
public final class JobMetrics implements Serializable {
  private static final long serialVersionUID = 1L;
  private static final double NANOS = 1e9;

  private final LongAccumulator rows;
  private final LongAccumulator errors;
  private final LongAccumulator tokens;
  private final LongAccumulator forwards;
  private final LongAccumulator recurrences;
  private final LongAccumulator nanos;
  private final LongAccumulator models;

  private JobMetrics(SparkContext context) {
    rows = context.longAccumulator("muninn rows");
    errors = context.longAccumulator("muninn errors");
    tokens = context.longAccumulator("muninn tokens");
    forwards = context.longAccumulator("muninn forwards");
    recurrences = context.longAccumulator("muninn recurrences");
    nanos = context.longAccumulator("muninn nanoseconds of computing");
    models = context.longAccumulator("muninn models opened");
  }

  /** Metrics of a new job. */
  public static JobMetrics of(SparkSession spark) {
    return new JobMetrics(spark.sparkContext());
  }

  /** Rows that are done, bad ones among them. */
  public long rows() {
    return rows.value();
  }

  /** Of those, the bad ones. */
  public long errors() {
    return errors.value();
  }

  /** Tokens that were generated or scored. */
  public long tokens() {
    return tokens.value();
  }

  /** Recurrences spent on rows that chose or scored a token; a prompt counts once. */
  public long recurrences() {
    return recurrences.value();
  }

  /** Tokens in a second of computing of one executor. */
  public double tokensPerSecond() {
    return tokens.value() * NANOS / nanos.value();
  }

  /** How often an executor opened a model. */
  public long modelsOpened() {
    return models.value();
  }

  /** All accumulators, for whoever hears of their parts before a task ends. */
  List<LongAccumulator> accumulators() {
    return List.of(rows, errors, tokens, forwards, recurrences, nanos, models);
  }

  void modelOpened() {
    models.add(1);
  }

  /** Counts rows of a task. */
  void count(long done, long bad, long computingNanos) {
    rows.add(done);
    errors.add(bad);
    nanos.add(computingNanos);
  }

  /** Counts what became of one row. */
  void spent(long made, List<Integer> recurrencesByForward) {
    long sum = 0;
    for (int each : recurrencesByForward) {
      sum += each;
    }
    spent(made, recurrencesByForward.size(), sum);
  }

  void spent(long made, long forwardsMade, long recurrencesMade) {
    tokens.add(made);
    forwards.add(forwardsMade);
    recurrences.add(recurrencesMade);
  }

  /**
   * The state in one line.
   *
   * @param values of {@link #accumulators}, in their order
   * @param all rows of the job, 0 if not known
   * @param what the rows are, in the plural
   */
  static String line(List<Long> values, long all, String what, double seconds) {
    long made = values.get(2);
    return Units.format(
        "%,d%s %s, %,d bad; %,d tokens, %.1f recurrences each, %.1f tokens/s",
        values.get(0),
        all == 0 ? "" : Units.format(" of %,d", all),
        what,
        values.get(1),
        made,
        values.get(3) == 0 ? 0 : (double) values.get(4) / values.get(3),
        seconds == 0 ? 0 : made / seconds);
  }
}
