package dev.muninn.serve;

import dev.muninn.backend.Backend;
import dev.muninn.backend.InferenceException;
import dev.muninn.decode.Cancellation;
import dev.muninn.decode.Decoders;
import dev.muninn.decode.DecodingOptions;
import dev.muninn.decode.InitialState;
import dev.muninn.decode.Strategy;
import dev.muninn.text.Prompt;
import dev.muninn.text.Tokenizer;
import dev.muninn.weights.Checkpoint;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.function.BiFunction;
import java.util.function.BooleanSupplier;
import java.util.function.IntFunction;
import java.util.function.ObjIntConsumer;

/**
 * Computes requests to one model, each with all of the model's threads. Those that are decoded
 * position by position share the calls of the recurrent block; others, and traces, have the model
 * for themselves in turn. A caller who waits stops as soon as it is cancelled or interrupted.
 * Listeners run on the caller's thread, or, of what is submitted, on the thread that computes; they
 * must not wait for the model. Thread-safe.
 */
public final class RequestRunner implements AutoCloseable {
  private final ServedModel model;
  private final Backend backend;
  private final Checkpoint checkpoint;
  private final ServiceOptions options;
  private final Owner owner;

  /**
   * A runner.
   *
   * @param model its tokenizer is closed with the runner
   * @param backend computes the model; closed with the runner
   * @param checkpoint the model's files, looked at before each request; closed with the runner
   */
  public RequestRunner(
      ServedModel model, Backend backend, Checkpoint checkpoint, ServiceOptions options) {
    this.model = model;
    this.backend = backend;
    this.checkpoint = checkpoint;
    this.options = options;
    this.owner = new Owner(model, backend, checkpoint, options);
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
    if (session.isPresent() && !session.get().lock(stopped)) {
      return TextGeneration.cancelled(model, prompt);
    }
    try {
      return request.decoding().strategy() == Strategy.sequential()
          ? generateBesideOthers(session, request, prompt, listener, stopped)
          : generateAlone(session, request, prompt, listener, stopped);
    } finally {
      session.ifPresent(SessionCache::unlock);
    }
  }

  private GenerationResult generateBesideOthers(
      Optional<SessionCache> session,
      GenerationRequest request,
      int[] prompt,
      GenerationListener listener,
      BooleanSupplier stopped) {
    TextGeneration[] generation = new TextGeneration[1];
    try (Client client = new Client(owner, stopped)) {
      generation[0] =
          new TextGeneration(
              model,
              request,
              prompt,
              session,
              false,
              client.listener(listener, () -> generation[0]),
              result -> {});
      client.submit(generation[0]);
      while (client.pending() > 0) {
        client.await();
      }
    }
    Outcome<GenerationResult> outcome = generation[0].outcome();
    return outcome.isEmpty() && outcome.failure().isEmpty()
        ? TextGeneration.cancelled(model, prompt)
        : outcome.orElseThrow();
  }

  private GenerationResult generateAlone(
      Optional<SessionCache> session,
      GenerationRequest request,
      int[] prompt,
      GenerationListener listener,
      BooleanSupplier stopped) {
    return owner
        .exclusively(
            stopped,
            () -> {
              TextGeneration generation =
                  new TextGeneration(
                      model, request, prompt, session, false, listener, result -> {});
              owner.requireFits(generation);
              generation.prepare(backend, null);
              generation.begun();
              Decoders.run(backend, generation.task(), watched(stopped));
              return generation.outcome().orElseThrow();
            })
        .orElseGet(() -> TextGeneration.cancelled(model, prompt));
  }

  /**
   * Asks for a text and does not wait for it.
   *
   * @param listener hears of it on the thread that computes, which it must not hold up
   * @throws IllegalArgumentException if the request does not fit the model, is not for sequential
   *     decoding, or needs more memory for keys and values than there may be
   * @throws QueueFullException if too many requests wait
   * @throws IllegalStateException if the model is closed, or takes no more requests
   */
  public Submission<GenerationResult> submit(
      GenerationRequest request, GenerationListener listener) {
    owner.requireOpen();
    DecodingOptions decoding = request.decoding();
    if (decoding.strategy() != Strategy.sequential()) {
      throw new IllegalArgumentException("what is submitted is decoded position by position");
    }
    TextGeneration generation =
        new TextGeneration(
            model,
            request,
            TextGeneration.check(model, request),
            Optional.empty(),
            options.reuses(decoding),
            listener,
            result -> {});
    owner.enqueue(generation, true, false);
    return new Submission<>(owner, generation, generation::outcome);
  }

  /**
   * Asks for scores and does not wait for them.
   *
   * @throws IllegalArgumentException if the request does not fit the model, or needs more memory
   *     for keys and values than there may be
   * @throws QueueFullException if too many requests wait
   * @throws IllegalStateException if the model is closed, or takes no more requests
   */
  public Submission<ContinuationScores> submit(ScoreRequest request) {
    owner.requireOpen();
    ContinuationScorer scorer = new ContinuationScorer(model, request, scores -> {});
    owner.enqueue(scorer, true, false);
    return new Submission<>(owner, scorer, scorer::outcome);
  }

  /** What the model is doing. */
  public ServiceLoad load() {
    return owner.load();
  }

  /**
   * Takes no more requests, and waits for the end of those that there are.
   *
   * @param limit what has not ended by then is cancelled
   */
  public void drain(Duration limit) throws InterruptedException {
    owner.drain(limit);
  }

  /** As {@link ModelService#generateAll}. */
  public List<Outcome<GenerationResult>> generateAll(
      List<GenerationRequest> requests,
      int batchSize,
      ObjIntConsumer<GenerationResult> listener,
      Cancellation cancellation) {
    requireCallable();
    requireBatch(batchSize);
    List<int[]> prompts = new ArrayList<>();
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
    }
    TextGeneration[] generations = new TextGeneration[requests.size()];
    BooleanSupplier stopped = stopped(cancellation);
    try (Client client = new Client(owner, stopped)) {
      runAll(
          client,
          generations.length,
          i -> {
            generations[i] =
                new TextGeneration(
                    model,
                    requests.get(i),
                    prompts.get(i),
                    Optional.empty(),
                    false,
                    GenerationListener.NONE,
                    client.consumer(result -> listener.accept(result, i), () -> generations[i]));
            return generations[i];
          },
          batchSize);
    }
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
    requireBatch(batchSize);
    List<ContinuationScorer> scorers = new ArrayList<>();
    try (Client client = new Client(owner, stopped(cancellation))) {
      for (int i = 0; i < requests.size(); i++) {
        int index = i;
        try {
          scorers.add(
              new ContinuationScorer(
                  model,
                  requests.get(i),
                  client.consumer(
                      result -> listener.accept(result, index), () -> scorers.get(index))));
        } catch (IllegalArgumentException e) {
          throw new UnfitRequestException("context", i, e);
        }
      }
      runAll(client, scorers.size(), scorers::get, batchSize);
    }
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

  private static void requireBatch(int batchSize) {
    if (batchSize < 1) {
      throw new IllegalArgumentException("batch size must be at least 1, not " + batchSize);
    }
  }

  /** Computes jobs, each as soon as there is a place for it. */
  private static void runAll(
      Client client, int count, IntFunction<? extends Job> jobs, int batchSize) {
    int next = 0;
    while (client.pending() > 0 || next < count && !client.isStopped()) {
      while (next < count && client.pending() < batchSize && !client.isStopped()) {
        Job job = jobs.apply(next++);
        job.setMostBeside(batchSize);
        client.submit(job);
      }
      client.await();
    }
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
    return owner.exclusively(stopped, () -> computation.apply(backend, watched(stopped)));
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

  private void requireCallable() {
    owner.requireOutside();
    owner.requireOpen();
  }

  /** Frees what a session keeps, when nothing of it is computed. */
  public void forget(SessionCache session) {
    whenIdle(session, session::forget);
  }

  /** Closes a session, when nothing of it is computed. */
  public void close(SessionCache session) {
    whenIdle(session, session::close);
  }

  private void whenIdle(SessionCache session, Runnable action) {
    owner.requireOutside();
    session.lock();
    try {
      owner.betweenForwards(action);
    } finally {
      session.unlock();
    }
  }

  /**
   * Waits for what is computed, then closes the backend, the tokenizer and the model's files.
   * Requests that still wait are refused.
   *
   * @throws IllegalStateException if it is called by a listener of the model's own
   */
  @Override
  public void close() {
    owner.close(() -> {
      backend.close();
      model.tokenizer().ifPresent(Tokenizer::close);
      checkpoint.close();
    });
  }
}
