package dev.muninn.vector;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.muninn.Fixture;
import dev.muninn.backend.Backend;
import dev.muninn.backend.LatentRows;
import dev.muninn.backend.RowBatch;
import dev.muninn.cache.KeyValueLayout;
import dev.muninn.cache.SequenceCache;
import dev.muninn.cache.SlotPolicy;
import dev.muninn.decode.InitialState;
import dev.muninn.decode.SequenceForward;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The model's numbers against those of an independent implementation. */
class FixtureTest {
  private static final float TOLERANCE = 1e-4f;

  /** That more threads give the same bits, {@link VectorRowsTest} says. */
  static Stream<Arguments> fixturesAndThreads() {
    return Fixture.NAMES.stream()
        .flatMap(name -> Stream.of(1, 2).map(threads -> Arguments.of(name, threads)));
  }

  @ParameterizedTest
  @MethodSource("fixturesAndThreads")
  void wholePromptAtOnce(String name, int threads) {
    check(name, threads, Integer.MAX_VALUE);
  }

  @ParameterizedTest
  @MethodSource("fixturesAndThreads")
  void positionByPositionThroughTheCache(String name, int threads) {
    check(name, threads, 1);
  }

  @ParameterizedTest
  @MethodSource("fixturesAndThreads")
  void inPartsThroughTheCache(String name, int threads) {
    check(name, threads, 3);
  }

  private static void check(String name, int threads, int rowsAtOnce) {
    try (Fixture fixture = new Fixture(name);
        Backend backend = fixture.open(new VectorBackendProvider(), threads)) {
      int width = fixture.config().embeddingSize();
      int[] tokens = fixture.tokens();
      float[] prelude = Fixture.floats(fixture.expected(), "prelude");
      for (Map<String, Object> expected : fixture.cases("forward")) {
        int r = Fixture.integer(expected, "r");
        KeyValueLayout layout =
            new KeyValueLayout(fixture.config(), SlotPolicy.full(), r, tokens.length);
        float[] vector = new float[width];
        float[] logits = new float[fixture.config().vocabularySize()];
        int capacity = Math.min(rowsAtOnce, tokens.length);
        try (SequenceCache cache = new SequenceCache(layout, backend.allocate(layout));
            LatentRows rows = backend.rows(capacity)) {
          RowBatch batch = new RowBatch(capacity);
          for (int from = 0; from < tokens.length; from += capacity) {
            int to = Math.min(tokens.length, from + capacity);
            batch.clear();
            for (int p = from; p < to; p++) {
              batch.add(p - from, cache, p, tokens[p]);
              batch.setLogits(p - from, true);
            }
            rows.prelude(batch);
            for (int p = from; p < to; p++) {
              rows.readEmbedding(p - from, vector);
              assertClose(slice(prelude, p, width), vector, "e of position " + p);
              rows.writeLatent(p - from, slice(fixture.initialState(), p, width));
            }
            for (int i = 0; i < r; i++) {
              for (int row = 0; row < batch.size(); row++) {
                batch.setRecurrence(row, i);
              }
              rows.recur(batch);
            }
            rows.coda(batch);
            for (int p = from; p < to; p++) {
              rows.readLogits(p - from, logits);
              assertEquals(
                  Fixture.ints(expected, "argmax")[p], argmax(logits), "argmax of position " + p);
              if (p == 0) {
                assertClose(
                    Fixture.floats(expected, "logits_first_position"), logits, "first logits");
              }
              if (p == tokens.length - 1) {
                assertClose(Fixture.floats(expected, "logits_last"), logits, "last logits");
                rows.readNormedLatent(p - from, vector);
                assertClose(
                    Fixture.floats(expected, "normed_latent_last"), vector, "normed latent");
              }
            }
          }
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("fixturesAndThreads")
  void greedyDecodingUnderEveryCachePolicy(String name, int threads) {
    try (Fixture fixture = new Fixture(name);
        Backend backend = fixture.open(new VectorBackendProvider(), threads)) {
      for (Map<String, Object> expected : fixture.cases("greedy")) {
        int r = Fixture.integer(expected, "r");
        SlotPolicy policy =
            switch ((String) expected.get("cache")) {
              case "full" -> SlotPolicy.full();
              case "compress-s4" -> new SlotPolicy.Budget(1);
              case "compress-s8" -> new SlotPolicy.Budget(2);
              case "compress-anchor" -> new SlotPolicy.Anchor(8);
              default -> throw new AssertionError(expected.get("cache"));
            };
        int[] tokens = Fixture.ints(expected, "new_tokens");
        assertArrayEquals(
            tokens,
            greedy(fixture, backend, policy, r, fixture.tokens(), tokens.length),
            "r = " + r + ", " + policy);
      }
    }
  }

  private static int[] greedy(
      Fixture fixture, Backend backend, SlotPolicy policy, int r, int[] prompt, int count) {
    KeyValueLayout layout = new KeyValueLayout(fixture.config(), policy, r, prompt.length + count);
    List<Integer> tokens = new ArrayList<>();
    try (SequenceForward sequence =
        new SequenceForward(backend, layout, r, prompt.length, InitialState.zero(), () -> false)) {
      sequence.append(prompt);
      while (tokens.size() < count) {
        int token = argmax(sequence.logits());
        tokens.add(token);
        sequence.append(token);
      }
    }
    return tokens.stream().mapToInt(Integer::intValue).toArray();
  }

  private static float[] slice(float[] values, int index, int width) {
    return Arrays.copyOfRange(values, index * width, (index + 1) * width);
  }

  private static void assertClose(float[] expected, float[] actual, String what) {
    assertArrayEquals(expected, actual, TOLERANCE, what);
  }

  private static int argmax(float[] values) {
    int best = 0;
    for (int i = 1; i < values.length; i++) {
      if (values[i] > values[best]) {
        best = i;
      }
    }
    return best;
  }
}
