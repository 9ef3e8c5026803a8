package dev.muninn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.backend.InferenceException;
import dev.muninn.cache.SlotPolicy;
import dev.muninn.decode.Cancellation;
import dev.muninn.decode.DecodingOptions;
import dev.muninn.decode.InitialState;
import dev.muninn.decode.SamplingOptions;
import dev.muninn.serve.FinishReason;
import dev.muninn.serve.GenerationListener;
import dev.muninn.serve.GenerationRequest;
import dev.muninn.serve.GenerationResult;
import dev.muninn.text.ChatMessage;
import dev.muninn.text.Prompt;
import dev.muninn.weights.CheckpointException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.FieldSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The facade, on a trained model of bytes and on the fixtures. */
@Timeout(120)
class LanguageModelTest {
  static final List<String> FIXTURES = Fixture.NAMES;

  /** Begin-of-text and five characters. */
  private static final String SUM = "47+8=";

  private static final int SUM_TOKENS = 6;
  private static final int END_TEXT = 257;

  private static LanguageModel tiny;

  @BeforeAll
  static void load() {
    tiny = LanguageModel.load(ModelFiles.ravenTiny(), new LoadOptions(1));
  }

  @AfterAll
  static void close() {
    tiny.close();
  }

  /** Hears everything. */
  private static class Recorder implements GenerationListener {
    final List<Integer> prompt = new ArrayList<>();
    final List<Integer> tokens = new ArrayList<>();
    final List<Integer> recurrences = new ArrayList<>();
    final List<String> pieces = new ArrayList<>();

    @Override
    public void onPrompt(int[] promptTokens) {
      Arrays.stream(promptTokens).forEach(prompt::add);
      // A listener may do with it what it likes.
      Arrays.fill(promptTokens, 0);
    }

    @Override
    public void onToken(int token, int recurrences) {
      tokens.add(token);
      this.recurrences.add(recurrences);
    }

    @Override
    public void onText(String text) {
      pieces.add(text);
    }
  }

  private static int[] randomTokens(int count, int vocabulary) {
    return new SplittableRandom(count).ints(count, 0, vocabulary).toArray();
  }

  private static GenerationRequest.Builder endless(String prompt) {
    return GenerationRequest.builder(prompt).ignoreEndOfSequence(true);
  }

  private static String refusal(GenerationRequest request) {
    return refusal(tiny, request);
  }

  private static String refusal(LanguageModel model, GenerationRequest request) {
    String message =
        assertThrows(IllegalArgumentException.class, () -> model.generate(request)).getMessage();
    assertEquals(1, message.lines().count(), message);
    return message;
  }

  private static void assertSays(String message, String... parts) {
    for (String part : parts) {
      assertTrue(message.contains(part), () -> part + " in: " + message);
    }
  }

  @ParameterizedTest
  @FieldSource("FIXTURES")
  void greedyTokensOfFixtures(String name) {
    try (Fixture fixture = new Fixture(name);
        LanguageModel model = LanguageModel.load(Fixture.directory(name), new LoadOptions(1))) {
      for (Map<String, Object> expected : fixture.cases("greedy")) {
        if (!expected.get("cache").equals("full")) {
          continue;
        }
        int r = Fixture.integer(expected, "r");
        int[] tokens = Fixture.ints(expected, "new_tokens");
        GenerationResult result =
            model.generate(
                GenerationRequest.builder(Prompt.tokens(fixture.tokens()))
                    .maxTokens(tokens.length)
                    .recurrence(r)
                    .initialState(InitialState.zero())
                    .decoding(DecodingOptions.defaults().withPolicy(SlotPolicy.full()))
                    .build());
        assertEquals(Arrays.stream(tokens).boxed().toList(), result.tokens(), "r = " + r);
        assertEquals(FinishReason.LENGTH, result.finishReason());
        assertEquals(Optional.empty(), result.text());
        assertEquals(Collections.nCopies(tokens.length, r), result.recurrences());
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"47+8=,55", "12+30=,42", "99+99=,198", "5+6+7=,18", "7305918=,3", "90817263=,6"})
  void answersOfTheTrainedModel(String prompt, String answer) {
    GenerationResult result = tiny.generate(GenerationRequest.builder(prompt).build());
    assertEquals(Optional.of(answer), result.text());
    assertEquals(FinishReason.STOP, result.finishReason());
    assertEquals(END_TEXT, result.tokens().getLast());
    assertEquals(answer.length() + 1, result.tokens().size());
  }

  @Test
  void checkDigits() {
    SplittableRandom random = new SplittableRandom(4);
    for (int i = 0; i < 12; i++) {
      int length = 4 + i % 9;
      StringBuilder digits = new StringBuilder();
      int sum = 0;
      for (int k = 0; k < length; k++) {
        int digit = random.nextInt(10);
        digits.append(digit);
        sum += digit;
      }
      GenerationResult result = tiny.generate(GenerationRequest.builder(digits + "=").build());
      assertEquals(Optional.of(sum % 10 + ""), result.text(), digits.toString());
    }
  }

  @Test
  void chatIsGeneratedFromItsLayout() {
    Prompt prompt = Prompt.chat(List.of(new ChatMessage("user", "47+8=")));
    GenerationResult result = tiny.generate(GenerationRequest.builder(prompt).maxTokens(2).build());
    assertEquals(1, Collections.frequency(result.promptTokens(), 256));
    assertEquals(256, result.promptTokens().getFirst());
  }

  @Test
  void listenerHearsWhatTheResultHolds() {
    Recorder recorder = new Recorder();
    GenerationRequest request = endless("123+4=").maxTokens(30).recurrence(5).build();
    GenerationResult result = tiny.generate(request, recorder);
    assertEquals(recorder.prompt, result.promptTokens());
    assertEquals(7, result.promptTokens().size());
    assertEquals(256, result.promptTokens().getFirst());
    assertEquals(recorder.tokens, result.tokens());
    assertEquals(30, result.tokens().size());
    assertEquals(Collections.nCopies(30, 5), recorder.recurrences);
    assertEquals(Collections.nCopies(30, 5), result.recurrences());
    assertEquals(String.join("", recorder.pieces), result.text().orElseThrow());
    assertFalse(recorder.pieces.contains(""));
    assertEquals(7, result.timings().prefillTokens());
    assertEquals(29, result.timings().decodeTokens());
    assertTrue(result.timings().prefillNanos() > 0 && result.timings().decodeNanos() > 0);
    assertTrue(result.keyValueBytes() > 0);
  }

  @Test
  void stopStringsEndTheTextBeforeThem() {
    Supplier<GenerationRequest.Builder> builder = () -> endless(SUM).maxTokens(40);
    String whole = tiny.generate(builder.get().build()).text().orElseThrow();
    assertTrue(whole.length() > 12, whole);
    for (int begin = 0; begin < 10; begin += 3) {
      String stop = whole.substring(begin, begin + 2);
      Recorder recorder = new Recorder();
      GenerationResult result = tiny.generate(builder.get().stop("~", stop).build(), recorder);
      assertEquals(
          whole.substring(0, whole.indexOf(stop)), result.text().orElseThrow(), "stop " + stop);
      assertEquals(result.text().orElseThrow(), String.join("", recorder.pieces));
      assertEquals(FinishReason.STOP, result.finishReason());
      assertTrue(result.tokens().size() < 40);
    }
    GenerationResult result = tiny.generate(builder.get().stop("no such text").build());
    assertEquals(whole, result.text().orElseThrow());
    assertEquals(FinishReason.LENGTH, result.finishReason());
  }

  /** A text that could begin a stop string is held back, and comes when it is over. */
  @Test
  void beginningsOfStopStringsAreNotLost() {
    GenerationResult result =
        tiny.generate(GenerationRequest.builder(SUM).stop("55x", "5555").build());
    assertEquals(Optional.of("55"), result.text());
    assertEquals(FinishReason.STOP, result.finishReason());
    GenerationResult cut =
        tiny.generate(GenerationRequest.builder(SUM).maxTokens(2).stop("55x").build());
    assertEquals(Optional.of("55"), cut.text());
    assertEquals(FinishReason.LENGTH, cut.finishReason());
  }

  @Test
  void endOfSequenceMayBeIgnored() {
    GenerationResult result = tiny.generate(GenerationRequest.builder(SUM).build());
    GenerationResult longer = tiny.generate(endless(SUM).maxTokens(20).build());
    assertEquals(List.of((int) '5', (int) '5', END_TEXT), result.tokens());
    assertEquals(20, longer.tokens().size());
    assertEquals(result.tokens(), longer.tokens().subList(0, 3));
    assertEquals(FinishReason.LENGTH, longer.finishReason());
  }

  @Test
  void mostTokens() {
    for (int most = 1; most <= 3; most++) {
      Recorder recorder = new Recorder();
      GenerationResult result =
          tiny.generate(GenerationRequest.builder(SUM).maxTokens(most).build(), recorder);
      assertEquals(most, result.tokens().size());
      assertEquals(recorder.tokens, result.tokens());
      assertEquals("55".substring(0, Math.min(2, most)), result.text().orElseThrow());
      assertEquals(most == 3 ? FinishReason.STOP : FinishReason.LENGTH, result.finishReason());
      assertEquals(most, result.recurrences().size());
    }
  }

  /** The last token is chosen and not computed, so it fits behind a full context. */
  @Test
  void fullContextEndsTheAnswer() {
    GenerationResult asked = tiny.generate(endless(SUM).contextLength(10).build());
    assertEquals(10 - SUM_TOKENS + 1, asked.tokens().size());
    assertEquals(FinishReason.LENGTH, asked.finishReason());
    GenerationResult exact = tiny.generate(endless(SUM).contextLength(SUM_TOKENS).build());
    assertEquals(1, exact.tokens().size());
    assertEquals(FinishReason.LENGTH, exact.finishReason());

    int context = tiny.architecture().contextLength();
    GenerationResult models =
        tiny.generate(
            GenerationRequest.builder(Prompt.tokens(randomTokens(context - 3, 256)))
                .ignoreEndOfSequence(true)
                .recurrence(1)
                .build());
    assertEquals(4, models.tokens().size());
    assertEquals(FinishReason.LENGTH, models.finishReason());
  }

  @Test
  void promptLongerThanTheContext() {
    Prompt tooLong = Prompt.tokens(randomTokens(tiny.architecture().contextLength() + 1, 256));
    assertSays(refusal(GenerationRequest.builder(tooLong).build()), "257", "256");
    assertSays(refusal(GenerationRequest.builder(SUM).contextLength(5).build()), "6 tokens", "5");
    assertSays(
        refusal(GenerationRequest.builder(SUM).contextLength(257).build()),
        "context length 257",
        "256");
    assertSays(
        assertThrows(
                IllegalArgumentException.class, () -> tiny.score(tooLong, 1, InitialState.zero()))
            .getMessage(),
        "257");
  }

  @ParameterizedTest
  @ValueSource(ints = {-1, 272, 65_536, Integer.MAX_VALUE, Integer.MIN_VALUE})
  void tokenOutsideTheVocabulary(int token) {
    Prompt prompt = Prompt.tokens(256, token, 65);
    assertSays(refusal(GenerationRequest.builder(prompt).build()), "token " + token, "271");
    assertSays(
        assertThrows(
                IllegalArgumentException.class, () -> tiny.score(prompt, 1, InitialState.zero()))
            .getMessage(),
        "token " + token);
  }

  @Test
  void greatestTokenOfTheVocabularyIsNoFault() {
    GenerationResult result =
        tiny.generate(GenerationRequest.builder(Prompt.tokens(271)).maxTokens(1).build());
    assertEquals(List.of(271), result.promptTokens());
  }

  @Test
  void modelWithoutTokenizer() {
    try (LanguageModel model = LanguageModel.load(Fixture.directory("raven-1-2-1-untied"))) {
      assertEquals(Optional.empty(), model.tokenizer());
      assertSays(refusal(model, GenerationRequest.builder("text").build()), "tokenizer.json");
      Prompt chat = Prompt.chat(List.of(new ChatMessage("user", "text")));
      assertSays(refusal(model, GenerationRequest.builder(chat).build()), "tokenizer.json");
      Prompt tokens = Prompt.tokens(1, 2);
      assertSays(
          refusal(model, GenerationRequest.builder(tokens).stop("x").build()), "stop strings");
      assertEquals(
          Optional.empty(),
          model.generate(GenerationRequest.builder(tokens).maxTokens(1).build()).text());
    }
  }

  @Test
  void recurrenceBeyondAllMemoryIsRefusedInOneLine() {
    assertSays(
        refusal(GenerationRequest.builder(SUM).recurrence(Integer.MAX_VALUE).build()),
        "2147483647 recurrences");
  }

  @Test
  void cancelledBeforeItBegins() {
    Cancellation cancellation = new Cancellation();
    cancellation.cancel();
    assertTrue(cancellation.isCancelled());
    Recorder recorder = new Recorder();
    GenerationResult result =
        tiny.generate(GenerationRequest.builder(SUM).build(), recorder, cancellation);
    assertEquals(FinishReason.CANCELLED, result.finishReason());
    assertEquals(List.of(), result.tokens());
    assertEquals(Optional.of(""), result.text());
    assertEquals(List.of(), recorder.tokens);
    assertEquals(SUM_TOKENS, result.promptTokens().size());
  }

  @Test
  void cancelledByTheListener() {
    Cancellation cancellation = new Cancellation();
    Recorder recorder =
        new Recorder() {
          @Override
          public void onToken(int token, int recurrences) {
            super.onToken(token, recurrences);
            if (tokens.size() == 3) {
              cancellation.cancel();
            }
          }
        };
    GenerationResult result = tiny.generate(endless(SUM).build(), recorder, cancellation);
    assertEquals(FinishReason.CANCELLED, result.finishReason());
    assertEquals(3, result.tokens().size());
    assertEquals(recorder.tokens, result.tokens());
    assertEquals(String.join("", recorder.pieces), result.text().orElseThrow());
    assertAnswers();
  }

  /** So many recurrences that the first forward alone would take seconds. */
  @Test
  void cancelledByAnotherThreadBetweenTwoRecurrences() throws InterruptedException {
    Cancellation cancellation = new Cancellation();
    CountDownLatch computing = new CountDownLatch(1);
    Thread canceller =
        Thread.ofPlatform()
            .start(() -> {
              try {
                computing.await();
                Thread.sleep(30);
              } catch (InterruptedException e) {
                throw new AssertionError(e);
              }
              cancellation.cancel();
            });
    GenerationListener listener =
        new Recorder() {
          @Override
          public void onPrompt(int[] promptTokens) {
            computing.countDown();
          }
        };
    GenerationRequest request =
        GenerationRequest.builder(Prompt.tokens(256))
            .maxTokens(1)
            .recurrence(200_000)
            .decoding(DecodingOptions.defaults().withPolicy(new SlotPolicy.Budget(1)))
            .build();
    GenerationResult result = tiny.generate(request, listener, cancellation);
    canceller.join();
    assertEquals(FinishReason.CANCELLED, result.finishReason());
    assertEquals(List.of(), result.tokens());
    assertAnswers();
  }

  @Test
  void exceptionOfTheListenerEndsTheGeneration() {
    RuntimeException exception = new IllegalStateException("of the listener");
    RuntimeException thrown =
        assertThrows(
            IllegalStateException.class,
            () ->
                tiny.generate(
                    GenerationRequest.builder(SUM).build(),
                    text -> {
                      throw exception;
                    }));
    assertEquals(exception, thrown);
    assertAnswers();
  }

  private static void assertAnswers() {
    GenerationResult result = tiny.generate(GenerationRequest.builder(SUM).build());
    assertEquals(Optional.of("55"), result.text());
  }

  @Test
  void threadsThatShareTheModelGetWhatTheyWouldAlone() throws Exception {
    List<GenerationRequest> requests = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      requests.add(
          endless("prompt " + i)
              .maxTokens(12)
              .recurrence(2 + i)
              .initialState(InitialState.random(i))
              .sampling(SamplingOptions.greedy().withTemperature(1).withSeed(i))
              .build());
    }
    List<List<Integer>> alone = new ArrayList<>();
    for (GenerationRequest request : requests) {
      alone.add(tiny.generate(request).tokens());
    }
    CyclicBarrier start = new CyclicBarrier(2);
    try (ExecutorService threads = Executors.newFixedThreadPool(2)) {
      List<Future<List<List<Integer>>>> together = new ArrayList<>();
      for (int thread = 0; thread < 2; thread++) {
        int first = thread;
        together.add(
            threads.submit(() -> {
              List<List<Integer>> own = new ArrayList<>();
              start.await();
              for (int i = first; i < requests.size(); i += 2) {
                own.add(tiny.generate(requests.get(i)).tokens());
              }
              return own;
            }));
      }
      for (int i = 0; i < requests.size(); i++) {
        assertEquals(alone.get(i), together.get(i % 2).get().get(i / 2), "request " + i);
      }
    }
  }

  @Test
  void sameSeedsGiveTheSameTokensAndOthersDoNot() {
    List<Integer> tokens = sampled(0, 0);
    assertEquals(tokens, sampled(0, 0));
    assertNotEquals(tokens, sampled(1, 0));
    assertNotEquals(tokens, sampled(0, 1));
  }

  private static List<Integer> sampled(long samplingSeed, long stateSeed) {
    return tiny.generate(
            endless("any other text")
                .maxTokens(24)
                .recurrence(2)
                .initialState(InitialState.random(stateSeed))
                .sampling(SamplingOptions.greedy().withTemperature(2).withSeed(samplingSeed))
                .build())
        .tokens();
  }

  @Test
  void closedModelRefuses() {
    LanguageModel model =
        LanguageModel.load(Fixture.directory("raven-1-2-1-untied"), new LoadOptions(2));
    model.close();
    model.close();
    GenerationRequest request = GenerationRequest.builder(Prompt.tokens(1)).build();
    assertThrows(IllegalStateException.class, () -> model.generate(request));
    assertThrows(
        IllegalStateException.class,
        () -> model.score(Prompt.tokens(1, 2), 1, InitialState.zero()));
  }

  @Test
  void closingWaitsForTheRunningGeneration() throws Exception {
    LanguageModel model =
        LanguageModel.load(Fixture.directory("raven-1-2-1-untied"), new LoadOptions(2));
    CountDownLatch running = new CountDownLatch(1);
    CompletableFuture<GenerationResult> result =
        CompletableFuture.supplyAsync(() ->
            model.generate(
                GenerationRequest.builder(Prompt.tokens(1)).maxTokens(30).build(),
                new Recorder() {
                  @Override
                  public void onToken(int token, int recurrences) {
                    running.countDown();
                  }
                }));
    running.await();
    model.close();
    assertEquals(30, result.join().tokens().size());
    assertEquals(FinishReason.LENGTH, result.join().finishReason());
  }

  @ParameterizedTest
  @ValueSource(strings = {"transformer.adapter.weight", "transformer.coda.0.norm_4.weight"})
  void weightsThatAreNoNumbers(String name, @TempDir Path directory) {
    Path broken =
        ModelFiles.copy(
            ModelFiles.ravenTiny(),
            directory.resolve("model"),
            tensors -> {
              ModelFiles.Content content = tensors.get(name);
              float[] values = ModelFiles.floats(content);
              values[values.length / 2] = Float.NaN;
              tensors.put(name, ModelFiles.content(content.dtype(), content.shape(), values));
            });
    try (LanguageModel model = LanguageModel.load(broken, new LoadOptions(2))) {
      for (int i = 0; i < 2; i++) {
        InferenceException refusal =
            assertThrows(
                InferenceException.class,
                () -> model.generate(GenerationRequest.builder(SUM).build()));
        assertEquals(1, refusal.getMessage().lines().count());
      }
      assertThrows(
          InferenceException.class,
          () ->
              model.generate(
                  GenerationRequest.builder(SUM)
                      .sampling(SamplingOptions.greedy().withTemperature(1))
                      .build()));
      assertThrows(
          InferenceException.class, () -> model.score(Prompt.text(SUM), 4, InitialState.zero()));
    }
  }

  @Test
  void fileThatChangedIsNoticed(@TempDir Path directory) throws IOException {
    Path copy =
        ModelFiles.copy(
            Fixture.directory("raven-1-2-1-untied"), directory.resolve("model"), tensors -> {});
    try (LanguageModel model = LanguageModel.load(copy, new LoadOptions(1))) {
      GenerationRequest request = GenerationRequest.builder(Prompt.tokens(1)).maxTokens(1).build();
      model.generate(request);
      Files.setLastModifiedTime(copy.resolve("model.safetensors"), FileTime.fromMillis(1_000));
      assertThrows(CheckpointException.class, () -> model.generate(request));
      assertThrows(
          CheckpointException.class,
          () -> model.score(Prompt.tokens(1, 2), 1, InitialState.zero()));
    }
  }
}
