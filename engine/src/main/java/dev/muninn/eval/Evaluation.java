package dev.muninn.eval;

import dev.muninn.decode.Cancellation;
import dev.muninn.decode.InitialState;
import dev.muninn.decode.Strategy;
import dev.muninn.serve.ContinuationScores;
import dev.muninn.serve.FinishReason;
import dev.muninn.serve.GenerationListener;
import dev.muninn.serve.GenerationRequest;
import dev.muninn.serve.GenerationResult;
import dev.muninn.serve.ModelService;
import dev.muninn.serve.Outcome;
import dev.muninn.serve.ScoreRequest;
import dev.muninn.text.Prompt;
import dev.muninn.text.Tokenizer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import java.util.function.IntPredicate;

/** A task's problems with a number of examples before each, laid out for a model. */
public final class Evaluation {
  private final ModelService model;
  private final Task task;
  private final List<Layout> layouts = new ArrayList<>();

  /**
   * A problem in tokens.
   *
   * @param prompt what is shared by all that is scored, or what an answer is generated to
   * @param continuations what is scored behind it; none where an answer is generated
   */
  private record Layout(Prompt.Tokens prompt, List<Prompt.Tokens> continuations) {
    int length() {
      int longest = 0;
      for (Prompt.Tokens continuation : continuations) {
        longest = Math.max(longest, continuation.tokens().length);
      }
      return prompt.tokens().length + longest;
    }
  }

  /**
   * Lays out a task.
   *
   * @param examples where shots are drawn from
   * @param shots solved problems before each question
   * @throws IllegalArgumentException if a problem does not fit the model: longer than its context,
   *     a text without a tokenizer; it says which
   */
  public Evaluation(ModelService model, Task task, Examples examples, int shots) {
    this.model = model;
    this.task = task;
    int context = model.architecture().contextLength();
    for (int number = 0; number < task.problems().size(); number++) {
      Problem problem = task.problems().get(number);
      Layout layout = layout(problem, examples.before(problem, number, shots));
      if (layout.length() > context) {
        throw new IllegalArgumentException(
            problem.where()
                + (shots == 0 ? "" : " with " + shots + " shots")
                + ": "
                + layout.length()
                + " tokens, more than the context of "
                + context);
      }
      layouts.add(layout);
    }
  }

  private Layout layout(Problem problem, List<Prompt> examples) {
    Prompt shown = null;
    for (Prompt example : examples) {
      shown = shown == null ? example : Prompts.concatenate(shown, example);
    }
    Prompt question =
        shown == null ? problem.question() : Prompts.concatenate(shown, problem.question());
    return switch (problem) {
      case Problem.Choice choice -> {
        List<int[]> whole = new ArrayList<>();
        for (Prompt each : choice.choices()) {
          whole.add(tokens(problem, Prompts.concatenate(question, each)));
        }
        yield split(problem, tokens(problem, question), whole);
      }
      case Problem.Answer answer ->
          new Layout(new Prompt.Tokens(tokens(problem, question)), List.of());
      case Problem.Text text -> {
        int[] whole = tokens(problem, question);
        int[] before = shown == null ? new int[0] : tokens(problem, shown);
        // The first token of all has no probability.
        yield split(problem, before.length == 0 ? Arrays.copyOf(whole, 1) : before, List.of(whole));
      }
    };
  }

  private int[] tokens(Problem problem, Prompt prompt) {
    int[] tokens =
        switch (prompt) {
          case Prompt.Tokens(int[] given) -> given;
          case Prompt.Text(String text) -> encode(problem, text);
          case Prompt.Chat chat -> throw new AssertionError(chat);
        };
    for (int token : tokens) {
      if (token < 0 || token >= model.architecture().vocabularySize()) {
        throw new IllegalArgumentException(
            problem.where()
                + ": token "
                + token
                + " is outside the vocabulary, 0 to "
                + (model.architecture().vocabularySize() - 1));
      }
    }
    if (tokens.length == 0 && problem instanceof Problem.Answer) {
      throw new IllegalArgumentException(problem.where() + ": the prompt has no tokens");
    }
    return tokens;
  }

  private int[] encode(Problem problem, String text) {
    Tokenizer tokenizer = tokenizer(problem);
    try {
      return tokenizer.encode(text);
    } catch (IllegalArgumentException unfit) {
      throw new IllegalArgumentException(problem.where() + ": " + unfit.getMessage(), unfit);
    }
  }

  private Tokenizer tokenizer(Problem problem) {
    return model
        .tokenizer()
        .orElseThrow(() ->
            new IllegalArgumentException(
                problem.where()
                    + ": a text needs a tokenizer; "
                    + model.checkpoint().directory()
                    + " has no tokenizer.json"));
  }

  /**
   * Splits tokens where the context ends. A token may span the end of the context's text; it is
   * then scored, with all choices, so that all are scored from the same place on.
   *
   * @param context the tokens of the context alone
   * @param whole the tokens of the context and each continuation together
   */
  private static Layout split(Problem problem, int[] context, List<int[]> whole) {
    int shared = context.length;
    for (int[] tokens : whole) {
      int mismatch = Arrays.mismatch(context, tokens);
      shared = Math.min(shared, mismatch < 0 ? context.length : mismatch);
      shared = Math.min(shared, tokens.length - 1);
    }
    if (shared < 1) {
      throw new IllegalArgumentException(
          problem.where() + ": nothing precedes the scored text, so it has no probability");
    }
    List<Prompt.Tokens> continuations = new ArrayList<>();
    for (int[] tokens : whole) {
      continuations.add(new Prompt.Tokens(Arrays.copyOfRange(tokens, shared, tokens.length)));
    }
    return new Layout(new Prompt.Tokens(Arrays.copyOf(context, shared)), continuations);
  }

  public Task task() {
    return task;
  }

  /**
   * Computes problems, many at a time.
   *
   * @param batchSize most problems, or samples of them, in flight, at least 1; makes no difference
   *     to results
   * @param wanted which problems, by their numbers from 0
   * @param listener gets each result as it is made, in any order; what is under way when it is
   *     cancelled gives none
   * @throws IllegalArgumentException if the settings do not fit the task
   */
  public void run(
      EvaluationSettings settings,
      int batchSize,
      IntPredicate wanted,
      Consumer<ProblemResult> listener,
      Cancellation cancellation) {
    List<Integer> numbers = new ArrayList<>();
    for (int number = 0; number < layouts.size(); number++) {
      if (wanted.test(number)) {
        numbers.add(number);
      }
    }
    if (task.problems().getFirst() instanceof Problem.Answer) {
      generate(settings, batchSize, numbers, listener, cancellation);
    } else {
      score(settings, batchSize, numbers, listener, cancellation);
    }
  }

  private void score(
      EvaluationSettings settings,
      int batchSize,
      List<Integer> numbers,
      Consumer<ProblemResult> listener,
      Cancellation cancellation) {
    if (settings.samples() > 1) {
      throw new IllegalArgumentException(
          task.name() + ": " + Task.kind(task.problems().getFirst()) + " has no samples");
    }
    List<ScoreRequest> requests = new ArrayList<>();
    for (int number : numbers) {
      Layout layout = layouts.get(number);
      requests.add(
          new ScoreRequest(
              layout.prompt,
              layout.continuations,
              settings.recurrence(),
              settings.initialState(),
              settings.decoding()));
    }
    Delivery delivery = new Delivery(listener, cancellation);
    delivery.require(
        model.scoreAll(
            requests,
            batchSize,
            (scores, index) -> delivery.accept(result(numbers.get(index), scores)),
            delivery.cancellation));
  }

  private ProblemResult result(int number, ContinuationScores scores) {
    ProblemResult.Depth depth = ProblemResult.Depth.of(scores.recurrences());
    if (task.problems().get(number) instanceof Problem.Text(var where, var id, Prompt question)) {
      long bytes =
          question instanceof Prompt.Text(String text)
              ? text.getBytes(StandardCharsets.UTF_8).length
              : 0;
      return new ProblemResult.Text(
          number,
          depth,
          scores.logLikelihood(0),
          scores.logProbabilities().getFirst().size(),
          bytes);
    }
    List<Double> logLikelihoods = new ArrayList<>();
    for (int i = 0; i < scores.logProbabilities().size(); i++) {
      logLikelihoods.add(scores.logLikelihood(i));
    }
    return new ProblemResult.Choice(number, depth, logLikelihoods);
  }

  private void generate(
      EvaluationSettings settings,
      int batchSize,
      List<Integer> numbers,
      Consumer<ProblemResult> listener,
      Cancellation cancellation) {
    int samples = settings.samples();
    List<GenerationRequest> requests = new ArrayList<>();
    List<Samples> pending = new ArrayList<>();
    for (int number : numbers) {
      pending.add(new Samples(number, samples));
      for (int sample = 0; sample < samples; sample++) {
        requests.add(request(settings, number, sample));
      }
    }
    if (settings.decoding().strategy() == Strategy.sequential()) {
      Delivery delivery = new Delivery(listener, cancellation);
      delivery.require(
          model.generateAll(
              requests,
              batchSize,
              (result, index) ->
                  pending.get(index / samples).accept(index % samples, result, delivery),
              delivery.cancellation));
      return;
    }
    for (int i = 0; i < requests.size() && !cancellation.isCancelled(); i++) {
      GenerationResult result =
          model.generate(requests.get(i), GenerationListener.NONE, cancellation);
      if (result.finishReason() != FinishReason.CANCELLED) {
        pending.get(i / samples).accept(i % samples, result, listener);
      }
    }
  }

  private GenerationRequest request(EvaluationSettings settings, int number, int sample) {
    Problem.Answer problem = (Problem.Answer) task.problems().get(number);
    InitialState state = settings.initialState();
    long key = (long) sample << 32 | number;
    long seed =
        new SplittableRandom(settings.sampling().seed() * 0x9E3779B97F4A7C15L + key).nextLong();
    return GenerationRequest.builder(layouts.get(number).prompt)
        .maxTokens(problem.maxTokens().orElse(settings.maxTokens()))
        .recurrence(settings.recurrence())
        .initialState(new InitialState(state.scale(), state.seed() + sample))
        .sampling(settings.sampling().withSeed(seed))
        .stop(problem.stops().toArray(String[]::new))
        .decoding(settings.decoding())
        .build();
  }

  /** Hands results on. A listener that throws, as where it cannot write them, ends the run. */
  private static final class Delivery implements Consumer<ProblemResult> {
    private final Consumer<ProblemResult> listener;
    private final Cancellation cancellation;
    private RuntimeException failure;

    Delivery(Consumer<ProblemResult> listener, Cancellation cancellation) {
      this.listener = listener;
      this.cancellation = Cancellation.within(cancellation);
    }

    @Override
    public void accept(ProblemResult result) {
      try {
        listener.accept(result);
      } catch (RuntimeException e) {
        failure = e;
        cancellation.cancel();
        throw e;
      }
    }

    /** Throws what ended the run, or else what ended the first problem that failed. */
    void require(List<? extends Outcome<?>> outcomes) {
      if (failure != null) {
        throw failure;
      }
      for (Outcome<?> outcome : outcomes) {
        if (outcome.failure().isPresent()) {
          outcome.orElseThrow();
        }
      }
    }
  }

  /** The samples of one problem as they come, in any order. */
  private final class Samples {
    private final int number;
    private final String[] answers;
    private int missing;
    private ProblemResult.Depth depth = new ProblemResult.Depth(0, 0);

    Samples(int number, int samples) {
      this.number = number;
      this.answers = new String[samples];
      this.missing = samples;
    }

    void accept(int sample, GenerationResult result, Consumer<ProblemResult> listener) {
      Problem.Answer problem = (Problem.Answer) task.problems().get(number);
      answers[sample] = problem.read(result.text().orElseThrow());
      depth = depth.plus(ProblemResult.Depth.of(result.recurrences()));
      if (--missing == 0) {
        listener.accept(new ProblemResult.Answer(number, depth, List.of(answers)));
      }
    }
  }
}
