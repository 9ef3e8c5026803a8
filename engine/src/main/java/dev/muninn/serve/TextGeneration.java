package dev.muninn.serve;

import dev.muninn.backend.Backend;
import dev.muninn.cache.KeyValueLayout;
import dev.muninn.decode.DecodingStatistics;
import dev.muninn.decode.KeptSequence;
import dev.muninn.decode.LogProbabilities;
import dev.muninn.decode.Sampler;
import dev.muninn.decode.SequenceTask;
import dev.muninn.decode.Strategy;
import dev.muninn.text.StopStrings;
import dev.muninn.text.TextStream;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/** One text that is generated: hears its tokens, turns them into text and says when to stop. */
final class TextGeneration extends Job {
  private final ServedModel model;
  private final GenerationRequest request;
  private final GenerationListener listener;
  private final Consumer<GenerationResult> whenEnded;
  private final Optional<SessionCache> session;
  private final boolean reusesPrefixes;
  private final int[] prompt;
  private final SequenceTask task;
  private final TextStream stream;
  private final StopStrings stopStrings;
  private final StringBuilder text = new StringBuilder();
  private final int[] tokens;
  private int keptPositions;
  private int count;
  private FinishReason reason;
  private boolean begun;
  private long began;
  private long prefilled;
  private long ended;
  private GenerationResult result;
  private KeptSequence kept;

  /**
   * A generation that has not begun.
   *
   * @param prompt the request's prompt, as {@link #check} gives it
   * @param session keys and values to go on from, and to keep
   * @param reusesPrefixes whether it goes on from those of any earlier request
   */
  TextGeneration(
      ServedModel model,
      GenerationRequest request,
      int[] prompt,
      Optional<SessionCache> session,
      boolean reusesPrefixes,
      GenerationListener listener,
      Consumer<GenerationResult> whenEnded) {
    this.model = model;
    this.request = request;
    this.prompt = prompt;
    this.listener = listener;
    this.whenEnded = whenEnded;
    this.session = session;
    this.reusesPrefixes = reusesPrefixes;
    int context = model.contextLength(request, prompt.length);
    this.stream = model.tokenizer().map(tokenizer -> tokenizer.stream()).orElse(null);
    this.stopStrings = new StopStrings(request.stopStrings());
    // The last token chosen is not computed itself, so it needs no position.
    this.tokens = new int[Math.min(request.maxTokens(), context - prompt.length + 1)];
    int recurrence = model.recurrence(request.recurrence());
    this.task =
        new SequenceTask(
            layout(model, request, prompt.length, session.isPresent()),
            prompt,
            recurrence,
            request.initialState(),
            request.decoding(),
            new Sampler(request.sampling(), model.architecture().vocabularySize()),
            this);
  }

  /**
   * The tokens of a request's prompt.
   *
   * @throws IllegalArgumentException if the request does not fit the model
   */
  static int[] check(ServedModel model, GenerationRequest request) {
    model.requireSupports(request.decoding());
    int[] prompt = model.tokens(request.prompt());
    if (model.tokenizer().isEmpty() && !request.stopStrings().isEmpty()) {
      throw new IllegalArgumentException(
          "stop strings need a tokenizer; the model has no tokenizer.json");
    }
    layout(model, request, prompt.length, false);
    return prompt;
  }

  private static KeyValueLayout layout(
      ServedModel model, GenerationRequest request, int promptLength, boolean inSession) {
    int context = model.contextLength(request, promptLength);
    int capacity = context;
    if (request.contextLength() == GenerationRequest.MODEL_DEFAULT) {
      int most = model.architecture().contextLength();
      if (inSession) {
        capacity = most;
      }
      if (request.decoding().strategy() instanceof Strategy.Parallel parallel) {
        // The wavefront runs ahead of the tokens that are wanted.
        capacity = (int) Math.min(most, (long) context + parallel.maxWavefront());
      }
    }
    return model.layout(
        request.decoding(), model.recurrence(request.recurrence()), capacity, model.keyValueType());
  }

  /** What a request becomes that was cancelled before its turn came. */
  static GenerationResult cancelled(ServedModel model, int[] prompt) {
    return new GenerationResult(
        boxed(prompt),
        List.of(),
        model.tokenizer().map(tokenizer -> ""),
        List.of(),
        FinishReason.CANCELLED,
        new Timings(0, 0, 0, 0),
        0,
        List.of(),
        new DecodingStatistics(0, 0, 0, 0, 0, 0));
  }

  @Override
  void prepare(Backend backend, PrefixStore prefixes) {
    if (session.isPresent()) {
      keptPositions = session.get().prepare(task, request, backend);
    } else if (reusesPrefixes) {
      kept = prefixes.open(backend, task.layout(), settings(), prompt);
      keptPositions = task.continueFrom(kept);
    }
  }

  @Override
  void release(PrefixStore prefixes) {
    if (kept == null) {
      return;
    }
    if (failure() == null) {
      prefixes.keep(settings(), kept);
    } else {
      kept.close();
    }
    kept = null;
  }

  private PrefixStore.Settings settings() {
    return PrefixStore.Settings.of(task.layout(), request);
  }

  @Override
  SequenceTask task() {
    return task;
  }

  @Override
  public void begun() {
    listener.onPrompt(prompt.clone());
    begun = true;
    began = System.nanoTime();
    prefilled = began;
  }

  @Override
  public void chosen(int token, float[] logits) {
    if (request.logProbabilities() != GenerationRequest.NONE) {
      listener.onProbabilities(
          token,
          LogProbabilities.of(logits, token),
          LogProbabilities.top(logits, request.logProbabilities()));
    }
  }

  @Override
  public boolean accept(int token, int recurrences) {
    if (count == 0) {
      prefilled = System.nanoTime();
    }
    tokens[count++] = token;
    listener.onToken(token, recurrences);
    if (!request.ignoreEndOfSequence() && model.stopTokens().contains(token)) {
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
    whenEnded.accept(result());
    super.ended();
  }

  @Override
  public void cancelled() {
    super.cancelled();
    if (begun) {
      try {
        result();
      } catch (RuntimeException | Error e) {
        fail(e);
      }
    }
  }

  private void emit(String piece) {
    if (!piece.isEmpty()) {
      text.append(piece);
      listener.onText(piece);
    }
  }

  /** What became of it; cancelled if it has not ended. */
  Outcome<GenerationResult> outcome() {
    if (failure() != null) {
      return Outcome.failed(failure());
    }
    return begun ? Outcome.of(result()) : Outcome.none();
  }

  private GenerationResult result() {
    if (result != null) {
      return result;
    }
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
    result =
        new GenerationResult(
            boxed(prompt),
            boxed(Arrays.copyOf(tokens, count)),
            stream == null ? Optional.empty() : Optional.of(text.toString()),
            boxed(task.recurrences()),
            reason == null ? FinishReason.CANCELLED : reason,
            new Timings(
                (count == 0 ? ended : prefilled) - began,
                count == 0 ? 0 : prompt.length - keptPositions,
                count == 0 ? 0 : ended - prefilled,
                Math.max(0, count - 1)),
            task.layout().bytes(),
            boxed(task.promptRecurrences()),
            task.statistics());
    return result;
  }

  private static List<Integer> boxed(int[] tokens) {
    return Arrays.stream(tokens).boxed().toList();
  }
}
