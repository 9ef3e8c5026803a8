package dev.muninn.decode;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.Fixture;
import dev.muninn.cache.KeyValueLayout;
import dev.muninn.cache.KeyValueType;
import dev.muninn.cache.SlotPolicy;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.FieldSource;

/** Decoding with keys and values stored in BF16. */
class StoredKeysAndValuesTest {
  static final List<String> NAMES = Fixture.NAMES;

  private static SlotPolicy policy(Map<String, Object> expected) {
    return switch ((String) expected.get("cache")) {
      case "full" -> SlotPolicy.full();
      case "compress-s4" -> new SlotPolicy.Budget(1);
      case "compress-s8" -> new SlotPolicy.Budget(2);
      case "compress-anchor" -> new SlotPolicy.Anchor(8);
      default -> throw new AssertionError(expected.get("cache"));
    };
  }

  /** The sequences that an independent implementation chose in F32, under all policies. */
  @ParameterizedTest
  @FieldSource("NAMES")
  void greedySequencesStayTheSame(String name) {
    try (Fixture fixture = new Fixture(name);
        DecodingModel model = new DecodingModel(name)) {
      for (Map<String, Object> expected : fixture.cases("greedy")) {
        int[] tokens = Fixture.ints(expected, "new_tokens");
        SequenceRequest request =
            SequenceRequest.of(fixture.tokens())
                .recurrence(Fixture.integer(expected, "r"))
                .count(tokens.length)
                .state(InitialState.zero())
                .options(
                    DecodingOptions.defaults()
                        .withPolicy(policy(expected))
                        .withType(KeyValueType.BF16));
        SequenceRun run = model.run(request);
        assertArrayEquals(tokens, run.tokens(), expected.get("r") + ", " + expected.get("cache"));
      }
    }
  }

  /** Rounding to 8 bits is seen in the logits, but not by much. */
  @ParameterizedTest
  @CsvSource({
    "raven-2-4-2-f32, 1",
    "raven-2-4-2-f32, 16",
    "raven-1-4-1-bf16, 4",
    "raven-1-4-1-bf16, 16",
    "raven-1-2-1-untied, 4",
    "raven-1-2-1-untied, 32"
  })
  void logitsChangeLittle(String name, int recurrence) {
    try (Fixture fixture = new Fixture(name);
        DecodingModel model = new DecodingModel(name)) {
      int[] tokens = fixture.tokens();
      int types = KeyValueType.values().length;
      float[][][] logits = new float[types][tokens.length][];
      long[] bytes = new long[types];
      for (KeyValueType type : KeyValueType.values()) {
        KeyValueLayout layout =
            new KeyValueLayout(model.config, SlotPolicy.full(), recurrence, tokens.length, type);
        bytes[type.ordinal()] = layout.bytes();
        try (SequenceForward forward =
            new SequenceForward(
                model.plain, layout, recurrence, tokens.length, InitialState.zero(), () -> false)) {
          forward.append(
              tokens, 0, (position, row) -> logits[type.ordinal()][position] = row.clone());
        }
      }
      float[][] exact = logits[KeyValueType.F32.ordinal()];
      float rounded = difference(exact, logits[KeyValueType.BF16.ordinal()]);
      assertTrue(rounded > 0 && rounded < 0.05, "greatest difference of BF16: " + rounded);
      float coarse = difference(exact, logits[KeyValueType.Q8.ordinal()]);
      assertTrue(coarse > 0 && coarse < 0.1, "greatest difference of 8 bits: " + coarse);
      assertEquals(bytes[KeyValueType.F32.ordinal()], 2 * bytes[KeyValueType.BF16.ordinal()]);
      assertTrue(bytes[KeyValueType.Q8.ordinal()] < bytes[KeyValueType.BF16.ordinal()]);
    }
  }

  private static float difference(float[][] some, float[][] others) {
    float most = 0;
    for (int position = 0; position < some.length; position++) {
      for (int token = 0; token < some[position].length; token++) {
        most = Math.max(most, Math.abs(some[position][token] - others[position][token]));
      }
    }
    return most;
  }
}
