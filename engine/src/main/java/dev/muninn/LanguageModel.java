package dev.muninn;

import dev.muninn.backend.Backend;
import dev.muninn.backend.BackendException;
import dev.muninn.backend.Backends;
import dev.muninn.backend.ComputeDevice;
import dev.muninn.backend.InferenceException;
import dev.muninn.cache.KeyValueLayout;
import dev.muninn.cache.KeyValueType;
import dev.muninn.decode.Cancellation;
import dev.muninn.decode.Decoders;
import dev.muninn.decode.DecodingOptions;
import dev.muninn.decode.InitialState;
import dev.muninn.decode.Sampler;
import dev.muninn.decode.Scheduler;
import dev.muninn.decode.SequenceTask;
import dev.muninn.decode.Strategy;
import dev.muninn.decode.TokenSink;
import dev.muninn.family.ConfigReader;
import dev.muninn.family.ModelFamilies;
import dev.muninn.model.RecurrentModel;
import dev.muninn.serve.ContinuationScores;
import dev.muninn.serve.FinishReason;
import dev.muninn.serve.GenerationListener;
import dev.muninn.serve.GenerationRequest;
import dev.muninn.serve.GenerationResult;
import dev.muninn.serve.ModelService;
import dev.muninn.serve.Score;
import dev.muninn.serve.ScoreRequest;
import dev.muninn.serve.Timings;
import dev.muninn.serve.UnfitRequestException;
import dev.muninn.text.ChatFormat;
import dev.muninn.text.Prompt;
import dev.muninn.text.StopStrings;
import dev.muninn.text.StopTokens;
import dev.muninn.text.TextStream;
import dev.muninn.text.Tokenizer;
import dev.muninn.trace.Trace;
import dev.muninn.trace.TraceListener;
import dev.muninn.trace.TraceRequest;
import dev.muninn.trace.Tracer;
import dev.muninn.weights.Checkpoint;
import dev.muninn.weights.CheckpointException;
import dev.muninn.weights.JsonFile;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.ObjIntConsumer;
import java.util.function.Supplier;

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
 * <p>Thread-safe: threads may share a model; its generations run one after another, each with all
 * of the model's threads. {@link #close} waits for the running one.
 */
public final class LanguageModel implements ModelService, AutoCloseable {
  private final RecurrentModel model;
  private final Checkpoint checkpoint;
  private final Tokenizer tokenizer;
  private final StopTokens stopTokens;
  private final Backend backend;
  private final KeyValueType keyValueType;
  private final LoadTimings loadTimings;
  private final ReentrantLock lock = new ReentrantLock();
  private boolean closed;

  private LanguageModel(
      RecurrentModel model,
      Checkpoint checkpoint,
      Tokenizer tokenizer,
      StopTokens stopTokens,
      Backend backend,
      KeyValueType keyValueType,
      LoadTimings loadTimings) {
    this.model = model;
    this.checkpoint = checkpoint;
    this.tokenizer = tokenizer;
    this.stopTokens = stopTokens;
    this.backend = backend;
    this.keyValueType = keyValueType;
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
    boolean hasTokenizer = Tokenizer.exists(directory);
    if (hasTokenizer) {
      Tokenizer.prepare();
    }
    ConfigReader config = ConfigReader.of(directory);
    Checkpoint checkpoint = Checkpoint.open(directory);
    Backend backend = null;
    Tokenizer tokenizer = null;
    try {
      RecurrentModel model = ModelFamilies.load(config, checkpoint);
      final long mapped = System.nanoTime();
      backend =
          Backends.open(model, checkpoint, options.threads(), options.backend(), options.device());
      final long opened = System.nanoTime();
      if (hasTokenizer) {
        tokenizer = Tokenizer.load(directory, model.vocabularySize());
      }
      StopTokens stopTokens = StopTokens.load(directory, tokenizer, model.vocabularySize());
      final long tokenizing = System.nanoTime();
      backend.prepare();
      return new LanguageModel(
          model,
          checkpoint,
          tokenizer,
          stopTokens,
          backend,
          KeyValueType.forWeights(model.coreType()),
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
      checkpoint.close();
      throw e;
    }
  }

  /** What the model is: its shape, its blocks, its weights in place. */
  @Override
  public RecurrentModel architecture() {
    return model;
  }

  /** Empty if the model directory has no tokenizer.json: prompts are then tokens. */
  @Override
  public Optional<Tokenizer> tokenizer() {
    return Optional.ofNullable(tokenizer);
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

  /** Generates without listening. */
  public GenerationResult generate(GenerationRequest request) {
    return generate(request, GenerationListener.NONE);
  }

  /** Generates; the listener hears the text as it is made. */
  public GenerationResult generate(GenerationRequest request, GenerationListener listener) {
    return generate(request, listener, new Cancellation());
  }

  /**
   * Generates until an end-of-sequence token, a stop string, the most tokens asked for, the end of
   * the context, or until it is cancelled.
   *
   * @throws IllegalArgumentException if the request does not fit the model: a prompt longer than
   *     the context, a token beyond the vocabulary, a text without a tokenizer
   * @throws InferenceException if the model computes logits that are no numbers
   * @throws CheckpointException if the model's files changed after they were mapped
   */
  @Override
  public GenerationResult generate(
      GenerationRequest request, GenerationListener listener, Cancellation cancellation) {
    return generate(null, request, listener, cancellation);
  }

  /** Generates, from what a session keeps if there is one. */
  GenerationResult generate(
      Session session,
      GenerationRequest request,
      GenerationListener listener,
      Cancellation cancellation) {
    lock.lock();
    try {
      requireOpen();
      checkpoint.verifyUnchanged();
      Generation generation = new Generation(session, request, listener);
      listener.onPrompt(generation.prompt.clone());
      generation.begun();
      guarded(() -> Decoders.run(backend, generation.task, () -> stops(cancellation)));
      return generation.result();
    } finally {
      lock.unlock();
    }
  }

  /** Opens a session: what it generated is kept, for prompts that go on from there. */
  public Session openSession() {
    return new Session(this);
  }

  /**
   * Generates for many prompts, several at a time: each application of the recurrent block carries
   * the rows of all of them. What a prompt becomes is the same as alone.
   *
   * @param requests of sequential decoding
   * @param batchSize most sequences in flight, at least 1
   * @param listener gets each result as it is made, by the request's index, in any order
   * @return the results by request; those not begun before a cancellation are missing
   * @throws UnfitRequestException if a request does not fit the model; none is then computed
   */
  @Override
  public List<Optional<GenerationResult>> generateAll(
      List<GenerationRequest> requests,
      int batchSize,
      ObjIntConsumer<GenerationResult> listener,
      Cancellation cancellation) {
    lock.lock();
    try {
      requireOpen();
      checkpoint.verifyUnchanged();
      List<Generation> generations = new ArrayList<>();
      List<SequenceTask> tasks = new ArrayList<>();
      for (int i = 0; i < requests.size(); i++) {
        GenerationRequest request = requests.get(i);
        if (request.decoding().strategy() != Strategy.sequential()) {
          throw new IllegalArgumentException("a batch decodes each sequence position by position");
        }
        int index = i;
        Generation generation;
        try {
          generation = new Generation(null, request, GenerationListener.NONE);
        } catch (IllegalArgumentException e) {
          throw new UnfitRequestException("prompt", i, e);
        }
        generation.whenEnded = () -> listener.accept(generation.result(), index);
        generations.add(generation);
        tasks.add(generation.task);
      }
      runAll(tasks, batchSize, cancellation);
      List<Optional<GenerationResult>> results = new ArrayList<>();
      for (Generation generation : generations) {
        results.add(generation.began == 0 ? Optional.empty() : Optional.of(generation.result()));
      }
      return results;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Refuses what {@link #generateAll} would refuse. Computes nothing.
   *
   * @throws IllegalArgumentException if the request does not fit the model
   */
  public void requireFit(GenerationRequest request) {
    new Generation(null, request, GenerationListener.NONE);
  }

  /**
   * Refuses what {@link #scoreAll} would refuse. Computes nothing.
   *
   * @throws IllegalArgumentException if the request does not fit the model
   */
  public void requireFit(ScoreRequest request) {
    new Scoring(request);
  }

  private void runAll(List<SequenceTask> tasks, int batchSize, Cancellation cancellation) {
    int most = 1;
    for (SequenceTask task : tasks) {
      most = Math.max(most, Scheduler.rows(task));
    }
    int rows = most;
    guarded(() -> {
      try (Scheduler scheduler =
          new Scheduler(backend, model, Math.min(batchSize, Math.max(1, tasks.size())), rows)) {
        for (SequenceTask task : tasks) {
          scheduler.add(task);
        }
        boolean more = true;
        while (more && !stops(cancellation)) {
          more = scheduler.step();
        }
      }
    });
  }

  /** Runs what reads the weights; a file that shrank under the map becomes the error it is. */
  private void guarded(Runnable computation) {
    guarded(() -> {
      computation.run();
      return null;
    });
  }

  /** Asked between forwards, where it also notices that the weights were changed. */
  private boolean stops(Cancellation cancellation) {
    checkpoint.watch();
    return cancellation.isCancelled();
  }

  private <T> T guarded(Supplier<T> computation) {
    try {
      return computation.get();
    } catch (InternalError e) {
      checkpoint.verifyUnchanged();
      throw e;
    }
  }

  /**
   * Scores a text: the log-probability of each of its tokens given those before it.
   *
   * @param recurrence applications of the recurrent block, or {@link
   *     GenerationRequest#MODEL_DEFAULT}
   * @throws IllegalArgumentException if the text has fewer than two tokens or does not fit the
   *     model
   * @throws InferenceException if the model computes logits that are no numbers
   */
  public Score score(Prompt prompt, int recurrence, InitialState initialState) {
    lock.lock();
    try {
      requireOpen();
      checkpoint.verifyUnchanged();
      int[] tokens = tokens(prompt);
      if (tokens.length < 2) {
        throw new IllegalArgumentException("a text to score needs at least 2 tokens, not 1");
      }
      int[] first = {tokens[0]};
      int[] others = Arrays.copyOfRange(tokens, 1, tokens.length);
      Scoring scoring =
          new Scoring(
              new ScoreRequest(
                  new Prompt.Tokens(first),
                  List.of(new Prompt.Tokens(others)),
                  recurrence,
                  initialState,
                  DecodingOptions.defaults()));
      runAll(List.of(scoring.task), 1, new Cancellation());
      return new Score(boxed(tokens), scoring.result().logProbabilities().getFirst());
    } finally {
      lock.unlock();
    }
  }

  /**
   * Scores continuations of contexts, several contexts at a time: each application of the recurrent
   * block carries the rows of all of them. A context is computed once, and its continuations read
   * its keys and values. What a continuation scores is the same as alone, and without exits, cache
   * policies and warm starts the same as in {@link #score}, to the last bit.
   *
   * @param requests of sequential decoding
   * @param batchSize most contexts in flight, at least 1
   * @param listener gets each result as it is made, by the request's index, in any order
   * @return the results by request; those not ended before a cancellation are missing
   * @throws UnfitRequestException if a request does not fit the model; none is then computed
   * @throws InferenceException if the model computes logits that are no numbers
   */
  @Override
  public List<Optional<ContinuationScores>> scoreAll(
      List<ScoreRequest> requests,
      int batchSize,
      ObjIntConsumer<ContinuationScores> listener,
      Cancellation cancellation) {
    lock.lock();
    try {
      requireOpen();
      checkpoint.verifyUnchanged();
      List<Scoring> scorings = new ArrayList<>();
      List<SequenceTask> tasks = new ArrayList<>();
      for (int i = 0; i < requests.size(); i++) {
        int index = i;
        Scoring scoring;
        try {
          scoring = new Scoring(requests.get(i));
        } catch (IllegalArgumentException e) {
          throw new UnfitRequestException("context", i, e);
        }
        scoring.whenEnded = () -> listener.accept(scoring.result(), index);
        scorings.add(scoring);
        tasks.add(scoring.task);
      }
      runAll(tasks, batchSize, cancellation);
      List<Optional<ContinuationScores>> results = new ArrayList<>();
      for (Scoring scoring : scorings) {
        results.add(scoring.ended ? Optional.of(scoring.result()) : Optional.empty());
      }
      return results;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Traces a prompt: its latent states at every recurrence, and what the model would say there.
   *
   * @param latents the safetensors file that the states are written to as they are computed
   * @param listener hears how far it is
   * @return empty if it was cancelled; there is no file then
   * @throws IllegalArgumentException if the request does not fit the model
   * @throws InferenceException if the model computes states or logits that are no numbers
   * @throws CheckpointException if the model's files changed after they were mapped, or if the file
   *     cannot be written
   */
  public Optional<Trace> trace(
      TraceRequest request, Path latents, TraceListener listener, Cancellation cancellation) {
    lock.lock();
    try {
      requireOpen();
      checkpoint.verifyUnchanged();
      int[] tokens = tokens(request.prompt());
      requireFits(tokens.length, model.contextLength());
      KeyValueLayout layout =
          new KeyValueLayout(
              model,
              request.decoding().effectivePolicy(),
              recurrenceOrMean(request.recurrence()),
              tokens.length,
              request.decoding().type().orElse(keyValueType));
      return guarded(() ->
          Tracer.run(
              backend, layout, tokens, request, latents, listener, () -> stops(cancellation)));
    } finally {
      lock.unlock();
    }
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("the model is closed");
    }
  }

  private int recurrenceOrMean(int recurrence) {
    return recurrence == GenerationRequest.MODEL_DEFAULT ? model.defaultRecurrence() : recurrence;
  }

  private int contextLength(GenerationRequest request, int promptLength) {
    int asked = request.contextLength();
    if (asked == GenerationRequest.MODEL_DEFAULT) {
      requireFits(promptLength, model.contextLength());
      return (int) Math.min(model.contextLength(), (long) promptLength + request.maxTokens());
    }
    if (asked > model.contextLength()) {
      throw new IllegalArgumentException(
          "context length " + asked + " exceeds the model's " + model.contextLength());
    }
    requireFits(promptLength, asked);
    return asked;
  }

  private static void requireFits(int promptLength, int context) {
    if (promptLength > context) {
      throw new IllegalArgumentException(
          "the prompt has " + promptLength + " tokens, more than the context of " + context);
    }
  }

  /**
   * The tokens of a prompt, as the model sees them.
   *
   * @throws IllegalArgumentException if there are none, one is outside the vocabulary, or a text
   *     has no tokenizer
   * @throws CheckpointException if the model knows no conversations
   */
  public int[] tokens(Prompt prompt) {
    return switch (prompt) {
      case Prompt.Tokens(int[] tokens) -> {
        for (int token : tokens) {
          if (token < 0 || token >= model.vocabularySize()) {
            throw new IllegalArgumentException(
                "prompt token "
                    + token
                    + " is outside the vocabulary, 0 to "
                    + (model.vocabularySize() - 1));
          }
        }
        yield tokens;
      }
      case Prompt.Text(String text) -> {
        int[] tokens = tokenizerOrRefusal().encode(text, model.contextLength());
        if (tokens.length == 0) {
          throw new IllegalArgumentException("the prompt has no tokens");
        }
        yield tokens;
      }
      case Prompt.Chat(var messages) -> ChatFormat.encode(tokenizerOrRefusal(), messages);
    };
  }

  private Tokenizer tokenizerOrRefusal() {
    if (tokenizer == null) {
      throw new IllegalArgumentException(
          "a text prompt needs a tokenizer; "
              + checkpoint.directory()
              + " has no tokenizer.json, so the prompt must be tokens");
    }
    return tokenizer;
  }

  private static List<Integer> boxed(int[] tokens) {
    List<Integer> list = new ArrayList<>(tokens.length);
    for (int token : tokens) {
      list.add(token);
    }
    return list;
  }

  /** Waits for a running generation, then frees threads and unmaps the weights. */
  @Override
  public void close() {
    lock.lock();
    try {
      if (!closed) {
        closed = true;
        backend.close();
        if (tokenizer != null) {
          tokenizer.close();
        }
        checkpoint.close();
      }
    } finally {
      lock.unlock();
    }
  }

  /** One context of {@link #scoreAll} or {@link #score} with its continuations. */
  private final class Scoring implements TokenSink {
    private final SequenceTask task;
    private Runnable whenEnded = () -> {};
    private boolean ended;

    Scoring(ScoreRequest request) {
      int[] context = tokens(request.context());
      int[][] continuations = new int[request.continuations().size()][];
      int longest = 0;
      for (int i = 0; i < continuations.length; i++) {
        continuations[i] = tokens(request.continuations().get(i));
        longest = Math.max(longest, continuations[i].length);
      }
      int length = Math.addExact(context.length, longest);
      requireFits(length, model.contextLength());
      int recurrence = recurrenceOrMean(request.recurrence());
      DecodingOptions decoding = request.decoding();
      KeyValueLayout layout =
          new KeyValueLayout(
              model,
              decoding.effectivePolicy(),
              recurrence,
              length - 1,
              decoding.type().orElse(KeyValueType.F32));
      task =
          SequenceTask.scoring(
              layout, context, continuations, recurrence, request.initialState(), decoding, this);
    }

    @Override
    public boolean accept(int token, int recurrences) {
      throw new IllegalStateException("nothing is chosen where tokens are scored");
    }

    @Override
    public void ended() {
      ended = true;
      whenEnded.run();
    }

    ContinuationScores result() {
      List<List<Double>> scores = new ArrayList<>();
      for (double[] values : task.logProbabilities()) {
        List<Double> list = new ArrayList<>(values.length);
        for (double value : values) {
          list.add(value);
        }
        scores.add(list);
      }
      return new ContinuationScores(scores, boxed(task.recurrences()), task.statistics());
    }
  }

  /** One sequence of {@link #generate} or {@link #generateAll}: hears its tokens. */
  private final class Generation implements TokenSink {
    private final GenerationRequest request;
    private final GenerationListener listener;
    private final int[] prompt;
    private final SequenceTask task;
    private final TextStream stream;
    private final StopStrings stopStrings;
    private final StringBuilder text = new StringBuilder();
    private final int[] tokens;
    private final int keptPositions;
    private int count;
    private FinishReason reason;
    private Runnable whenEnded = () -> {};
    private long began;
    private long prefilled;
    private long ended;
    private GenerationResult result;

    Generation(Session session, GenerationRequest request, GenerationListener listener) {
      this.request = request;
      this.listener = listener;
      this.prompt = tokens(request.prompt());
      if (tokenizer == null && !request.stopStrings().isEmpty()) {
        throw new IllegalArgumentException(
            "stop strings need a tokenizer; the model has no tokenizer.json");
      }
      int context = contextLength(request, prompt.length);
      this.stream = tokenizer == null ? null : tokenizer.stream();
      this.stopStrings = new StopStrings(request.stopStrings());
      // The last token chosen is not computed itself, so it needs no position.
      this.tokens = new int[Math.min(request.maxTokens(), context - prompt.length + 1)];
      int recurrence = recurrenceOrMean(request.recurrence());
      DecodingOptions decoding = request.decoding();
      int capacity = context;
      if (session != null && request.contextLength() == GenerationRequest.MODEL_DEFAULT) {
        capacity = model.contextLength();
      }
      if (decoding.strategy() instanceof Strategy.Parallel parallel
          && request.contextLength() == GenerationRequest.MODEL_DEFAULT) {
        // The wavefront runs ahead of the tokens that are wanted.
        capacity = (int) Math.min(model.contextLength(), (long) context + parallel.maxWavefront());
      }
      KeyValueLayout layout =
          new KeyValueLayout(
              model,
              decoding.effectivePolicy(),
              recurrence,
              capacity,
              decoding.type().orElse(keyValueType));
      this.task =
          new SequenceTask(
              layout,
              prompt,
              recurrence,
              request.initialState(),
              decoding,
              new Sampler(request.sampling(), model.vocabularySize()),
              this);
      this.keptPositions = session == null ? 0 : session.prepare(task, request, backend);
    }

    @Override
    public void begun() {
      began = System.nanoTime();
      prefilled = began;
    }

    @Override
    public boolean accept(int token, int recurrences) {
      if (count == 0) {
        prefilled = System.nanoTime();
      }
      tokens[count++] = token;
      listener.onToken(token, recurrences);
      if (!request.ignoreEndOfSequence() && stopTokens.contains(token)) {
        reason = FinishReason.STOP;
        return false;
      }
      if (stream != null) {
        emit(stopStrings.push(stream.push(token)));
        if (stopStrings.stopped()) {
          reason = FinishReason.STOP;
          return false;
        }
      }
      if (count == tokens.length) {
        reason = FinishReason.LENGTH;
        return false;
      }
      return true;
    }

    @Override
    public void ended() {
      ended = System.nanoTime();
      if (reason == null) {
        reason = FinishReason.LENGTH;
      }
      whenEnded.run();
    }

    private void emit(String piece) {
      if (!piece.isEmpty()) {
        text.append(piece);
        listener.onText(piece);
      }
    }

    GenerationResult result() {
      if (result == null) {
        if (ended == 0) {
          ended = System.nanoTime();
        }
        if (stream != null) {
          emit(stopStrings.push(stream.flush()));
          emit(stopStrings.flush());
          if (stopStrings.stopped() && reason == FinishReason.LENGTH) {
            reason = FinishReason.STOP;
          }
        }
        int[] recurrences = task.recurrences();
        result =
            new GenerationResult(
                boxed(prompt),
                boxed(Arrays.copyOf(tokens, count)),
                stream == null ? Optional.empty() : Optional.of(text.toString()),
                boxed(recurrences),
                reason == null ? FinishReason.CANCELLED : reason,
                new Timings(
                    (count == 0 ? ended : prefilled) - began,
                    count == 0 ? 0 : prompt.length - keptPositions,
                    count == 0 ? 0 : ended - prefilled,
                    Math.max(0, count - 1)),
                task.layout().bytes(),
                boxed(task.promptRecurrences()),
                task.statistics());
      }
      return result;
    }
  }
}
