package dev.muninn;

import dev.muninn.backend.Backend;
import dev.muninn.backend.BackendException;
import dev.muninn.backend.Backends;
import dev.muninn.backend.ComputeDevice;
import dev.muninn.backend.DeviceLimits;
import dev.muninn.backend.InferenceException;
import dev.muninn.backend.KernelTime;
import dev.muninn.backend.OpeningTimes;
import dev.muninn.cache.KeyValueLayout;
import dev.muninn.cache.KeyValueType;
import dev.muninn.decode.Cancellation;
import dev.muninn.decode.InitialState;
import dev.muninn.family.ConfigReader;
import dev.muninn.family.ModelFamilies;
import dev.muninn.family.ModelFamily;
import dev.muninn.model.RecurrentModel;
import dev.muninn.serve.ContinuationScores;
import dev.muninn.serve.GenerationListener;
import dev.muninn.serve.GenerationRequest;
import dev.muninn.serve.GenerationResult;
import dev.muninn.serve.ModelService;
import dev.muninn.serve.Outcome;
import dev.muninn.serve.RequestRunner;
import dev.muninn.serve.Score;
import dev.muninn.serve.ScoreRequest;
import dev.muninn.serve.ServedModel;
import dev.muninn.serve.ServiceLoad;
import dev.muninn.serve.ServiceOptions;
import dev.muninn.serve.Submission;
import dev.muninn.text.ChatTemplate;
import dev.muninn.text.ChatTemplates;
import dev.muninn.text.Prompt;
import dev.muninn.text.StopTokens;
import dev.muninn.text.Tokenizer;
import dev.muninn.trace.Trace;
import dev.muninn.trace.TraceListener;
import dev.muninn.trace.TraceRequest;
import dev.muninn.trace.Tracer;
import dev.muninn.weights.Checkpoint;
import dev.muninn.weights.CheckpointException;
import dev.muninn.weights.JsonFile;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.function.Function;
import java.util.function.ObjIntConsumer;

/**
 * A recurrent-depth language model, open for use.
 *
 * <pre>{@code
 * try (LanguageModel model = LanguageModel.load(Path.of("huginn-0125"))) {
 *   GenerationRequest request =
 *       GenerationRequest.builder("The capital of Norway is").recurrence(32).build();
 *   model.generate(request, System.out::print);
 * }
 * }</pre>
 *
 * <p>Thread-safe: threads may share a model. Their generations are computed together, each call of
 * the recurrent block for all of them, as far as {@link ServiceOptions} allow; what is generated is
 * the same as alone. Requests begin in the order in which they were asked for. Speculative
 * decoding, parallel sampling and traces have the model for themselves in turn. A thread that waits
 * stops when its request is cancelled. An interrupt counts as a cancellation: the call returns what
 * it has, and the thread stays interrupted. {@link #close} waits for what is computed.
 *
 * <p>Listeners run on the thread that called, exit criteria on the one that computes; of what is
 * {@link #submit submitted}, both run there. What they throw ends their own request and no other.
 * They must not call the model, a session or a conversation of it, or close them: that is an {@link
 * IllegalStateException}, and the generation goes on if they catch it.
 */
public final class LanguageModel implements ModelService, AutoCloseable {
  private final Checkpoint checkpoint;
  private final Backend backend;
  private final RequestRunner runner;
  private final LoadTimings loadTimings;

  private LanguageModel(
      ServedModel model,
      Checkpoint checkpoint,
      Backend backend,
      ServiceOptions service,
      LoadTimings loadTimings) {
    this.checkpoint = checkpoint;
    this.backend = backend;
    this.runner = new RequestRunner(model, backend, checkpoint, service);
    this.loadTimings = loadTimings;
  }

  /**
   * Begins, on threads of its own, what every {@link #load} needs: the tokenizer's native library
   * and the reader of JSON. For a program that has other work to do first.
   */
  public static void prepare() {
    Tokenizer.prepare();
    Thread.ofPlatform()
        .daemon()
        .name("muninn-prepare")
        .start(() -> JsonFile.readObject("nothing", "{}"));
  }

  /**
   * Opens a model with a thread per physical core.
   *
   * @see #load(Path, LoadOptions)
   */
  public static LanguageModel load(Path directory) {
    return load(directory, LoadOptions.defaults());
  }

  /**
   * Opens a model: maps its weights, which are read in place, and loads its tokenizer if it has
   * one.
   *
   * @param directory config.json, model.safetensors or its shards, and usually tokenizer.json
   * @throws CheckpointException if the directory holds no model that can be run; one line says why
   * @throws IllegalArgumentException if there is no such device
   * @throws BackendException if the backend that was asked for is not there, or cannot run the
   *     model
   */
  public static LanguageModel load(Path directory, LoadOptions options) {
    final long began = System.nanoTime();
    if (Tokenizer.exists(directory)) {
      Tokenizer.prepare();
    }
    ConfigReader config = ConfigReader.of(directory);
    ModelFamilies.requireKnown(config);
    Checkpoint checkpoint = Checkpoint.open(directory);
    try {
      return checkpoint.guard(() -> open(directory, options, config, checkpoint, began));
    } catch (RuntimeException | Error e) {
      checkpoint.close();
      throw e;
    }
  }

  private static LanguageModel open(
      Path directory, LoadOptions options, ConfigReader config, Checkpoint checkpoint, long began) {
    Backend backend = null;
    Tokenizer tokenizer = null;
    try {
      ModelFamily family = ModelFamilies.choose(config, checkpoint::contains);
      RecurrentModel model = ModelFamilies.load(family, config, checkpoint);
      final long mapped = System.nanoTime();
      backend =
          Backends.open(model, checkpoint, options.threads(), options.backend(), options.device());
      final long opened = System.nanoTime();
      if (Tokenizer.exists(directory)) {
        tokenizer = Tokenizer.load(directory, model.vocabularySize());
      }
      StopTokens stopTokens =
          StopTokens.load(directory, tokenizer, model.vocabularySize(), family::correctStopTokens);
      final long tokenizing = System.nanoTime();
      backend.prepare();
      return new LanguageModel(
          new ServedModel(
              model,
              Optional.ofNullable(tokenizer),
              stopTokens,
              ChatTemplates.load(directory, family.chatTemplate()),
              KeyValueType.forWeights(model.coreFormat()),
              checkpoint.directory()),
          checkpoint,
          backend,
          options.service(),
          new LoadTimings(
              began,
              mapped - began,
              tokenizing - opened,
              opened - mapped + System.nanoTime() - tokenizing));
    } catch (RuntimeException | Error e) {
      if (tokenizer != null) {
        tokenizer.close();
      }
      if (backend != null) {
        backend.close();
      }
      throw e;
    }
  }

  /** What the model is: its shape, its blocks, its weights in place. */
  @Override
  public RecurrentModel architecture() {
    return runner.model().architecture();
  }

  /** How conversations are laid out for the model. */
  public ChatTemplate chatTemplate() {
    return runner.model().chatTemplate();
  }

  /** Empty if the model directory has no tokenizer.json: prompts are then tokens. */
  @Override
  public Optional<Tokenizer> tokenizer() {
    return runner.model().tokenizer();
  }

  @Override
  public Checkpoint checkpoint() {
    return checkpoint;
  }

  /** How long {@link #load} took. */
  public LoadTimings loadTimings() {
    return loadTimings;
  }

  /** Nanoseconds that {@link #load} took. */
  public long loadNanos() {
    return loadTimings.totalNanos();
  }

  /** The device that computes. */
  public ComputeDevice device() {
    return backend.device();
  }

  /** What computes: backend, instruction set or device, threads. */
  public String backendName() {
    return backend.description();
  }

  /** What opening the device took, where kernels and weights were sent to one. */
  public Optional<OpeningTimes> openingTimes() {
    return backend.openingTimes();
  }

  /**
   * Measures what the device reaches by itself, for some seconds in which the model computes
   * nothing else.
   *
   * @throws CancellationException if the thread is interrupted
   */
  public DeviceLimits measureLimits() {
    return alone(Backend::measureLimits);
  }

  /**
   * Times each of the device's kernels by itself; none where kernels do not stand alone.
   *
   * @param rows numbers of rows to call them with, each up to 256
   * @throws CancellationException if the thread is interrupted
   */
  public List<KernelTime> measureKernels(List<Integer> rows) {
    return alone(backend -> backend.measureKernels(rows));
  }

  private <T> T alone(Function<Backend, T> measurement) {
    return runner
        .compute(
            RequestRunner.stopped(new Cancellation()),
            (backend, stopped) -> measurement.apply(backend))
        .orElseThrow(CancellationException::new);
  }

  /** Generates without listening. */
  public GenerationResult generate(GenerationRequest request) {
    return generate(request, GenerationListener.NONE);
  }

  /** Generates; the listener hears the text as it is made. */
  public GenerationResult generate(GenerationRequest request, GenerationListener listener) {
    return generate(request, listener, new Cancellation());
  }

  @Override
  public GenerationResult generate(
      GenerationRequest request, GenerationListener listener, Cancellation cancellation) {
    return runner.generate(Optional.empty(), request, listener, cancellation);
  }

  /**
   * Asks for a text and does not wait for it.
   *
   * @param listener hears of it on the thread that computes, which it must not hold up
   * @throws IllegalArgumentException if the request does not fit the model, is not for sequential
   *     decoding, or needs more memory for keys and values than {@link ServiceOptions} allow
   * @throws dev.muninn.serve.QueueFullException if too many requests wait
   * @throws IllegalStateException if the model is closed, or takes no more requests
   */
  public Submission<GenerationResult> submit(
      GenerationRequest request, GenerationListener listener) {
    return runner.submit(request, listener);
  }

  /**
   * Asks for scores and does not wait for them.
   *
   * @throws IllegalArgumentException if the request does not fit the model, or needs more memory
   *     for keys and values than {@link ServiceOptions} allow
   * @throws dev.muninn.serve.QueueFullException if too many requests wait
   * @throws IllegalStateException if the model is closed, or takes no more requests
   */
  public Submission<ContinuationScores> submit(ScoreRequest request) {
    return runner.submit(request);
  }

  /** What the model is doing. */
  public ServiceLoad serviceLoad() {
    return runner.load();
  }

  /**
   * Takes no more requests, and waits for the end of those that there are.
   *
   * @param limit what has not ended by then is cancelled
   */
  public void drain(Duration limit) throws InterruptedException {
    runner.drain(limit);
  }

  /** Opens a session: what it generated is kept, for prompts that go on from there. */
  public Session openSession() {
    return new Session(runner);
  }

  @Override
  public List<Outcome<GenerationResult>> generateAll(
      List<GenerationRequest> requests,
      int batchSize,
      ObjIntConsumer<GenerationResult> listener,
      Cancellation cancellation) {
    return runner.generateAll(requests, batchSize, listener, cancellation);
  }

  /**
   * The tokens of a prompt, as the model sees them.
   *
   * @throws IllegalArgumentException if there are none, one is outside the vocabulary, or a text
   *     has no tokenizer
   * @throws CheckpointException if the model knows no conversations
   */
  public int[] tokens(Prompt prompt) {
    return runner.model().tokens(prompt);
  }

  /**
   * Refuses a prompt that the model's context has no room for.
   *
   * @throws IllegalArgumentException if it is too long
   */
  public void requireFit(int promptTokens) {
    runner.model().requireFits(promptTokens);
  }

  /** Refuses what {@link #generateAll} would refuse, by the same exception. Computes nothing. */
  public void requireFit(GenerationRequest request) {
    runner.model().requireFit(request);
  }

  /** Refuses what {@link #scoreAll} would refuse, by the same exception. Computes nothing. */
  public void requireFit(ScoreRequest request) {
    runner.model().requireFit(request);
  }

  /**
   * Scores a text: the log-probability of each of its tokens given those before it.
   *
   * @param recurrence applications of the recurrent block, or {@link
   *     GenerationRequest#MODEL_DEFAULT}
   * @throws IllegalArgumentException if the text has fewer than two tokens or does not fit the
   *     model
   * @throws InferenceException if the model computes logits that are NaN
   * @throws CancellationException if the thread is interrupted
   */
  public Score score(Prompt prompt, int recurrence, InitialState initialState) {
    return runner.score(prompt, recurrence, initialState);
  }

  @Override
  public List<Outcome<ContinuationScores>> scoreAll(
      List<ScoreRequest> requests,
      int batchSize,
      ObjIntConsumer<ContinuationScores> listener,
      Cancellation cancellation) {
    return runner.scoreAll(requests, batchSize, listener, cancellation);
  }

  /**
   * Traces a prompt: its latent states at every recurrence, and what the model would say there.
   *
   * @param latents the safetensors file that the states are written to as they are computed
   * @param listener hears how far it is
   * @return empty if it was cancelled; there is no file then
   * @throws IllegalArgumentException if the request does not fit the model
   * @throws InferenceException if the model computes states or logits that are NaN
   * @throws CheckpointException if the model's files changed after they were mapped, or if the file
   *     cannot be written
   */
  public Optional<Trace> trace(
      TraceRequest request, Path latents, TraceListener listener, Cancellation cancellation) {
    ServedModel model = runner.model();
    int[] tokens = model.tokens(request.prompt());
    model.requireFits(tokens.length);
    KeyValueLayout layout =
        model.layout(
            request.decoding(),
            model.recurrence(request.recurrence()),
            tokens.length,
            model.keyValueType());
    return runner
        .compute(
            RequestRunner.stopped(cancellation),
            (backend, stopped) ->
                Tracer.run(backend, layout, tokens, request, latents, listener, stopped))
        .flatMap(Function.identity());
  }

  /**
   * Waits for what is computed, then frees threads and unmaps the weights. Requests that still wait
   * are refused.
   *
   * @throws IllegalStateException if a listener of this model calls it
   */
  @Override
  public void close() {
    runner.close();
  }
}
