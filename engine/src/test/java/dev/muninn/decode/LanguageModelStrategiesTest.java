package dev.muninn.decode;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.LanguageModel;
import dev.muninn.LoadOptions;
import dev.muninn.ModelFiles;
import dev.muninn.serve.FinishReason;
import dev.muninn.serve.GenerationListener;
import dev.muninn.serve.GenerationRequest;
import dev.muninn.serve.GenerationResult;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What ends a text ends it in every strategy, on a trained model of sums and check digits. */
class LanguageModelStrategiesTest {
  private static final int END_TEXT = 257;
  private static LanguageModel model;

  @BeforeAll
  static void open() {
    model = LanguageModel.load(ModelFiles.ravenTiny(), new LoadOptions(1));
  }

  @AfterAll
  static void close() {
    model.close();
  }

  static Stream<Arguments> strategies() {
    DecodingOptions plain = DecodingOptions.defaults();
    return Stream.of(
        Arguments.of("sequential", plain),
        Arguments.of("kl exits", plain.withExit(ExitOptions.of(ExitCriteria.parse("kl")))),
        Arguments.of("warm start", plain.withWarmStart(true)),
        Arguments.of("speculative", plain.withStrategy(new Strategy.Speculative(2, 4))),
        Arguments.of("parallel", plain.withStrategy(Strategy.Parallel.defaults())));
  }

  private static GenerationRequest.Builder request(String prompt, DecodingOptions options) {
    return GenerationRequest.builder(prompt).maxTokens(12).recurrence(8).decoding(options);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("strategies")
  void endOfTextEndsAnAnswer(String name, DecodingOptions options) {
    GenerationResult result = model.generate(request("47+8=", options).build());
    assertEquals("55", result.text().orElseThrow());
    assertEquals(List.of((int) '5', (int) '5', END_TEXT), result.tokens());
    assertEquals(FinishReason.STOP, result.finishReason());
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("strategies")
  void aStopStringEndsAText(String name, DecodingOptions options) {
    GenerationRequest.Builder request = request("1+2=3;47+8=", options).ignoreEndOfSequence(true);
    GenerationResult whole = model.generate(request.build());
    assertEquals(12, whole.tokens().size());
    assertEquals(FinishReason.LENGTH, whole.finishReason());
    String text = whole.text().orElseThrow();
    for (int from = 0; from + 2 <= text.length(); from += 2) {
      String stop = text.substring(from, from + 2);
      GenerationResult result =
          model.generate(
              request("1+2=3;47+8=", options).ignoreEndOfSequence(true).stop(stop).build());
      assertEquals(text.substring(0, text.indexOf(stop)), result.text().orElseThrow());
      assertEquals(FinishReason.STOP, result.finishReason());
      int count = result.tokens().size();
      assertEquals(whole.tokens().subList(0, count), result.tokens());
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("strategies")
  void cancellationKeepsWhatThereIs(String name, DecodingOptions options) {
    GenerationRequest request =
        request("1+2=3;47+8=", options).maxTokens(30).ignoreEndOfSequence(true).build();
    GenerationResult whole = model.generate(request);
    Cancellation cancellation = new Cancellation();
    GenerationListener listener =
        new GenerationListener() {
          private int heard;

          @Override
          public void onToken(int token, int recurrences) {
            if (++heard == 3) {
              cancellation.cancel();
            }
          }

          @Override
          public void onText(String text) {}
        };
    GenerationResult result = model.generate(request, listener, cancellation);
    assertEquals(FinishReason.CANCELLED, result.finishReason());
    int count = result.tokens().size();
    // Some strategies choose several tokens between two recurrences.
    assertTrue(count >= 3 && count < 30, count + " tokens");
    assertEquals(whole.tokens().subList(0, count), result.tokens());
  }
}
