package dev.muninn.decode;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import dev.muninn.Fixture;
import dev.muninn.LanguageModel;
import dev.muninn.LoadOptions;
import dev.muninn.cache.SlotPolicy;
import dev.muninn.serve.FinishReason;
import dev.muninn.serve.GenerationListener;
import dev.muninn.serve.GenerationRequest;
import dev.muninn.serve.GenerationResult;
import dev.muninn.serve.Outcome;
import dev.muninn.text.Prompt;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Many prompts through {@link LanguageModel#generateAll}. */
class LanguageModelBatchTest {
  private static final int VOCABULARY = 128;
  private static LanguageModel model;

  @BeforeAll
  static void open() {
    model = LanguageModel.load(Fixture.directory("raven-1-2-1-untied"), new LoadOptions(1));
  }

  @AfterAll
  static void close() {
    model.close();
  }

  private static GenerationRequest.Builder request(int length, int maxTokens) {
    int[] tokens = new SplittableRandom(length).ints(length, 0, VOCABULARY).toArray();
    return GenerationRequest.builder(Prompt.tokens(tokens)).maxTokens(maxTokens).recurrence(5);
  }

  private static DecodingOptions exit(String criterion, ExitOptions.Prefill prefill) {
    return DecodingOptions.defaults()
        .withExit(new ExitOptions(Optional.of(ExitCriteria.parse(criterion)), 1, 1, prefill));
  }

  /** Requests of all kinds in one batch: their options need not be the same. */
  private static List<GenerationRequest> requests() {
    return List.of(
        request(4, 6).build(),
        request(1, 1).decoding(exit("kl:0.02", ExitOptions.Prefill.GROUP)).build(),
        request(9, 3).decoding(exit("latent-diff:0.2", ExitOptions.Prefill.ROW)).build(),
        request(2, 8).recurrence(3).decoding(exit("kl:0.05", ExitOptions.Prefill.ROW)).build(),
        request(6, 4).decoding(DecodingOptions.defaults().withWarmStart(true)).build(),
        request(3, 5)
            .decoding(DecodingOptions.defaults().withPolicy(new SlotPolicy.Budget(2)))
            .build(),
        request(5, 7).sampling(SamplingOptions.greedy().withTemperature(0.8f).withSeed(3)).build(),
        request(60, 9).decoding(exit("entropy-diff", ExitOptions.Prefill.NONE)).build(),
        request(7, 5).contextLength(9).build());
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 8, 100})
  void resultsAreInOrderAndTheSameAsAlone(int batchSize) {
    List<GenerationRequest> requests = requests();
    int[] heard = new int[requests.size()];
    List<GenerationResult> told = new ArrayList<>();
    List<Outcome<GenerationResult>> results =
        model.generateAll(
            requests,
            batchSize,
            (result, index) -> {
              heard[index]++;
              told.add(result);
              assertEquals(promptOf(requests.get(index)), result.promptTokens());
            },
            new Cancellation());
    assertEquals(requests.size(), results.size());
    for (int i = 0; i < heard.length; i++) {
      String what = "request " + i;
      assertEquals(1, heard[i], what);
      GenerationResult result = results.get(i).orElseThrow();
      assertTrue(told.contains(result), what);
      assertSame(model.generate(requests.get(i)), result, what);
      assertEquals(FinishReason.LENGTH, result.finishReason(), what);
    }
    // The prompt of 60 has room for 5 tokens in a context of 64, the last of 7 for 3 in one of 9.
    assertEquals(5, results.get(7).orElseThrow().tokens().size());
    assertEquals(3, results.get(8).orElseThrow().tokens().size());
  }

  private static List<Integer> promptOf(GenerationRequest request) {
    return Arrays.stream(((Prompt.Tokens) request.prompt()).tokens()).boxed().toList();
  }

  private static void assertSame(GenerationResult expected, GenerationResult result, String what) {
    assertEquals(expected.promptTokens(), result.promptTokens(), what);
    assertEquals(expected.tokens(), result.tokens(), what);
    assertEquals(expected.text(), result.text(), what);
    assertEquals(expected.recurrences(), result.recurrences(), what);
    assertEquals(expected.promptRecurrences(), result.promptRecurrences(), what);
    assertEquals(expected.statistics(), result.statistics(), what);
    assertEquals(expected.finishReason(), result.finishReason(), what);
    assertEquals(expected.keyValueBytes(), result.keyValueBytes(), what);
  }

  @Test
  void shortOnesAreHeardOfFirst() {
    List<Integer> order = new ArrayList<>();
    model.generateAll(
        List.of(request(2, 9).build(), request(2, 2).build(), request(2, 3).build()),
        2,
        (result, index) -> order.add(index),
        new Cancellation());
    assertEquals(List.of(1, 2, 0), order);
  }

  @Test
  void noRequestsAreNoWork() {
    assertEquals(
        List.of(), model.generateAll(List.of(), 4, (result, index) -> fail(), new Cancellation()));
  }

  /**
   * Cancelled when the first has ended: what is in flight keeps the tokens it has, what has not
   * begun has no result, and the model goes on with the next request as if nothing had been.
   */
  @Test
  void cancellationKeepsWhatThereIs() {
    List<GenerationRequest> requests =
        List.of(
            request(3, 20).build(),
            request(4, 3).build(),
            request(5, 2).build(),
            request(6, 2).build());
    Cancellation cancellation = new Cancellation();
    List<Integer> heard = new ArrayList<>();
    List<Outcome<GenerationResult>> results =
        model.generateAll(
            requests,
            2,
            (result, index) -> {
              heard.add(index);
              cancellation.cancel();
            },
            cancellation);
    assertEquals(List.of(1), heard);
    GenerationResult cut = results.get(0).orElseThrow();
    assertEquals(FinishReason.CANCELLED, cut.finishReason());
    GenerationResult whole = model.generate(requests.get(0));
    assertEquals(whole.tokens().subList(0, 3), cut.tokens());
    assertEquals(List.of(5, 5, 5), cut.recurrences());
    GenerationResult ended = results.get(1).orElseThrow();
    assertSame(model.generate(requests.get(1)), ended, "ended");
    assertFalse(results.get(2).isPresent());
    assertFalse(results.get(3).isPresent());
  }

  @Test
  void cancelledBeforeItBeginsItDoesNothing() {
    Cancellation cancellation = new Cancellation();
    cancellation.cancel();
    assertEquals(
        List.of(Outcome.none(), Outcome.none()),
        model.generateAll(
            List.of(request(3, 2).build(), request(2, 2).build()),
            2,
            (result, index) -> fail(),
            cancellation));
  }

  /** What was computed of a prompt is no speed if its first token was not chosen. */
  @Test
  void cancelledInThePromptItHasComputedNothing() {
    Cancellation cancellation = new Cancellation();
    List<Outcome<GenerationResult>> results =
        model.generateAll(
            List.of(request(3, 1).recurrence(1).build(), request(4, 2).recurrence(50).build()),
            2,
            (result, index) -> cancellation.cancel(),
            cancellation);
    GenerationResult cut = results.get(1).orElseThrow();
    assertEquals(FinishReason.CANCELLED, cut.finishReason());
    assertEquals(List.of(), cut.tokens());
    assertEquals(0, cut.timings().prefillTokens());
    assertTrue(cut.statistics().coreRows() > 0);
  }

  private static String refusal(GenerationRequest... requests) {
    IllegalArgumentException refusal =
        assertThrows(
            IllegalArgumentException.class,
            () ->
                model.generateAll(
                    List.of(requests), 2, (result, index) -> fail(), new Cancellation()));
    assertFalse(refusal.getMessage().contains("\n"));
    return refusal.getMessage();
  }

  @Test
  void aBadPromptIsNamedByItsNumberAndNothingIsComputed() {
    GenerationRequest good = request(3, 2).build();
    GenerationRequest beyond = GenerationRequest.builder(Prompt.tokens(1, VOCABULARY)).build();
    assertEquals(
        "prompt 3: prompt token 128 is outside the vocabulary, 0 to 127",
        refusal(good, good, beyond, good));
    assertEquals(
        "prompt 2: the prompt has 65 tokens, more than the context of 64",
        refusal(good, request(65, 1).build()));
    assertTrue(refusal(GenerationRequest.builder("text").build(), good).startsWith("prompt 1: "));
    assertTrue(refusal(good, request(2, 2).stop("x").build()).startsWith("prompt 2: "));
  }

  @Test
  void onlySequentialDecodingGoesIntoABatch() {
    GenerationRequest good = request(3, 2).build();
    DecodingOptions options = DecodingOptions.defaults();
    String expected = "a batch decodes each sequence position by position";
    assertEquals(
        expected,
        refusal(
            good,
            request(3, 2).decoding(options.withStrategy(new Strategy.Speculative(1, 2))).build()));
    assertEquals(
        expected,
        refusal(
            request(3, 2).decoding(options.withStrategy(Strategy.Parallel.defaults())).build(),
            good));
  }

  @Test
  void theBatchSizeIsPositive() {
    assertThrows(
        IllegalArgumentException.class,
        () ->
            model.generateAll(
                List.of(request(3, 2).build()), 0, (result, index) -> fail(), new Cancellation()));
  }

  /** What the listener throws at a result ends that request alone. */
  @Test
  void aListenerThatThrowsEndsItsRequest() {
    GenerationRequest request = request(3, 2).build();
    List<Outcome<GenerationResult>> outcomes =
        model.generateAll(
            List.of(request, request, request),
            2,
            (result, index) -> {
              if (index == 1) {
                throw new ArithmeticException("no");
              }
            },
            new Cancellation());
    GenerationResult alone = model.generate(request, GenerationListener.NONE);
    assertSame(alone, outcomes.get(0).orElseThrow(), "before it");
    assertSame(alone, outcomes.get(2).orElseThrow(), "behind it");
    assertTrue(outcomes.get(1).isEmpty());
    assertThrows(ArithmeticException.class, outcomes.get(1)::orElseThrow);
  }
}
