package dev.muninn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.backend.InferenceException;
import dev.muninn.decode.Cancellation;
import dev.muninn.decode.DecodingOptions;
import dev.muninn.decode.ExitCriteria;
import dev.muninn.decode.ExitCriterion;
import dev.muninn.decode.ExitOptions;
import dev.muninn.decode.InitialState;
import dev.muninn.serve.ContinuationScores;
import dev.muninn.serve.FinishReason;
import dev.muninn.serve.GenerationListener;
import dev.muninn.serve.GenerationRequest;
import dev.muninn.serve.GenerationResult;
import dev.muninn.serve.Outcome;
import dev.muninn.serve.ScoreRequest;
import dev.muninn.text.Prompt;
import dev.muninn.trace.TraceRequest;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What one request does is no other request's business: failures, waiting, calls from inside. */
@Timeout(value = 10, unit = TimeUnit.MINUTES)
class RequestIsolationTest {
  @TempDir private static Path temporary;

  private static LanguageModel model;

  @BeforeAll
  static void load() {
    model = LanguageModel.load(Fixture.directory("raven-1-2-1-untied"), new LoadOptions(2));
  }

  /** The same model, but for a token whose embedding is not a number. */
  private static LanguageModel spoiltAt(int token) {
    Path directory =
        ModelFiles.copy(
            Fixture.directory("raven-1-2-1-untied"),
            temporary.resolve("spoilt-at-" + token),
            tensors ->
                tensors.computeIfPresent(
                    "transformer.wte.weight",
                    (name, content) -> {
                      float[] values = ModelFiles.floats(content);
                      int width = Math.toIntExact(content.shape().get(1));
                      Arrays.fill(values, token * width, (token + 1) * width, Float.NaN);
                      return ModelFiles.content(content.dtype(), content.shape(), values);
                    }));
    return LanguageModel.load(directory, new LoadOptions(2));
  }

  @AfterAll
  static void close() {
    model.close();
  }

  private static GenerationRequest.Builder request(int... prompt) {
    return GenerationRequest.builder(Prompt.tokens(prompt)).maxTokens(5).recurrence(4);
  }

  private static GenerationResult generate(GenerationRequest request) {
    return model.generate(request);
  }

  /** A criterion that throws at a check. */
  private static ExitOptions throwing(int check, ExitOptions.Prefill prefill) {
    return new ExitOptions(Optional.of(config -> new Throwing(check)), 1, 1, prefill);
  }

  private static final class Throwing implements ExitCriterion {
    private final int check;
    private int count;

    Throwing(int check) {
      this.check = check;
    }

    @Override
    public boolean readsLogits() {
      return check % 2 == 0;
    }

    @Override
    public void begin(float[] latents, int rows, int width) {
      count(0);
    }

    @Override
    public double measure(float[] latents, int rows, int width, float[] logits) {
      return count(1);
    }

    private int count(int more) {
      count += more;
      if (count == check) {
        throw new ArithmeticException("check " + check);
      }
      return count;
    }

    @Override
    public boolean satisfied(double value) {
      return false;
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 5, 8})
  void aCriterionThatThrowsEndsItsRequestAlone(int check) {
    for (ExitOptions.Prefill prefill : ExitOptions.Prefill.values()) {
      DecodingOptions bad = DecodingOptions.defaults().withExit(throwing(check, prefill));
      List<GenerationRequest> requests =
          List.of(
              request(1, 2, 3).build(),
              request(3, 4, 6, 7).decoding(bad).build(),
              request(9).maxTokens(9).build(),
              request(8, 8, 2).build());
      List<Outcome<GenerationResult>> outcomes =
          model.generateAll(requests, 3, (result, index) -> {}, new Cancellation());
      for (int i : new int[] {0, 2, 3}) {
        assertEquals(
            generate(requests.get(i)).tokens(), outcomes.get(i).orElseThrow().tokens(), "" + i);
      }
      assertInstanceOf(ArithmeticException.class, outcomes.get(1).failure().orElseThrow());
      assertThrows(ArithmeticException.class, () -> generate(requests.get(1)));
    }
  }

  @Test
  void aLogitThatIsNoNumberEndsItsRequestAlone() {
    GenerationRequest first = request(1, 2).build();
    GenerationRequest last = request(4).build();
    Set<Integer> used = new HashSet<>(List.of(1, 2, 3, 4));
    used.addAll(generate(first).tokens());
    used.addAll(generate(last).tokens());
    int bad = 0;
    while (used.contains(bad)) {
      bad++;
    }
    GenerationRequest spoilt = request(3, bad).build();
    try (LanguageModel other = spoiltAt(bad)) {
      List<Outcome<GenerationResult>> outcomes =
          other.generateAll(
              List.of(first, spoilt, last), 2, (result, index) -> {}, new Cancellation());
      assertEquals(generate(first).tokens(), outcomes.get(0).orElseThrow().tokens());
      assertThrows(InferenceException.class, outcomes.get(1)::orElseThrow);
      assertEquals(generate(last).tokens(), outcomes.get(2).orElseThrow().tokens());
      assertThrows(InferenceException.class, () -> other.generate(spoilt));
    }
  }

  private static ScoreRequest score(int context, int... continuation) {
    return new ScoreRequest(
        new Prompt.Tokens(context),
        List.of(new Prompt.Tokens(continuation)),
        3,
        InitialState.random(1),
        DecodingOptions.defaults());
  }

  @Test
  void aContinuationThatCannotBeScoredEndsItsRequestAlone() {
    int bad = 100;
    // The failure comes when rows are given back: in the context, and in a continuation.
    List<ScoreRequest> requests =
        List.of(score(1, 2, 3), score(bad, 4), score(7, 8, bad, 9, 1), score(6, 6, 6));
    try (LanguageModel other = spoiltAt(bad)) {
      List<Outcome<ContinuationScores>> outcomes =
          other.scoreAll(requests, 2, (result, index) -> {}, new Cancellation());
      List<Outcome<ContinuationScores>> expected =
          model.scoreAll(requests, 2, (result, index) -> {}, new Cancellation());
      for (int i : new int[] {0, 3}) {
        assertEquals(
            expected.get(i).orElseThrow().logProbabilities(),
            outcomes.get(i).orElseThrow().logProbabilities());
      }
      assertThrows(InferenceException.class, outcomes.get(1)::orElseThrow);
      assertThrows(InferenceException.class, outcomes.get(2)::orElseThrow);
      Prompt text = Prompt.tokens(1, bad, 2);
      assertThrows(InferenceException.class, () -> other.score(text, 3, InitialState.zero()));
    }
  }

  /** Does something at the second token and keeps what that throws. */
  private static final class Inside implements GenerationListener {
    private final Runnable action;
    private RuntimeException refusal;
    private int tokens;

    Inside(Runnable action) {
      this.action = action;
    }

    @Override
    public void onToken(int token, int recurrences) {
      if (++tokens == 2) {
        try {
          action.run();
        } catch (RuntimeException e) {
          refusal = e;
        }
      }
    }

    @Override
    public void onText(String text) {}
  }

  private static void assertRefused(RuntimeException refusal) {
    assertInstanceOf(IllegalStateException.class, refusal);
    assertTrue(refusal.getMessage().contains("listener"), refusal.getMessage());
    assertFalse(refusal.getMessage().contains("\n"));
  }

  @Test
  void callsFromAListenerAreRefusedAndTheGenerationGoesOn() {
    GenerationRequest request = request(1, 2, 3).build();
    GenerationResult expected = generate(request);
    try (Session session = model.openSession();
        Session other = model.openSession()) {
      generate(other, request, GenerationListener.NONE);
      List<Runnable> calls =
          List.of(
              () -> generate(session, request, GenerationListener.NONE),
              () -> generate(other, request, GenerationListener.NONE),
              () -> generate(request),
              session::forget,
              session::close,
              other::close,
              () -> model.score(Prompt.tokens(1, 2), 2, InitialState.zero()),
              () -> model.generateAll(List.of(request), 1, (r, i) -> {}, new Cancellation()),
              () -> model.scoreAll(List.of(score(1, 2)), 1, (r, i) -> {}, new Cancellation()),
              () ->
                  model.trace(
                      TraceRequest.of(Prompt.tokens(1, 2), 2),
                      temporary.resolve("inside.safetensors"),
                      (done, total) -> {},
                      new Cancellation()),
              model::close);
      for (int i = 0; i < calls.size(); i++) {
        Inside inside = new Inside(calls.get(i));
        GenerationResult result = generate(session, request, inside);
        assertRefused(inside.refusal);
        assertEquals(expected.tokens(), result.tokens(), "call " + i);
        assertEquals(FinishReason.LENGTH, result.finishReason());
        assertEquals(expected.tokens(), generate(session, request, new Inside(() -> {})).tokens());
      }
    }
  }

  private static GenerationResult generate(
      Session session, GenerationRequest request, GenerationListener listener) {
    return session.generate(request, listener, new Cancellation());
  }

  @Test
  void callsFromOtherListenersAreRefusedToo() {
    GenerationRequest request = request(1, 2, 3).build();
    AtomicReference<RuntimeException> refusal = new AtomicReference<>();
    Runnable nested =
        () -> {
          try {
            generate(request);
          } catch (RuntimeException e) {
            refusal.set(e);
          }
        };
    List<Outcome<GenerationResult>> outcomes =
        model.generateAll(List.of(request), 1, (r, i) -> nested.run(), new Cancellation());
    assertRefused(refusal.getAndSet(null));
    assertEquals(generate(request).tokens(), outcomes.getFirst().orElseThrow().tokens());
    model.scoreAll(List.of(score(1, 2, 3)), 1, (r, i) -> nested.run(), new Cancellation());
    assertRefused(refusal.getAndSet(null));
    model.trace(
        TraceRequest.of(Prompt.tokens(1, 2), 2),
        temporary.resolve("trace.safetensors"),
        (done, total) -> nested.run(),
        new Cancellation());
    assertRefused(refusal.get());
  }

  @Test
  void aListenerThatThrowsEndsItsGenerationAndTheSessionGoesOn() {
    GenerationRequest request = request(1, 2, 3).build();
    List<Integer> expected = generate(request).tokens();
    try (Session session = model.openSession()) {
      GenerationListener throwing =
          new GenerationListener() {
            @Override
            public void onToken(int token, int recurrences) {
              throw new ArithmeticException();
            }

            @Override
            public void onText(String text) {}
          };
      assertThrows(ArithmeticException.class, () -> generate(session, request, throwing));
      assertEquals(expected, generate(session, request, GenerationListener.NONE).tokens());
    }
  }

  /** Sessions keep what they have while callers parse the same criterion anew. */
  @ParameterizedTest
  @ValueSource(strings = {"kl", "latent-diff:0.1", "argmax-stability"})
  void aCriterionThatIsParsedAnewIsTheSame(String criterion) {
    int[] prompt = {1, 2, 3, 4};
    try (Session session = model.openSession()) {
      for (int i = 0; i < 3; i++) {
        DecodingOptions decoding =
            DecodingOptions.defaults().withExit(ExitOptions.of(ExitCriteria.parse(criterion)));
        GenerationResult result =
            generate(session, request(prompt).decoding(decoding).build(), GenerationListener.NONE);
        assertEquals(i == 0 ? 4 : 1, result.timings().prefillTokens());
      }
    }
  }

  /** A generation on another thread that waits in its listener until it is let go. */
  private static final class Busy implements AutoCloseable {
    private final CountDownLatch inside = new CountDownLatch(1);
    private final CountDownLatch leave = new CountDownLatch(1);
    private final Thread thread;

    Busy() throws InterruptedException {
      thread =
          Thread.ofPlatform()
              .start(() ->
                  model.generate(
                      request(1, 2).build(),
                      new GenerationListener() {
                        @Override
                        public void onPrompt(int[] tokens) {
                          inside.countDown();
                          try {
                            leave.await();
                          } catch (InterruptedException e) {
                            Thread.currentThread().interrupt();
                          }
                        }

                        @Override
                        public void onText(String text) {}
                      }));
      inside.await();
    }

    @Override
    public void close() {
      leave.countDown();
    }

    void end() throws InterruptedException {
      leave.countDown();
      thread.join();
    }
  }

  private static GenerationResult whileBusy(Consumer<Thread> stop, Cancellation cancellation)
      throws InterruptedException {
    AtomicReference<GenerationResult> result = new AtomicReference<>();
    AtomicReference<Boolean> interrupted = new AtomicReference<>();
    try (Busy busy = new Busy()) {
      Thread waiter =
          Thread.ofPlatform()
              .start(() -> {
                result.set(
                    model.generate(request(3, 4).build(), GenerationListener.NONE, cancellation));
                interrupted.set(Thread.currentThread().isInterrupted());
              });
      while (waiter.getState() != Thread.State.TIMED_WAITING) {
        Thread.onSpinWait();
      }
      stop.accept(waiter);
      // The other generation has not ended: without an end of the wait this would hang.
      waiter.join();
      assertTrue(busy.thread.isAlive());
      busy.end();
    }
    assertEquals(!cancellation.isCancelled(), interrupted.get());
    return result.get();
  }

  @Test
  void whoIsCancelledOrInterruptedStopsWaiting() throws InterruptedException {
    Cancellation cancellation = new Cancellation();
    for (GenerationResult result :
        List.of(
            whileBusy(waiter -> cancellation.cancel(), cancellation),
            whileBusy(Thread::interrupt, new Cancellation()))) {
      assertEquals(FinishReason.CANCELLED, result.finishReason());
      assertEquals(List.of(3, 4), result.promptTokens());
      assertEquals(List.of(), result.tokens());
    }
  }

  @Test
  void anInterruptEndsAGenerationThatRuns() {
    GenerationRequest request = request(1, 2).maxTokens(20).build();
    GenerationResult whole = generate(request);
    Inside inside = new Inside(() -> Thread.currentThread().interrupt());
    GenerationResult result = model.generate(request, inside);
    assertTrue(Thread.interrupted());
    assertEquals(FinishReason.CANCELLED, result.finishReason());
    assertEquals(whole.tokens().subList(0, 2), result.tokens());
  }

  @Test
  void whoWaitsWhenTheModelIsClosedIsTold() throws InterruptedException {
    LanguageModel own =
        LanguageModel.load(Fixture.directory("raven-1-2-1-untied"), new LoadOptions(1));
    own.close();
    own.close();
    assertThrows(IllegalStateException.class, () -> own.generate(request(1).build()));
    assertThrows(
        IllegalStateException.class,
        () -> own.generateAll(List.of(), 1, (result, index) -> {}, new Cancellation()));
  }
}
