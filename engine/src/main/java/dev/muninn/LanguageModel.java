package dev.muninn;

import dev.muninn.backend.Backend;
import dev.muninn.backend.BackendProvider;
import dev.muninn.cache.KeyValueLayout;
import dev.muninn.cache.SlotPolicy;
import dev.muninn.decode.InitialState;
import dev.muninn.decode.Sampler;
import dev.muninn.decode.SequenceForward;
import dev.muninn.model.RavenConfig;
import dev.muninn.model.RavenWeights;
import dev.muninn.text.ChatFormat;
import dev.muninn.text.StopStrings;
import dev.muninn.text.StopTokens;
import dev.muninn.text.TextStream;
import dev.muninn.text.Tokenizer;
import dev.muninn.weights.Checkpoint;
import dev.muninn.weights.CheckpointException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.concurrent.locks.ReentrantLock;

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
public final class LanguageModel implements AutoCloseable {
  private final RavenConfig config;
  private final Checkpoint checkpoint;
  private final Tokenizer tokenizer;
  private final StopTokens stopTokens;
  private final Backend backend;
  private final long loadNanos;
  private final ReentrantLock lock = new ReentrantLock();
  private boolean closed;

  private LanguageModel(
      RavenConfig config,
      Checkpoint checkpoint,
      Tokenizer tokenizer,
      StopTokens stopTokens,
      Backend backend,
      long loadNanos) {
    this.config = config;
    this.checkpoint = checkpoint;
    this.tokenizer = tokenizer;
    this.stopTokens = stopTokens;
    this.backend = backend;
    this.loadNanos = loadNanos;
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
   */
  public static LanguageModel load(Path directory, LoadOptions options) {
    final long began = System.nanoTime();
    RavenConfig config = RavenConfig.load(directory);
    Checkpoint checkpoint = Checkpoint.open(directory);
    Tokenizer tokenizer = null;
    try {
      RavenWeights weights = RavenWeights.bind(config, checkpoint);
      if (Tokenizer.exists(directory)) {
        tokenizer = Tokenizer.load(directory, config.vocabularySize());
      }
      StopTokens stopTokens = StopTokens.load(directory, tokenizer, config.vocabularySize());
      Backend backend = provider("vector").open(weights, options.threads());
      return new LanguageModel(
          config, checkpoint, tokenizer, stopTokens, backend, System.nanoTime() - began);
    } catch (RuntimeException | Error e) {
      if (tokenizer != null) {
        tokenizer.close();
      }
      checkpoint.close();
      throw e;
    }
  }

  private static BackendProvider provider(String name) {
    for (BackendProvider provider :
        ServiceLoader.load(BackendProvider.class, LanguageModel.class.getClassLoader())) {
      if (provider.name().equals(name)) {
        return provider;
      }
    }
    throw new IllegalStateException("no backend is called " + name);
  }

  public RavenConfig config() {
    return config;
  }

  /** Empty if the model directory has no tokenizer.json: prompts are then tokens. */
  public Optional<Tokenizer> tokenizer() {
    return Optional.ofNullable(tokenizer);
  }

  public Checkpoint checkpoint() {
    return checkpoint;
  }

  /** Nanoseconds that {@link #load} took. */
  public long loadNanos() {
    return loadNanos;
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
  public GenerationResult generate(
      GenerationRequest request, GenerationListener listener, Cancellation cancellation) {
    lock.lock();
    try {
      requireOpen();
      checkpoint.verifyUnchanged();
      int[] prompt = tokens(request.prompt());
      if (tokenizer == null && !request.stopStrings().isEmpty()) {
        throw new IllegalArgumentException(
            "stop strings need a tokenizer; the model has no tokenizer.json");
      }
      int context = contextLength(request, prompt.length);
      int recurrence = recurrenceOrMean(request.recurrence());
      KeyValueLayout layout = new KeyValueLayout(config, SlotPolicy.full(), recurrence, context);
      listener.onPrompt(prompt.clone());
      try (SequenceForward sequence =
          new SequenceForward(
              backend,
              layout,
              recurrence,
              prompt.length,
              request.initialState(),
              cancellation::isCancelled)) {
        return new Generation(request, listener, prompt, recurrence, context, layout.bytes())
            .run(sequence);
      }
    } finally {
      lock.unlock();
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
    GenerationRequest.requirePositiveOrDefault("recurrence", recurrence);
    lock.lock();
    try {
      requireOpen();
      checkpoint.verifyUnchanged();
      int[] tokens = tokens(prompt);
      if (tokens.length < 2) {
        throw new IllegalArgumentException("a text to score needs at least 2 tokens, not 1");
      }
      requireFits(tokens.length, config.contextLength());
      int depth = recurrenceOrMean(recurrence);
      KeyValueLayout layout = new KeyValueLayout(config, SlotPolicy.full(), depth, tokens.length);
      List<Double> logProbabilities = new ArrayList<>();
      try (SequenceForward sequence =
          new SequenceForward(backend, layout, depth, 64, initialState, () -> false)) {
        sequence.append(
            tokens,
            0,
            (position, logits) -> {
              if (position + 1 < tokens.length) {
                logProbabilities.add(logProbability(logits, tokens[position + 1]));
              }
            });
      }
      return new Score(boxed(tokens), logProbabilities);
    } finally {
      lock.unlock();
    }
  }

  private static double logProbability(float[] logits, int token) {
    double greatest = Double.NEGATIVE_INFINITY;
    for (float logit : logits) {
      if (Float.isNaN(logit)) {
        throw new InferenceException("the model computed a logit that is not a number");
      }
      greatest = Math.max(greatest, logit);
    }
    double sum = 0;
    for (float logit : logits) {
      sum += Math.exp(logit - greatest);
    }
    return logits[token] - greatest - Math.log(sum);
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("the model is closed");
    }
  }

  private int recurrenceOrMean(int recurrence) {
    return recurrence == GenerationRequest.MODEL_DEFAULT ? config.meanRecurrence() : recurrence;
  }

  private int contextLength(GenerationRequest request, int promptLength) {
    int asked = request.contextLength();
    if (asked == GenerationRequest.MODEL_DEFAULT) {
      requireFits(promptLength, config.contextLength());
      return (int) Math.min(config.contextLength(), (long) promptLength + request.maxTokens());
    }
    if (asked > config.contextLength()) {
      throw new IllegalArgumentException(
          "context length " + asked + " exceeds the model's " + config.contextLength());
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

  private int[] tokens(Prompt prompt) {
    return switch (prompt) {
      case Prompt.Tokens(int[] tokens) -> {
        for (int token : tokens) {
          if (token < 0 || token >= config.vocabularySize()) {
            throw new IllegalArgumentException(
                "prompt token "
                    + token
                    + " is outside the vocabulary, 0 to "
                    + (config.vocabularySize() - 1));
          }
        }
        yield tokens;
      }
      case Prompt.Text(String text) -> {
        int[] tokens = tokenizerOrRefusal().encode(text);
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

  /** One run of {@link #generate}. */
  private final class Generation {
    private final GenerationRequest request;
    private final GenerationListener listener;
    private final int[] prompt;
    private final int recurrence;
    private final int context;
    private final long keyValueBytes;
    private final Sampler sampler;
    private final TextStream stream;
    private final StopStrings stopStrings;
    private final StringBuilder text = new StringBuilder();
    private final int[] tokens;
    private int count;

    Generation(
        GenerationRequest request,
        GenerationListener listener,
        int[] prompt,
        int recurrence,
        int context,
        long keyValueBytes) {
      this.request = request;
      this.listener = listener;
      this.prompt = prompt;
      this.recurrence = recurrence;
      this.context = context;
      this.keyValueBytes = keyValueBytes;
      this.sampler = new Sampler(request.sampling(), config.vocabularySize());
      this.stream = tokenizer == null ? null : tokenizer.stream();
      this.stopStrings = new StopStrings(request.stopStrings());
      // The last token chosen is not computed itself, so it needs no position.
      this.tokens = new int[Math.min(request.maxTokens(), context - prompt.length + 1)];
    }

    GenerationResult run(SequenceForward sequence) {
      for (int token : prompt) {
        sampler.accept(token);
      }
      final long began = System.nanoTime();
      boolean completed = sequence.append(prompt);
      long prefilled = System.nanoTime();
      int forwards = 1;
      FinishReason reason = null;
      while (reason == null) {
        if (!completed) {
          reason = FinishReason.CANCELLED;
        } else {
          int token = sampler.sample(sequence.logits());
          if (forwards == 1) {
            prefilled = System.nanoTime();
          }
          reason = accept(token);
          if (reason == null) {
            completed = sequence.append(token);
            forwards++;
          }
        }
      }
      final long ended = System.nanoTime();
      if (stream != null) {
        emit(stopStrings.push(stream.flush()));
        emit(stopStrings.flush());
        if (stopStrings.stopped() && reason == FinishReason.LENGTH) {
          reason = FinishReason.STOP;
        }
      }
      return new GenerationResult(
          boxed(prompt),
          boxed(Arrays.copyOf(tokens, count)),
          stream == null ? Optional.empty() : Optional.of(text.toString()),
          Collections.nCopies(forwards, recurrence),
          reason,
          new Timings(prefilled - began, prompt.length, ended - prefilled, forwards - 1),
          keyValueBytes);
    }

    /** Takes a token in; the reason to end with it, or null to go on. */
    private FinishReason accept(int token) {
      tokens[count++] = token;
      sampler.accept(token);
      listener.onToken(token, recurrence);
      if (!request.ignoreEndOfSequence() && stopTokens.contains(token)) {
        return FinishReason.STOP;
      }
      if (stream != null) {
        emit(stopStrings.push(stream.push(token)));
        if (stopStrings.stopped()) {
          return FinishReason.STOP;
        }
      }
      return count == tokens.length ? FinishReason.LENGTH : null;
    }

    private void emit(String piece) {
      if (!piece.isEmpty()) {
        text.append(piece);
        listener.onText(piece);
      }
    }
  }
}
