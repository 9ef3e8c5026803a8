package dev.muninn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.decode.Cancellation;
import dev.muninn.decode.DecodingOptions;
import dev.muninn.decode.ExitCriteria;
import dev.muninn.decode.ExitOptions;
import dev.muninn.decode.InitialState;
import dev.muninn.decode.SamplingOptions;
import dev.muninn.decode.TokenProbability;
import dev.muninn.serve.ContinuationScores;
import dev.muninn.serve.FinishReason;
import dev.muninn.serve.GenerationListener;
import dev.muninn.serve.GenerationRequest;
import dev.muninn.serve.GenerationResult;
import dev.muninn.serve.PrefixReuse;
import dev.muninn.serve.QueueFullException;
import dev.muninn.serve.ScoreRequest;
import dev.muninn.serve.ServiceLoad;
import dev.muninn.serve.ServiceOptions;
import dev.muninn.serve.Submission;
import dev.muninn.text.Prompt;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Requests that are submitted share the model, and each gets what it would get alone. */
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class ServiceTest {
  private static final String NAME = "raven-1-2-1-untied";
  private static LanguageModel alone;

  @BeforeAll
  static void load() {
    alone = LanguageModel.load(Fixture.directory(NAME), new LoadOptions(2));
  }

  @AfterAll
  static void close() {
    alone.close();
  }

  private static LanguageModel served(int parallel, long bytes, int queue, PrefixReuse reuse) {
    return LanguageModel.load(
        Fixture.directory(NAME),
        new LoadOptions(2).withService(new ServiceOptions(parallel, bytes, queue, reuse)));
  }

  private static GenerationRequest.Builder request(int... prompt) {
    return GenerationRequest.builder(Prompt.tokens(prompt)).maxTokens(6).recurrence(4);
  }

  /** Prompts, lengths, depths, exits and samplers of all kinds. */
  private static GenerationRequest random(SplittableRandom random) {
    int[] prompt = random.ints(random.nextInt(1, 30), 0, 128).toArray();
    DecodingOptions decoding = DecodingOptions.defaults();
    if (random.nextBoolean()) {
      String exit =
          List.of("kl:0.05", "latent-diff:0.2", "argmax-stability:2").get(random.nextInt(3));
      ExitOptions.Prefill[] prefills = ExitOptions.Prefill.values();
      decoding =
          decoding.withExit(
              new ExitOptions(
                  ExitOptions.of(ExitCriteria.parse(exit)).criterion(),
                  1,
                  1,
                  prefills[random.nextInt(prefills.length)]));
    }
    return request(prompt)
        .maxTokens(random.nextInt(1, 12))
        .recurrence(random.nextInt(1, 9))
        .initialState(InitialState.random(random.nextInt(3)))
        .sampling(
            SamplingOptions.greedy()
                .withTemperature(random.nextInt(2))
                .withPenalties(random.nextInt(2), 0.5f)
                .withSeed(random.nextLong()))
        .decoding(decoding)
        .build();
  }

  private static void assertSame(GenerationResult expected, GenerationResult found) {
    assertEquals(expected.tokens(), found.tokens());
    assertEquals(expected.recurrences(), found.recurrences());
    assertEquals(expected.promptRecurrences(), found.promptRecurrences());
    assertEquals(expected.finishReason(), found.finishReason());
    assertEquals(expected.statistics(), found.statistics());
  }

  @Test
  void eachGetsWhatItWouldGetAlone() throws InterruptedException {
    SplittableRandom random = new SplittableRandom(1);
    List<GenerationRequest> requests = new ArrayList<>();
    List<Submission<GenerationResult>> submissions = new ArrayList<>();
    try (LanguageModel model = served(16, ServiceOptions.UNLIMITED, 100, PrefixReuse.OFF)) {
      for (int i = 0; i < 60; i++) {
        requests.add(random(random));
        submissions.add(model.submit(requests.get(i), GenerationListener.NONE));
      }
      for (int i = 0; i < 60; i++) {
        assertSame(alone.generate(requests.get(i)), submissions.get(i).await().orElseThrow());
      }
      ServiceLoad load = model.serviceLoad();
      assertEquals(0, load.running() + load.queued() + load.reservedBytes());
      assertTrue(load.coreRows() > 3 * load.coreCalls(), load.toString());
    }
  }

  @Test
  void threadsThatCallTheModelShareItAndHearOnTheirOwnThread() throws InterruptedException {
    SplittableRandom random = new SplittableRandom(2);
    List<Throwable> failures = Collections.synchronizedList(new ArrayList<>());
    List<Thread> threads = new ArrayList<>();
    try (LanguageModel model = served(4, ServiceOptions.UNLIMITED, 0, PrefixReuse.OFF)) {
      for (int i = 0; i < 12; i++) {
        List<GenerationRequest> requests = List.of(random(random), random(random), random(random));
        threads.add(
            Thread.ofVirtual()
                .start(() -> {
                  try {
                    for (GenerationRequest request : requests) {
                      assertCalled(model, request);
                    }
                  } catch (RuntimeException | Error e) {
                    failures.add(e);
                  }
                }));
      }
      for (Thread thread : threads) {
        thread.join();
      }
    }
    assertEquals(List.of(), failures);
  }

  private static void assertCalled(LanguageModel model, GenerationRequest request) {
    Thread caller = Thread.currentThread();
    List<Integer> heard = new ArrayList<>();
    GenerationResult result =
        model.generate(
            request,
            new GenerationListener() {
              @Override
              public void onToken(int token, int recurrences) {
                assertEquals(caller, Thread.currentThread());
                assertThrows(IllegalStateException.class, () -> model.generate(request));
                assertThrows(IllegalStateException.class, model::close);
                heard.add(token);
              }

              @Override
              public void onText(String text) {}
            });
    assertSame(alone.generate(request), result);
    assertEquals(result.tokens(), heard);
    if (result.tokens().size() > 1) {
      RuntimeException thrown = new ArithmeticException("at the second token");
      int[] count = {0};
      assertEquals(
          thrown,
          assertThrows(
              ArithmeticException.class,
              () ->
                  model.generate(
                      request,
                      new GenerationListener() {
                        @Override
                        public void onToken(int token, int recurrences) {
                          if (++count[0] == 2) {
                            throw thrown;
                          }
                        }

                        @Override
                        public void onText(String text) {}
                      })));
    }
  }

  /** Holds the thread that computes until it is let go. */
  private static final class Hold implements GenerationListener {
    final CountDownLatch begun = new CountDownLatch(1);
    final CountDownLatch leave = new CountDownLatch(1);

    @Override
    public void onPrompt(int[] tokens) {
      begun.countDown();
      try {
        leave.await();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }

    @Override
    public void onText(String text) {}
  }

  @Test
  void aFullQueueRefusesAndACancelledRequestLeavesItAtOnce() throws InterruptedException {
    Hold hold = new Hold();
    try (LanguageModel model = served(1, ServiceOptions.UNLIMITED, 2, PrefixReuse.OFF)) {
      Submission<GenerationResult> first = model.submit(request(1).build(), hold);
      hold.begun.await();
      Submission<GenerationResult> second =
          model.submit(request(2).build(), GenerationListener.NONE);
      Submission<GenerationResult> third =
          model.submit(request(3).build(), GenerationListener.NONE);
      GenerationRequest more = request(4).build();
      String message =
          assertThrows(QueueFullException.class, () -> model.submit(more, GenerationListener.NONE))
              .getMessage();
      assertTrue(message.contains("2 requests wait"), message);
      // The thread that computes is held: nothing but the queue can answer.
      second.cancel();
      assertTrue(second.await().isEmpty());
      assertFalse(first.isDone());
      Submission<GenerationResult> fourth = model.submit(more, GenerationListener.NONE);
      hold.leave.countDown();
      assertSame(alone.generate(request(3).build()), third.await().orElseThrow());
      assertSame(alone.generate(more), fourth.await().orElseThrow());
      assertTrue(first.await().isPresent());
    }
  }

  @Test
  void aRequestThatIsComputedIsCancelledBetweenForwards() throws InterruptedException {
    try (LanguageModel model = served(2, ServiceOptions.UNLIMITED, 2, PrefixReuse.OFF)) {
      CountDownLatch some = new CountDownLatch(3);
      Submission<GenerationResult> running =
          model.submit(
              request(1).maxTokens(60).recurrence(8).ignoreEndOfSequence(true).build(),
              new GenerationListener() {
                @Override
                public void onToken(int token, int recurrences) {
                  some.countDown();
                }

                @Override
                public void onText(String text) {}
              });
      some.await();
      running.cancel();
      GenerationResult result = running.await().orElseThrow();
      assertTrue(result.finishReason() == FinishReason.CANCELLED || result.tokens().size() == 60);
    }
  }

  @Test
  void memoryIsReservedAndWhatNeverFitsIsRefusedWithFigures() throws InterruptedException {
    long one = alone.generate(request(1, 2, 3).build()).keyValueBytes();
    try (LanguageModel model = served(8, 2 * one, 100, PrefixReuse.EXACT)) {
      GenerationRequest large = request(1, 2, 3).maxTokens(100).build();
      String message =
          assertThrows(
                  IllegalArgumentException.class,
                  () -> model.submit(large, GenerationListener.NONE))
              .getMessage();
      assertTrue(message.contains(" bytes, more than the " + 2 * one), message);
      assertThrows(IllegalArgumentException.class, () -> model.generate(large));
      List<Submission<GenerationResult>> submissions = new ArrayList<>();
      long[] most = {0};
      for (int i = 0; i < 20; i++) {
        submissions.add(
            model.submit(
                request(1, 2, i).build(),
                new GenerationListener() {
                  @Override
                  public void onToken(int token, int recurrences) {
                    ServiceLoad load = model.serviceLoad();
                    most[0] = Math.max(most[0], load.reservedBytes() + load.keptBytes());
                  }

                  @Override
                  public void onText(String text) {}
                }));
      }
      for (int i = 0; i < 20; i++) {
        assertEquals(
            alone.generate(request(1, 2, i).build()).tokens(),
            submissions.get(i).await().orElseThrow().tokens());
      }
      assertTrue(most[0] <= 2 * one, most[0] + " of " + 2 * one);
      assertEquals(0, model.serviceLoad().reservedBytes());
    }
  }

  private static GenerationResult submit(LanguageModel model, GenerationRequest request)
      throws InterruptedException {
    return model.submit(request, GenerationListener.NONE).await().orElseThrow();
  }

  @Test
  void prefixesAreComputedOnceAndChangeNothing() throws InterruptedException {
    try (LanguageModel model = served(4, ServiceOptions.UNLIMITED, 10, PrefixReuse.EXACT)) {
      GenerationRequest first = request(5, 6, 7, 8).build();
      GenerationResult answer = submit(model, first);
      assertEquals(4, answer.timings().prefillTokens());
      // The whole conversation so far, less the token that was chosen last and not computed.
      List<Integer> longer = new ArrayList<>(answer.promptTokens());
      longer.addAll(answer.tokens());
      longer.addAll(List.of(9, 10));
      int[] prompt = longer.stream().mapToInt(Integer::intValue).toArray();
      GenerationResult next = submit(model, request(prompt).build());
      assertEquals(3, next.timings().prefillTokens());
      assertEquals(alone.generate(request(prompt).build()).tokens(), next.tokens());
      // Twice at once from one prefix, and another that leaves it in the middle.
      Submission<GenerationResult> left =
          model.submit(request(prompt).build(), GenerationListener.NONE);
      GenerationResult branch = submit(model, request(5, 6, 7, 11, 12).build());
      assertEquals(2, branch.timings().prefillTokens());
      assertEquals(alone.generate(request(5, 6, 7, 11, 12).build()).tokens(), branch.tokens());
      assertEquals(next.tokens(), left.await().orElseThrow().tokens());
      // Whatever keys and values depend on makes them others.
      for (GenerationRequest other :
          List.of(
              request(prompt).recurrence(5).build(),
              request(prompt).initialState(InitialState.zero()).build(),
              request(prompt)
                  .decoding(
                      DecodingOptions.defaults().withExit(ExitOptions.of(ExitCriteria.parse("kl"))))
                  .build())) {
        GenerationResult result = submit(model, other);
        assertEquals(prompt.length, result.timings().prefillTokens());
        assertSame(alone.generate(other), result);
      }
      assertTrue(model.serviceLoad().prefixHits() >= 3);
    }
  }

  @Test
  void probabilitiesAreThoseOfAScore() throws InterruptedException {
    GenerationRequest request =
        request(3, 1, 4)
            .sampling(SamplingOptions.greedy().withTemperature(2).withSeed(5))
            .logProbabilities(3)
            .build();
    List<Double> heard = new ArrayList<>();
    List<Integer> best = new ArrayList<>();
    GenerationResult result =
        alone.generate(
            request,
            new GenerationListener() {
              @Override
              public void onProbabilities(
                  int token, double logProbability, List<TokenProbability> alternatives) {
                assertEquals(3, alternatives.size());
                assertTrue(alternatives.get(0).logProbability() >= logProbability);
                heard.add(logProbability);
                best.add(alternatives.get(0).token());
              }

              @Override
              public void onText(String text) {}
            });
    ScoreRequest score =
        new ScoreRequest(
            new Prompt.Tokens(3, 1, 4),
            List.of(new Prompt.Tokens(result.tokens().stream().mapToInt(i -> i).toArray())),
            4,
            request.initialState(),
            DecodingOptions.defaults(),
            2);
    ContinuationScores scores = alone.submit(score).await().orElseThrow();
    assertEquals(scores.logProbabilities().getFirst().size(), heard.size());
    for (int i = 0; i < heard.size(); i++) {
      assertEquals(scores.logProbabilities().getFirst().get(i), heard.get(i), 1e-9);
      List<TokenProbability> likeliest = scores.alternatives().getFirst().get(i);
      assertEquals(2, likeliest.size());
      assertEquals(best.get(i), likeliest.get(0).token());
    }
  }

  @Test
  void drainingEndsWhatThereIsAndRefusesMore() throws InterruptedException {
    try (LanguageModel model = served(1, ServiceOptions.UNLIMITED, 10, PrefixReuse.OFF)) {
      List<Submission<GenerationResult>> submissions = new ArrayList<>();
      for (int i = 0; i < 5; i++) {
        submissions.add(model.submit(request(i).build(), GenerationListener.NONE));
      }
      model.drain(Duration.ofMinutes(1));
      for (Submission<GenerationResult> submission : submissions) {
        assertTrue(submission.isDone());
        assertTrue(submission.await().isPresent());
      }
      assertThrows(
          IllegalStateException.class,
          () -> model.submit(request(1).build(), GenerationListener.NONE));
      assertThrows(IllegalStateException.class, () -> model.generate(request(1).build()));
    }
  }

  @Test
  void whatDoesNotEndInTimeIsCancelledAndClosingRefusesWhatWaits() throws InterruptedException {
    Hold hold = new Hold();
    LanguageModel model = served(1, ServiceOptions.UNLIMITED, 10, PrefixReuse.OFF);
    Submission<GenerationResult> held = model.submit(request(1).maxTokens(50).build(), hold);
    hold.begun.await();
    Submission<GenerationResult> waiting =
        model.submit(request(2).build(), GenerationListener.NONE);
    Thread closer = Thread.ofVirtual().start(model::close);
    assertInstanceOf(IllegalStateException.class, waiting.await().failure().orElseThrow());
    model.drain(Duration.ZERO);
    hold.leave.countDown();
    closer.join();
    assertEquals(FinishReason.CANCELLED, held.await().orElseThrow().finishReason());
  }

  @Test
  void aBatchBesideOthersIsTheSame() throws InterruptedException {
    SplittableRandom random = new SplittableRandom(6);
    try (LanguageModel model = served(2, ServiceOptions.UNLIMITED, 10, PrefixReuse.OFF)) {
      Submission<GenerationResult> other =
          model.submit(
              request(1).maxTokens(60).ignoreEndOfSequence(true).build(), GenerationListener.NONE);
      List<GenerationRequest> requests = new ArrayList<>();
      for (int i = 0; i < 12; i++) {
        requests.add(random(random));
      }
      Thread caller = Thread.currentThread();
      List<Integer> ended = new ArrayList<>();
      var outcomes =
          model.generateAll(
              requests,
              5,
              (result, index) -> {
                assertEquals(caller, Thread.currentThread());
                ended.add(index);
                if (index == 3) {
                  throw new ArithmeticException("a listener's own");
                }
              },
              new Cancellation());
      assertEquals(12, ended.size());
      for (int i = 0; i < 12; i++) {
        if (i == 3) {
          assertInstanceOf(ArithmeticException.class, outcomes.get(i).failure().orElseThrow());
        } else {
          assertSame(alone.generate(requests.get(i)), outcomes.get(i).orElseThrow());
        }
      }
      assertEquals(60, other.await().orElseThrow().tokens().size());
    }
  }
}
