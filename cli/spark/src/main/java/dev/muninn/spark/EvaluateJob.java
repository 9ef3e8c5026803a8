package dev.muninn.spark;

import dev.muninn.LanguageModel;
import dev.muninn.cli.eval.Cell;
import dev.muninn.cli.eval.EvalTasks;
import dev.muninn.cli.eval.Results;
import dev.muninn.eval.Evaluation;
import dev.muninn.eval.EvaluationSettings;
import dev.muninn.eval.Hash;
import dev.muninn.eval.ProblemResult;
import dev.muninn.eval.TaskFile;
import java.io.IOException;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.sql.SparkSession;
import scala.Function1;
import scala.reflect.ClassTag;
import scala.runtime.BoxedUnit;

/**
 * Computes the problems of all tasks at all shots and recurrences in one pass. A part has every
 * n-th problem at all recurrences, so that all parts cost about the same.
 */
final class EvaluateJob {
  /** Parts for each task that can run at once, so that a slow executor delays no other. */
  private static final int PARTS = 8;

  private final JavaSparkContext context;
  private final JobMetrics metrics;
  private final Work work;

  /**
   * Creates a job.
   *
   * @param arguments what was asked for
   * @param files the contents of files of tasks, by the names that the arguments have
   */
  EvaluateJob(
      SparkSession spark, ModelSource source, String[] arguments, HashMap<String, byte[]> files) {
    this.context = JavaSparkContext.fromSparkContext(spark.sparkContext());
    this.metrics = JobMetrics.of(spark);
    this.work = new Work(source, arguments, context.broadcast(files), metrics);
  }

  /** Facts that are known only once the model is open. */
  record Described(int meanRecurrence, String hash) implements Serializable {}

  /**
   * Asks an executor about the model, and whether all problems fit it.
   *
   * @throws IOException in one line, if the model cannot be opened; so are other exceptions of
   *     models and tasks
   */
  Described describe() throws IOException {
    Work asked = work;
    return Answer.of(context, asked::describe);
  }

  /**
   * Computes all problems that have no results yet.
   *
   * @param results get those of a part when it is done
   * @return what came of each cell, in the order of the table
   * @throws IOException if results cannot be kept
   */
  List<Cell.Outcome> run(
      EvaluateArguments arguments, EvalTasks tasks, int meanRecurrence, Results results)
      throws IOException {
    List<Cell> cells = arguments.options().cells(tasks.tasks(), meanRecurrence);
    ArrayList<HashSet<Integer>> known = new ArrayList<>();
    long all = 0;
    int most = 0;
    for (Cell cell : cells) {
      HashSet<Integer> done = new HashSet<>(results.of(cell).keySet());
      known.add(done);
      int missing = cell.task().problems().size() - done.size();
      all += missing;
      most = Math.max(most, missing);
    }
    if (all > 0) {
      Broadcast<ArrayList<HashSet<Integer>>> skipped = context.broadcast(known);
      try (Progress _ = new Progress(context.sc(), metrics, all, "problems", System.err)) {
        compute(
            parts(arguments, most),
            skipped,
            meanRecurrence,
            solved -> keep(results, cells.get(solved.cell), solved.result));
      }
    }
    List<Cell.Outcome> outcomes = new ArrayList<>();
    for (Cell cell : cells) {
      List<ProblemResult> ordered = List.copyOf(results.of(cell).values());
      outcomes.add(Cell.Outcome.of(cell, ordered, arguments.options().vote()));
    }
    return outcomes;
  }

  private void compute(
      int parts,
      Broadcast<ArrayList<HashSet<Integer>>> skipped,
      int meanRecurrence,
      Consumer<Solved> listener) {
    Work asked = work;
    JavaRDD<ArrayList<Solved>> solved =
        context
            .parallelize(IntStream.range(0, parts).boxed().toList(), parts)
            .map(part -> asked.solve(part, parts, skipped.value(), meanRecurrence));
    // Each part's results come when it is done, so that an interrupted run has them.
    context
        .sc()
        .runJob(
            solved.rdd(),
            (Function1<scala.collection.Iterator<ArrayList<Solved>>, ArrayList<Solved>>
                    & Serializable)
                scala.collection.Iterator::next,
            (part, results) -> {
              results.forEach(listener);
              return BoxedUnit.UNIT;
            },
            ClassTag.apply(ArrayList.class));
  }

  private static void keep(Results results, Cell cell, ProblemResult result) {
    try {
      results.add(cell, result);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private int parts(EvaluateArguments arguments, int problems) {
    if (arguments.partitions() > 0) {
      return arguments.partitions();
    }
    int batches = Math.ceilDiv(problems, arguments.options().batchSize());
    int tasks = context.defaultParallelism() / context.getConf().getInt("spark.task.cpus", 1);
    return Math.clamp(batches, 1, PARTS * Math.max(1, tasks));
  }

  /**
   * A problem's result.
   *
   * @param cell its cell's number in the table
   */
  private record Solved(int cell, ProblemResult result) implements Serializable {}

  /** What executors do. */
  private record Work(
      ModelSource source,
      String[] arguments,
      Broadcast<HashMap<String, byte[]>> files,
      JobMetrics metrics)
      implements Serializable {

    Described describe() throws IOException {
      LanguageModel model = TaskModel.take(source, metrics).model();
      int mean = model.architecture().defaultRecurrence();
      EvaluateArguments asked = EvaluateArguments.parse(arguments);
      EvalTasks tasks = tasks(asked);
      // A recurrence more needs no other layout.
      Set<List<Object>> laidOut = new HashSet<>();
      for (Cell cell : asked.options().cells(tasks.tasks(), mean)) {
        if (laidOut.add(List.of(cell.task().name(), cell.shots()))) {
          asked.options().evaluation(model, tasks, cell);
        }
      }
      return new Described(mean, Hash.of(model));
    }

    private EvalTasks tasks(EvaluateArguments asked) throws IOException {
      return asked.options().tasks(name -> TaskFile.read(name, files.value().get(name)));
    }

    /**
     * Computes one of some parts of all problems.
     *
     * @param skipped problems of each cell that have results
     */
    ArrayList<Solved> solve(int part, int parts, List<HashSet<Integer>> skipped, int meanRecurrence)
        throws IOException {
      final TaskModel task = TaskModel.take(source, metrics);
      EvaluateArguments asked = EvaluateArguments.parse(arguments);
      EvalTasks tasks = tasks(asked);
      List<Cell> cells = asked.options().cells(tasks.tasks(), meanRecurrence);
      EvaluationSettings settings = asked.options().settings();
      Map<List<Object>, Evaluation> laidOut = new HashMap<>();
      ArrayList<Solved> solved = new ArrayList<>();
      for (int i = 0; i < cells.size(); i++) {
        final int number = i;
        Cell cell = cells.get(i);
        Evaluation evaluation =
            laidOut.computeIfAbsent(
                List.of(cell.task().name(), cell.shots()),
                key -> asked.options().evaluation(task.model(), tasks, cell));
        final long began = System.nanoTime();
        final int before = solved.size();
        evaluation.run(
            settings.withRecurrence(cell.recurrence()),
            asked.options().batchSize(),
            problem -> problem % parts == part && !skipped.get(number).contains(problem),
            result -> {
              solved.add(new Solved(number, result));
              ProblemResult.Depth depth = result.depth();
              metrics.spent(depth.forwards(), depth.forwards(), depth.recurrences());
            },
            task.cancellation());
        task.requireGoingOn();
        metrics.count(solved.size() - before, 0, System.nanoTime() - began);
      }
      return solved;
    }
  }
}
