package dev.muninn.serve;

import dev.muninn.backend.Backend;
import dev.muninn.backend.InferenceException;
import dev.muninn.decode.Cancellation;
import dev.muninn.decode.Decoders;
import dev.muninn.decode.DecodingOptions;
import dev.muninn.decode.InitialState;
import dev.muninn.decode.Scheduler;
import dev.muninn.decode.SequenceTask;
import dev.muninn.decode.Strategy;
import dev.muninn.text.Prompt;
import dev.muninn.text.Tokenizer;
import dev.muninn.weights.Checkpoint;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.function.BiFunction;
import java.util.function.BooleanSupplier;
import java.util.function.IntFunction;
import java.util.function.ObjIntConsumer;
import java.util.function.Supplier;

/**
 * Computes requests to one model, one call after the other in the order in which they came, each
 * with all of the model's threads. A caller whose turn has not come stops waiting as soon as it is
 * cancelled or interrupted. Listeners run on the caller's thread, and must not call the model.
 * Thread-safe.
 */
public final class RequestRunner implements AutoCloseable {
  private final ServedModel model;
  private final Backend backend;
  private final Checkpoint checkpoint;
  private final Turns turns = new Turns();
  private volatile boolean closed;

  /**
   * A runner.
   *
   * @param model its tokenizer is closed with the runner
   * @param backend computes the model; closed with the runner
   * @param checkpoint the model's files, looked at before each request; closed with the runner
   */
  public RequestRunner(ServedModel model, Backend backend, Checkpoint checkpoint) {
    this.model = model;
    this.backend = backend;
    this.checkpoint = checkpoint;
  }

  /** What requests are checked against. */
  public ServedModel model() {
    return model;
  }

  /**
   * Generates one text.
   *
   * @param session keys and values to go on from; empty to begin anew
   * @throws IllegalArgumentException if the request does not fit the model
   * @throws IllegalStateException if the model is closed, or is called by a listener of its own
   * @throws InferenceException if the model computes logits that are NaN
   */
  public GenerationResult generate(
      Optional<SessionCache> session,
      GenerationRequest request,
      GenerationListener listener,
      Cancellation cancellation) {
    requireCallable();
    session.ifPresent(SessionCache::requireOpen);
    int[] prompt = TextGeneration.check(model, request);
    BooleanSupplier stopped = stopped(cancellation);
    return inTurn(
            stopped,
            () -> {
              TextGeneration generation =
                  new TextGeneration(
                      model, request, prompt, session.isPresent(), listener, result -> {});
              session.ifPresent(cache -> generation.continueFrom(cache, backend));
              listener.onPrompt(prompt.clone());
              generation.begun();
              Decoders.run(backend, generation.task(), watched(stopped));
              return generation.outcome().orElseThrow();
            })
        .orElseGet(() -> TextGeneration.cancelled(model, prompt));
  }

  /** As {@link ModelService#generateAll}. */
  public List<Outcome<GenerationResult>> generateAll(
      List<GenerationRequest> requests,
      int batchSize,
      ObjIntConsumer<GenerationResult> listener,
      Cancellation cancellation) {
    requireCallable();
    List<int[]> prompts = new ArrayList<>();
    int rows = 1;
    for (int i = 0; i < requests.size(); i++) {
      GenerationRequest request = requests.get(i);
      if (request.decoding().strategy() != Strategy.sequential()) {
        throw new IllegalArgumentException("a batch decodes each sequence position by position");
      }
      try {
        prompts.add(TextGeneration.check(model, request));
      } catch (IllegalArgumentException e) {
        throw new UnfitRequestException("prompt", i, e);
      }
      rows = Math.max(rows, Scheduler.promptRows(prompts.get(i).length, request.decoding().exit()));
    }
    TextGeneration[] generations = new TextGeneration[requests.size()];
    runAll(
        generations.length,
        i -> {
          generations[i] =
              new TextGeneration(
                  model,
                  requests.get(i),
                  prompts.get(i),
                  false,
                  GenerationListener.NONE,
                  result -> listener.accept(result, i));
          return generations[i].task();
        },
        batchSize,
        rows,
        stopped(cancellation));
    List<Outcome<GenerationResult>> outcomes = new ArrayList<>();
    for (TextGeneration generation : generations) {
      outcomes.add(generation == null ? Outcome.none() : generation.outcome());
    }
    return outcomes;
  }

  /** As {@link ModelService#scoreAll}. */
  public List<Outcome<ContinuationScores>> scoreAll(
      List<ScoreRequest> requests,
      int batchSize,
      ObjIntConsumer<ContinuationScores> listener,
      Cancellation cancellation) {
    requireCallable();
    List<ContinuationScorer> scorers = new ArrayList<>();
    int rows = 1;
    for (int i = 0; i < requests.size(); i++) {
      int index = i;
      try {
        scorers.add(
            new ContinuationScorer(
                model, requests.get(i), result -> listener.accept(result, index)));
      } catch (IllegalArgumentException e) {
        throw new UnfitRequestException("context", i, e);
      }
      rows = Math.max(rows, Scheduler.rows(scorers.get(i).task()));
    }
    runAll(scorers.size(), i -> scorers.get(i).task(), batchSize, rows, stopped(cancellation));
    return scorers.stream().map(ContinuationScorer::outcome).toList();
  }

  /**
   * Scores a text: the log-probability of each of its tokens given those before it.
   *
   * @throws IllegalArgumentException if the text has fewer than two tokens or does not fit the
   *     model
   * @throws InferenceException if the model computes logits that are NaN
   * @throws CancellationException if the thread is interrupted
   */
  public Score score(Prompt prompt, int recurrence, InitialState initialState) {
    requireCallable();
    int[] tokens = model.tokens(prompt);
    if (tokens.length < 2) {
      throw new IllegalArgumentException("a text to score needs at least 2 tokens, not 1");
    }
    ScoreRequest request =
        new ScoreRequest(
            new Prompt.Tokens(tokens[0]),
            List.of(new Prompt.Tokens(Arrays.copyOfRange(tokens, 1, tokens.length))),
            recurrence,
            initialState,
            DecodingOptions.defaults());
    Outcome<ContinuationScores> outcome =
        scoreAll(List.of(request), 1, (scores, index) -> {}, new Cancellation()).getFirst();
    if (outcome.isEmpty() && outcome.failure().isEmpty()) {
      throw new CancellationException("interrupted before the text was scored");
    }
    return new Score(
        Arrays.stream(tokens).boxed().toList(),
        outcome.orElseThrow().logProbabilities().getFirst());
  }

  /** Decodes tasks, each as soon as there is a place for it. */
  private void runAll(
      int count,
      IntFunction<SequenceTask> tasks,
      int batchSize,
      int rows,
      BooleanSupplier stopped) {
    inTurn(
        stopped,
        () -> {
          int places = Math.min(batchSize, Math.max(1, count));
          try (Scheduler scheduler = new Scheduler(backend, model.architecture(), places, rows)) {
            BooleanSupplier watched = watched(stopped);
            int next = 0;
            boolean more = true;
            while (more && !watched.getAsBoolean()) {
              while (next < count && scheduler.hasRoom()) {
                scheduler.add(tasks.apply(next++));
              }
              more = scheduler.step() || next < count;
            }
          }
          return true;
        });
  }

  /**
   * Computes something else with the model, when it is the caller's turn.
   *
   * @param stopped whether the caller no longer wants it; asked while it waits
   * @param computation gets the backend, and whether to stop, to be asked between forwards
   * @return empty if the caller stopped waiting
   */
  public <T> Optional<T> compute(
      BooleanSupplier stopped, BiFunction<Backend, BooleanSupplier, T> computation) {
    requireCallable();
    return inTurn(stopped, () -> computation.apply(backend, watched(stopped)));
  }

  /** Also notices, between forwards, that the weights were changed. */
  private BooleanSupplier watched(BooleanSupplier stopped) {
    return () -> {
      checkpoint.watch();
      return stopped.getAsBoolean();
    };
  }

  /** What ends a computation: its cancellation, or an interrupt of the thread. */
  public static BooleanSupplier stopped(Cancellation cancellation) {
    Thread caller = Thread.currentThread();
    return () -> cancellation.isCancelled() || caller.isInterrupted();
  }

  private <T> Optional<T> inTurn(BooleanSupplier stopped, Supplier<T> computation) {
    if (!turns.begin(stopped)) {
      return Optional.empty();
    }
    try {
      requireOpen();
      checkpoint.verifyUnchanged();
      return Optional.of(computation.get());
    } catch (InternalError e) {
      // A file that shrank under the map becomes the error that it is.
      checkpoint.verifyUnchanged();
      throw e;
    } finally {
      turns.end();
    }
  }

  private void requireCallable() {
    turns.requireOutside();
    requireOpen();
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("the model is closed");
    }
  }

  /** Frees what a session keeps, when nothing is computed. */
  public void forget(SessionCache session) {
    whenIdle(session::forget);
  }

  /** Closes a session, when nothing is computed. */
  public void close(SessionCache session) {
    whenIdle(session::close);
  }

  private void whenIdle(Runnable action) {
    turns.beginInAnyCase();
    try {
      action.run();
    } finally {
      turns.end();
    }
  }

  /**
   * Waits for the running request, then closes the backend, the tokenizer and the model's files.
   * Requests that still wait are refused.
   *
   * @throws IllegalStateException if it is called by a listener of the model's own
   */
  @Override
  public void close() {
    whenIdle(() -> {
      if (!closed) {
        closed = true;
        backend.close();
        model.tokenizer().ifPresent(Tokenizer::close);
        checkpoint.close();
      }
    });
  }
}
