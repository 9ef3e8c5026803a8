package dev.muninn.decode;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.muninn.Fixture;
import dev.muninn.decode.ExitOptions.Prefill;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.FieldSource;

/** Positions that start from the final latent state of the one before. */
class WarmStartTest {
  static final List<String> NAMES = Fixture.NAMES;

  private static SequenceRequest warm(SequenceRequest request) {
    return request.options(request.options().withWarmStart(true));
  }

  /** The prompt starts cold; every position behind it is warm, the first one too. */
  @ParameterizedTest
  @FieldSource("NAMES")
  void warmBehindThePrompt(String name) {
    try (DecodingModel model = new DecodingModel(name)) {
      SequenceRequest request = SequenceRequest.of(model.prompt(5, 2)).recurrence(3).count(8);
      SequenceRun cold = model.run(request);
      SequenceRun run = model.run(warm(request));
      assertArrayEquals(cold.logits.get(0), run.logits.get(0), "the prompt is cold");
      assertFalse(Arrays.equals(cold.logits.get(1), run.logits.get(1)), "the first is warm");
      SpelledOut expected = new SpelledOut(model, warm(request), position -> null);
      assertArrayEquals(expected.tokenArray(), run.tokens());
      for (int i = 0; i < run.logits.size(); i++) {
        assertArrayEquals(expected.logits.get(4 + i), run.logits.get(i), "logits " + i);
      }
    }
  }

  /** The state handed on is that with which a row left, and a criterion begins with it. */
  @ParameterizedTest
  @EnumSource(Prefill.class)
  void withExits(Prefill prefill) {
    try (DecodingModel model = new DecodingModel(DecodingModel.UNTIED)) {
      int[] prompt = model.prompt(5, 2);
      SequenceRequest request = warm(SequenceRequest.of(prompt).recurrence(12).count(8));
      ExitCriteria.Factory criterion = ExitCriteria.parse("latent-diff:0.2");
      SequenceRun run =
          model.run(request.exit(new ExitOptions(Optional.of(criterion), 1, 1, prefill)));
      int[] depths = run.task.promptRecurrences();
      int first = run.recurrences()[0];
      SpelledOut expected =
          new SpelledOut(
              model,
              request,
              position ->
                  position >= prompt.length
                      ? criterion.create(model.config)
                      : RecordedExits.after(
                              prefill == Prefill.ROW ? depths[position] : first, false)
                          .create(model.config));
      assertArrayEquals(expected.tokenArray(), run.tokens());
      assertArrayEquals(expected.depthArray(prompt.length - 1), run.recurrences());
      for (int i = 0; i < run.logits.size(); i++) {
        assertArrayEquals(expected.logits.get(4 + i), run.logits.get(i), "logits " + i);
      }
    }
  }

  /** A prompt in several parts stays cold to its last position. */
  @Test
  void partsOfAPromptAreCold() {
    try (DecodingModel model = new DecodingModel(DecodingModel.UNTIED, 400)) {
      SequenceRequest request = SequenceRequest.of(model.prompt(300, 2)).recurrence(2).count(3);
      SequenceRun cold = model.run(request);
      SequenceRun run = model.run(warm(request));
      assertArrayEquals(cold.logits.get(0), run.logits.get(0));
      assertFalse(Arrays.equals(cold.logits.get(1), run.logits.get(1)));
    }
  }
}
