package dev.muninn.cli.quantize;

import dev.muninn.LanguageModel;
import dev.muninn.cli.bench.Sample;
import dev.muninn.cli.output.Units;
import dev.muninn.cli.terminal.Progress;
import dev.muninn.cli.terminal.Terminal;
import dev.muninn.decode.Cancellation;
import dev.muninn.decode.InitialState;
import dev.muninn.eval.Evaluation;
import dev.muninn.eval.EvaluationSettings;
import dev.muninn.eval.Examples;
import dev.muninn.eval.Measure;
import dev.muninn.eval.ProblemResult;
import dev.muninn.eval.Task;
import dev.muninn.measure.RandomValues;
import dev.muninn.measure.TemporaryDirectory;
import dev.muninn.prepare.Calibration;
import dev.muninn.prepare.Preparation;
import dev.muninn.prepare.Recipe;
import dev.muninn.serve.FinishReason;
import dev.muninn.serve.GenerationListener;
import dev.muninn.serve.GenerationRequest;
import dev.muninn.serve.GenerationResult;
import dev.muninn.text.Prompt;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;

/**
 * A model as it came and prepared in all types, in a temporary directory: how large each is, how
 * fast, and how often right.
 */
final class TypeComparison implements AutoCloseable {
  /** What the model itself is called among the types. */
  static final String AS_IT_CAME = "as it came";

  private static final int PROMPT = 128;
  private static final int TOKENS = 32;
  private static final int BATCH_SIZE = 32;

  /** Of the model's bytes: more than all types together take. */
  private static final double ROOM = 2.5;

  private final TemporaryDirectory temporary = new TemporaryDirectory();
  private final List<Candidate> candidates = new ArrayList<>();
  private final Cancellation cancellation;

  private record Candidate(String type, LanguageModel model) {}

  /**
   * What was measured of a type at a number of recurrences.
   *
   * @param bytes of weights
   * @param promptRate tokens of a prompt a second
   * @param decodeRate tokens behind it a second, one after the other
   * @param measures of each task the first, in their order
   */
  record Row(
      String type,
      long bytes,
      int recurrence,
      double promptRate,
      double decodeRate,
      List<Measure> measures) {}

  /**
   * Prepares all types.
   *
   * @param seen as {@link CalibrationOptions#text} says
   * @throws CancellationException if it was cancelled
   */
  TypeComparison(Path source, String seen, Cancellation cancellation) throws IOException {
    this.cancellation = cancellation;
    try {
      LanguageModel model = LanguageModel.load(source);
      candidates.add(new Candidate(AS_IT_CAME, model));
      requireRoom(model.checkpoint().mappedBytes());
      try (Calibration calibration =
              CalibrationOptions.calibrate(source, seen, cancellation::isCancelled);
          Progress progress =
              new Progress(Terminal.isStandardError(), "types prepared", Recipe.NAMES.size())) {
        for (String type : Recipe.NAMES) {
          Recipe recipe = Recipe.of(type);
          Path target = Files.createDirectory(temporary.path().resolve(type));
          Preparation.prepare(
              source,
              target,
              recipe,
              CalibrationOptions.rounds(recipe) ? calibration : null,
              bytes -> requireWanted());
          ModelFiles.copy(source, target);
          candidates.add(new Candidate(type, LanguageModel.load(target)));
          progress.step();
        }
      }
    } catch (IOException | RuntimeException | Error problem) {
      close();
      throw problem;
    }
  }

  private void requireRoom(long bytes) throws IOException {
    long needed = (long) (ROOM * bytes);
    long free = Files.getFileStore(temporary.path()).getUsableSpace();
    if (free < needed) {
      throw new IOException(
          Units.format(
              "%s has %s left, too little for all types of a model of %s",
              temporary.path().getParent(), Units.bytes(free), Units.bytes(bytes)));
    }
  }

  private void requireWanted() {
    if (cancellation.isCancelled()) {
      throw new CancellationException("interrupted");
    }
  }

  /** Recurrences that the model was trained with, on average. */
  int defaultRecurrence() {
    return candidates.getFirst().model().architecture().defaultRecurrence();
  }

  /**
   * Measures all types. They take turns, so that what changes on the machine meanwhile befalls all
   * of them.
   *
   * @param repetitions timed runs of each, of which the median counts
   * @throws CancellationException if it was cancelled
   */
  List<Row> run(List<Task> tasks, List<Integer> recurrences, int repetitions) {
    List<List<Evaluation>> evaluations = new ArrayList<>();
    for (Candidate candidate : candidates) {
      evaluations.add(tasks.stream().map(task -> evaluation(candidate.model(), task)).toList());
    }
    List<Row> rows = new ArrayList<>();
    int steps = candidates.size() * recurrences.size() * (repetitions + 1 + tasks.size());
    try (Progress progress = new Progress(Terminal.isStandardError(), "runs", steps)) {
      for (int recurrence : recurrences) {
        List<List<GenerationResult>> runs = timedRuns(recurrence, repetitions, progress);
        for (int i = 0; i < candidates.size(); i++) {
          List<Measure> measures = new ArrayList<>();
          for (Evaluation evaluation : evaluations.get(i)) {
            measures.add(measure(evaluation, recurrence));
            progress.step();
          }
          rows.add(
              new Row(
                  candidates.get(i).type(),
                  candidates.get(i).model().checkpoint().mappedBytes(),
                  recurrence,
                  median(runs.get(i), true),
                  median(runs.get(i), false),
                  measures));
        }
      }
    }
    return rows;
  }

  private static Evaluation evaluation(LanguageModel model, Task task) {
    return new Evaluation(model, task, new Examples(task, task.separator(), 0), 0);
  }

  /**
   * Of each candidate its runs; a first one of each, in which kernels are compiled, is left out.
   */
  private List<List<GenerationResult>> timedRuns(
      int recurrence, int repetitions, Progress progress) {
    List<List<GenerationResult>> runs = new ArrayList<>();
    candidates.forEach(candidate -> runs.add(new ArrayList<>()));
    for (int turn = -1; turn < repetitions; turn++) {
      for (int i = 0; i < candidates.size(); i++) {
        GenerationResult result = generate(candidates.get(i).model(), recurrence);
        if (turn >= 0) {
          runs.get(i).add(result);
        }
        progress.step();
      }
    }
    return runs;
  }

  private GenerationResult generate(LanguageModel model, int recurrence) {
    int half = model.architecture().contextLength() / 2;
    int[] prompt =
        RandomValues.tokens(Math.min(PROMPT, half), model.architecture().vocabularySize(), 0);
    GenerationResult result =
        model.generate(
            GenerationRequest.builder(Prompt.tokens(prompt))
                .maxTokens(Math.min(TOKENS, half))
                .recurrence(recurrence)
                .initialState(InitialState.random(0))
                .ignoreEndOfSequence(true)
                .build(),
            GenerationListener.NONE,
            cancellation);
    if (result.finishReason() == FinishReason.CANCELLED) {
      throw new CancellationException("interrupted");
    }
    return result;
  }

  private Measure measure(Evaluation evaluation, int recurrence) {
    List<ProblemResult> results = new ArrayList<>();
    evaluation.run(
        EvaluationSettings.of(recurrence), BATCH_SIZE, number -> true, results::add, cancellation);
    requireWanted();
    return Measure.of(evaluation.task(), results, false).getFirst();
  }

  private static double median(List<GenerationResult> runs, boolean prompt) {
    double[] rates =
        runs.stream()
            .mapToDouble(run ->
                prompt
                    ? run.timings().prefillTokensPerSecond()
                    : run.timings().decodeTokensPerSecond())
            .toArray();
    return new Sample(rates).percentile(50);
  }

  @Override
  public void close() {
    candidates.forEach(candidate -> candidate.model().close());
    temporary.close();
  }
}
