package dev.muninn.spark;

import dev.muninn.cli.eval.Cell;
import dev.muninn.cli.eval.EvalTasks;
import dev.muninn.eval.Evaluation;
import dev.muninn.eval.EvaluationSettings;
import dev.muninn.eval.Hash;
import dev.muninn.eval.ProblemResult;
import dev.muninn.eval.TaskFile;
import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.sql.SparkSession;

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

  /** Asks an executor about the model. */
  Described describe() {
    Work asked = work;
    return context.parallelize(List.of(0), 1).map(part -> asked.describe()).first();
  }

  /**
   * Computes all problems.
   *
   * @return what came of each cell, in the order of the table
   */
  List<Cell.Outcome> run(EvaluateArguments arguments, EvalTasks tasks, int meanRecurrence) {
    List<Cell> cells = arguments.options().cells(tasks.tasks(), meanRecurrence);
    long all = 0;
    int most = 0;
    for (Cell cell : cells) {
      all += cell.task().problems().size();
      most = Math.max(most, cell.task().problems().size());
    }
    int parts = parts(arguments, most);
    Work asked = work;
    List<TreeMap<Integer, ProblemResult>> results =
        cells.stream().map(cell -> new TreeMap<Integer, ProblemResult>()).toList();
    try (Progress _ = new Progress(context.sc(), metrics, all, "problems", System.err)) {
      List<Integer> numbers = IntStream.range(0, parts).boxed().toList();
      for (Solved solved :
          context
              .parallelize(numbers, parts)
              .flatMap(part -> asked.solve(part, parts, meanRecurrence))
              .collect()) {
        results.get(solved.cell).put(solved.result.number(), solved.result);
      }
    }
    List<Cell.Outcome> outcomes = new ArrayList<>();
    for (int i = 0; i < cells.size(); i++) {
      List<ProblemResult> ordered = List.copyOf(results.get(i).values());
      outcomes.add(Cell.Outcome.of(cells.get(i), ordered, arguments.options().vote()));
    }
    return outcomes;
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
      TaskModel task = TaskModel.take(source, metrics);
      return new Described(task.model().architecture().defaultRecurrence(), Hash.of(task.model()));
    }

    /** Computes one of some parts of all problems. */
    Iterator<Solved> solve(int part, int parts, int meanRecurrence) throws IOException {
      final TaskModel task = TaskModel.take(source, metrics);
      EvaluateArguments asked = EvaluateArguments.parse(arguments);
      EvalTasks tasks = asked.options().tasks(name -> TaskFile.read(name, files.value().get(name)));
      List<Cell> cells = asked.options().cells(tasks.tasks(), meanRecurrence);
      EvaluationSettings settings = asked.options().settings();
      Map<List<Object>, Evaluation> laidOut = new HashMap<>();
      List<Solved> solved = new ArrayList<>();
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
            problem -> problem % parts == part,
            result -> {
              solved.add(new Solved(number, result));
              ProblemResult.Depth depth = result.depth();
              metrics.spent(depth.forwards(), depth.forwards(), depth.recurrences());
            },
            task.cancellation());
        task.requireGoingOn();
        metrics.count(solved.size() - before, 0, System.nanoTime() - began);
      }
      return solved.iterator();
    }
  }
}
