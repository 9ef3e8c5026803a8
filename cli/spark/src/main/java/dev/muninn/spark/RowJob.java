package dev.muninn.spark;

import dev.muninn.LanguageModel;
import dev.muninn.backend.InferenceException;
import dev.muninn.decode.Cancellation;
import dev.muninn.serve.Outcome;
import dev.muninn.serve.UnfitRequestException;
import dev.muninn.weights.CheckpointException;
import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

/**
 * Computes the rows of a partition, some hundred at a time, so that each application of the
 * recurrent block carries a full batch of them. What becomes of a row is the same whatever is
 * computed beside it.
 *
 * @param <Q> what is asked of the model for a row
 * @param <A> what it answers
 */
abstract class RowJob<Q, A> implements Serializable {
  private static final long serialVersionUID = 1L;

  /** Batches in a window. At its end, the last rows are computed in batches that are not full. */
  private static final int BATCHES = 16;

  private final ModelSource source;
  private final int batchSize;
  private final PromptColumns prompts;
  private final JobMetrics metrics;
  private final StructType output;

  /** The input's columns that travel along, by their indexes. */
  private final int[] kept;

  private final int added;

  /**
   * Creates a job.
   *
   * @param added the columns that the job adds; an error column follows them
   * @throws IllegalArgumentException if the rows have no prompts, or a column of an added one's
   *     name
   */
  RowJob(RowArguments arguments, StructType input, List<StructField> added, JobMetrics metrics) {
    this.source = arguments.model().source();
    this.batchSize = arguments.rows().batchSize();
    this.prompts = new PromptColumns(input, arguments.rows().idColumn());
    this.metrics = metrics;
    this.added = added.size();
    List<StructField> fields = new ArrayList<>();
    List<Integer> indexes = new ArrayList<>();
    for (int i = 0; i < input.size(); i++) {
      if (!input.apply(i).name().equals(PromptColumns.LINE)) {
        fields.add(input.apply(i));
        indexes.add(i);
      }
    }
    kept = indexes.stream().mapToInt(index -> index).toArray();
    // Spark and many readers of Parquet do not tell names apart by case.
    Set<String> names = new TreeSet<>(String.CASE_INSENSITIVE_ORDER);
    names.addAll(Arrays.asList(input.fieldNames()));
    String prefix = arguments.rows().prefix();
    List<StructField> behind = new ArrayList<>(added);
    behind.add(DataTypes.createStructField("error", DataTypes.StringType, true));
    for (StructField field : behind) {
      String name = prefix + field.name();
      if (names.contains(name)) {
        throw new IllegalArgumentException(
            "the rows already have a column " + name + ": rename it, or give --prefix");
      }
      fields.add(DataTypes.createStructField(name, field.dataType(), true));
    }
    output = DataTypes.createStructType(fields);
  }

  /** The columns of the result. */
  final StructType output() {
    return output;
  }

  /**
   * What is asked for a row.
   *
   * @throws BadRow if the row cannot be computed
   * @throws IllegalArgumentException if it does not fit the model
   */
  abstract Q request(LanguageModel model, PromptColumns.Asked asked) throws BadRow;

  abstract List<Outcome<A>> answer(
      LanguageModel model, List<Q> requests, int batchSize, Cancellation cancellation);

  /** The values of the added columns. */
  abstract Object[] values(Q request, A answer, JobMetrics metrics);

  /**
   * Has an executor open the model, before tasks need it.
   *
   * @throws IOException in one line, if it cannot be opened; so are the exceptions of models
   */
  final void requireModel(SparkSession spark) throws IOException {
    ModelSource asked = source;
    JobMetrics counted = metrics;
    Answer.of(
        JavaSparkContext.fromSparkContext(spark.sparkContext()),
        () -> TaskModel.take(asked, counted).cancellation().isCancelled());
  }

  /** Computes a partition's rows. */
  final MapPartitionsFunction<Row, Row> rows() {
    return rows -> {
      if (!rows.hasNext()) {
        return rows;
      }
      TaskModel task = TaskModel.take(source, metrics);
      return new Windows<>(rows, batchSize * BATCHES, window -> compute(task, window));
    };
  }

  /** Says of each row of a partition why it is bad; an empty text if it is not. */
  final MapPartitionsFunction<Row, String> check() {
    return rows -> {
      if (!rows.hasNext()) {
        return List.<String>of().iterator();
      }
      TaskModel task = TaskModel.take(source, metrics);
      return new Windows<>(
          rows,
          1,
          window -> {
            task.requireGoingOn();
            try {
              prepare(task, window.getFirst());
              return List.of("");
            } catch (BadRow e) {
              return List.of(e.getMessage());
            }
          });
    };
  }

  private Q prepare(TaskModel task, Row row) throws BadRow {
    try {
      return request(task.model(), prompts.read(row));
    } catch (IllegalArgumentException | CheckpointException e) {
      throw new BadRow(e.getMessage(), e);
    }
  }

  private List<Row> compute(TaskModel task, List<Row> window) {
    final long began = System.nanoTime();
    List<Pending<Q>> pending = new ArrayList<>();
    Object[][] values = new Object[window.size()][];
    String[] errors = new String[window.size()];
    for (int i = 0; i < window.size(); i++) {
      try {
        pending.add(new Pending<>(i, prepare(task, window.get(i))));
      } catch (BadRow e) {
        errors[i] = e.getMessage();
      }
    }
    compute(task, pending, values, errors);
    task.requireGoingOn();
    List<Row> rows = new ArrayList<>();
    int bad = 0;
    for (int i = 0; i < errors.length; i++) {
      bad += errors[i] == null ? 0 : 1;
      rows.add(row(window.get(i), values[i], errors[i]));
    }
    metrics.count(errors.length, bad, System.nanoTime() - began);
    return rows;
  }

  private record Pending<Q>(int index, Q request) {}

  /** Computes what fits. A row that does not, or that makes the model fail, fails alone. */
  private void compute(
      TaskModel task, List<Pending<Q>> pending, Object[][] values, String[] errors) {
    if (pending.isEmpty()) {
      return;
    }
    try {
      List<Q> requests = pending.stream().map(Pending::request).toList();
      List<Outcome<A>> answers = answer(task.model(), requests, batchSize, task.cancellation());
      task.requireGoingOn();
      for (int i = 0; i < answers.size(); i++) {
        Q request = pending.get(i).request;
        Outcome<A> answer = answers.get(i);
        if (answer.failure().orElse(null) instanceof InferenceException failure) {
          errors[pending.get(i).index] = failure.getMessage();
        } else {
          values[pending.get(i).index] = values(request, answer.orElseThrow(), metrics);
        }
      }
    } catch (UnfitRequestException e) {
      errors[pending.get(e.index()).index] = e.reason();
      List<Pending<Q>> others = new ArrayList<>(pending);
      others.remove(e.index());
      compute(task, others, values, errors);
    }
  }

  private Row row(Row given, Object[] values, String error) {
    Object[] row = new Object[kept.length + added + 1];
    for (int i = 0; i < kept.length; i++) {
      row[i] = given.get(kept[i]);
    }
    if (values != null) {
      System.arraycopy(values, 0, row, kept.length, added);
    }
    row[row.length - 1] = error;
    return RowFactory.create(row);
  }
}
