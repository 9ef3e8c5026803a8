package dev.muninn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.backend.Backend;
import dev.muninn.backend.LatentRows;
import dev.muninn.backend.RowBatch;
import dev.muninn.cache.KeyValueLayout;
import dev.muninn.cache.SequenceCache;
import dev.muninn.cache.SlotPolicy;
import dev.muninn.decode.Decoders;
import dev.muninn.decode.DecodingOptions;
import dev.muninn.decode.ExitCriteria;
import dev.muninn.decode.ExitOptions;
import dev.muninn.decode.InitialState;
import dev.muninn.decode.Sampler;
import dev.muninn.decode.SamplingOptions;
import dev.muninn.decode.SequenceForward;
import dev.muninn.decode.SequenceTask;
import dev.muninn.model.RecurrentModel;
import dev.muninn.weights.Checkpoint;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/**
 * What every backend computes of every family: latents, logits and greedy tokens as an independent
 * implementation has them.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
public abstract class FamilyContract {
  static final List<String> NAMES = Fixture.FAMILIES;

  private final Map<String, Fixture> fixtures = new HashMap<>();
  private final Map<String, Backend> backends = new HashMap<>();

  /** Opens the backend under test. */
  protected abstract Backend open(RecurrentModel model, Checkpoint checkpoint);

  /** How far a latent or a logit may be from the independent implementation's. */
  protected abstract float tolerance();

  private Fixture fixture(String name) {
    return fixtures.computeIfAbsent(name, Fixture::new);
  }

  private Backend backend(String name) {
    return backends.computeIfAbsent(name, n -> open(fixture(n).model(), fixture(n).checkpoint()));
  }

  @AfterAll
  void close() {
    backends.values().forEach(Backend::close);
    fixtures.values().forEach(Fixture::close);
  }

  @ParameterizedTest
  @FieldSource("NAMES")
  void wholePromptAtOnce(String name) {
    for (Map<String, Object> expected : fixture(name).cases("forward")) {
      checkForward(name, List.of(expected), Integer.MAX_VALUE);
    }
  }

  @ParameterizedTest
  @FieldSource("NAMES")
  void positionByPositionThroughTheCache(String name) {
    for (Map<String, Object> expected : fixture(name).cases("forward")) {
      checkForward(name, List.of(expected), 1);
    }
  }

  @ParameterizedTest
  @FieldSource("NAMES")
  void inPartsThroughTheCache(String name) {
    for (Map<String, Object> expected : fixture(name).cases("forward")) {
      checkForward(name, List.of(expected), 3);
    }
  }

  /** Sequences of different depths in the same calls. */
  @ParameterizedTest
  @FieldSource("NAMES")
  void allDepthsSideBySide(String name) {
    checkForward(name, fixture(name).cases("forward"), 1);
    checkForward(name, fixture(name).cases("forward"), Integer.MAX_VALUE);
  }

  private void checkForward(String name, List<Map<String, Object>> cases, int rowsAtOnce) {
    Fixture fixture = fixture(name);
    Backend backend = backend(name);
    int[] tokens = fixture.tokens();
    int most = Math.min(rowsAtOnce, tokens.length);
    List<SequenceCache> caches = new ArrayList<>();
    try (LatentRows rows = backend.rows(most * cases.size())) {
      for (Map<String, Object> expected : cases) {
        KeyValueLayout layout =
            new KeyValueLayout(
                fixture.model(), SlotPolicy.full(), Fixture.integer(expected, "r"), tokens.length);
        caches.add(new SequenceCache(layout, backend.allocate(layout)));
      }
      for (int from = 0; from < tokens.length; from += most) {
        int to = Math.min(tokens.length, from + most);
        computePart(fixture, rows, caches, from, to, most);
        for (int c = 0; c < cases.size(); c++) {
          check(fixture, rows, cases.get(c), from, to, c * most, c * (to - from));
        }
      }
    } finally {
      caches.forEach(SequenceCache::close);
    }
  }

  private static void computePart(
      Fixture fixture, LatentRows rows, List<SequenceCache> caches, int from, int to, int most) {
    int[] tokens = fixture.tokens();
    RowBatch all = new RowBatch(rows.capacity());
    int deepest = 0;
    for (int c = 0; c < caches.size(); c++) {
      deepest = Math.max(deepest, caches.get(c).layout().recurrences());
      for (int p = from; p < to; p++) {
        all.add(c * most + p - from, caches.get(c), p, tokens[p]);
        all.setLogits(all.size() - 1, true);
      }
    }
    rows.prelude(all);
    float[] state = new float[fixture.model().width()];
    for (int row = 0; row < all.size(); row++) {
      if (fixture.expected().containsKey("initial_state")) {
        int at = all.position(row) * state.length;
        System.arraycopy(fixture.initialState(), at, state, 0, state.length);
      } else {
        rows.readEmbedding(all.slot(row), state);
      }
      rows.writeLatent(all.slot(row), state);
    }
    RowBatch thinking = new RowBatch(rows.capacity());
    for (int i = 0; i < deepest; i++) {
      thinking.clear();
      for (int row = 0; row < all.size(); row++) {
        if (i < all.sequence(row).layout().recurrences()) {
          thinking.add(all.slot(row), all.sequence(row), all.position(row), all.token(row));
          thinking.setRecurrence(thinking.size() - 1, i);
        }
      }
      rows.recur(thinking);
    }
    rows.coda(all);
  }

  private void check(
      Fixture fixture,
      LatentRows rows,
      Map<String, Object> expected,
      int from,
      int to,
      int firstSlot,
      int firstRow) {
    float[] logits = new float[fixture.model().vocabularySize()];
    float[] latent = new float[fixture.model().width()];
    String what = "r = " + expected.get("r") + ", position ";
    for (int p = from; p < to; p++) {
      rows.readLogits(firstRow + p - from, logits);
      assertEquals(Fixture.ints(expected, "argmax")[p], argmax(logits), what + p);
      if (p == 0) {
        assertClose(Fixture.floats(expected, "logits_first_position"), logits, what + p);
      }
      if (p == fixture.tokens().length - 1) {
        assertClose(Fixture.floats(expected, "logits_last"), logits, what + p);
        rows.readLatent(firstSlot + p - from, latent);
        assertClose(Fixture.floats(expected, "latent_last"), latent, "latent, " + what + p);
      }
    }
  }

  @ParameterizedTest
  @FieldSource("NAMES")
  void greedyDecodingUnderEveryCachePolicy(String name) {
    Fixture fixture = fixture(name);
    for (Map<String, Object> expected : fixture.cases("greedy")) {
      int r = Fixture.integer(expected, "r");
      SlotPolicy policy = SlotPolicy.parse((String) expected.get("cache"));
      int[] tokens = Fixture.ints(expected, "new_tokens");
      int[] prompt = fixture.tokens();
      KeyValueLayout layout =
          new KeyValueLayout(fixture.model(), policy, r, prompt.length + tokens.length);
      int[] found = new int[tokens.length];
      try (SequenceForward sequence =
          new SequenceForward(
              backend(name), layout, r, prompt.length, InitialState.zero(), () -> false)) {
        if (policy == SlotPolicy.full()) {
          sequence.append(prompt);
        } else {
          // Rows of a prompt that go together share each recurrence's slot; the independent
          // implementation computes one position to its end before the next.
          for (int token : prompt) {
            sequence.append(token);
          }
        }
        for (int i = 0; i < found.length; i++) {
          found[i] = argmax(sequence.logits());
          sequence.append(found[i]);
        }
      }
      assertArrayEquals(tokens, found, "r = " + r + ", " + policy);
    }
  }

  /** The learned gate, in the prompt and behind it: tokens, and recurrences by position. */
  @ParameterizedTest
  @FieldSource("NAMES")
  void exitsByTheGate(String name) {
    Fixture fixture = fixture(name);
    ExitCriteria.Factory own = ExitCriteria.parse("gate");
    if (fixture.model().gate().isEmpty()) {
      assertThrows(IllegalArgumentException.class, () -> own.requireFits(fixture.model()));
      return;
    }
    for (Map<String, Object> expected : fixture.cases("gate")) {
      double threshold = ((Number) expected.get("threshold")).doubleValue();
      boolean inPrompt = (Boolean) expected.get("exit_in_prompt");
      ExitOptions exit =
          new ExitOptions(
              Optional.of(
                  threshold == fixture.model().gate().get().threshold()
                      ? own
                      : ExitCriteria.parse("gate:" + threshold)),
              1,
              1,
              inPrompt ? ExitOptions.Prefill.ROW : ExitOptions.Prefill.NONE);
      int[] tokens = Fixture.ints(expected, "new_tokens");
      int[] prompt = fixture.tokens();
      int r = Fixture.integer(expected, "max_r");
      List<Integer> found = new ArrayList<>();
      SequenceTask task =
          new SequenceTask(
              new KeyValueLayout(
                  fixture.model(), SlotPolicy.full(), r, prompt.length + tokens.length - 1),
              prompt,
              r,
              InitialState.zero(),
              DecodingOptions.defaults().withExit(exit),
              new Sampler(SamplingOptions.greedy(), fixture.model().vocabularySize()),
              (token, recurrences) -> {
                found.add(token);
                return found.size() < tokens.length;
              });
      Decoders.run(backend(name), task, () -> false);
      String what = threshold + (inPrompt ? " in the prompt, too" : "");
      assertArrayEquals(tokens, found.stream().mapToInt(token -> token).toArray(), what);
      int[] depths = new int[prompt.length + tokens.length - 1];
      Arrays.fill(depths, 0, prompt.length, r);
      int[] inside = task.promptRecurrences();
      System.arraycopy(inside, 0, depths, 0, inside.length);
      int[] forwards = task.recurrences();
      System.arraycopy(forwards, 1, depths, prompt.length, forwards.length - 1);
      assertArrayEquals(Fixture.ints(expected, "recurrences_by_position"), depths, what);
    }
  }

  private static int argmax(float[] values) {
    int best = 0;
    for (int i = 1; i < values.length; i++) {
      best = values[i] > values[best] ? i : best;
    }
    return best;
  }

  private void assertClose(float[] expected, float[] actual, String what) {
    assertEquals(expected.length, actual.length, what);
    for (int i = 0; i < expected.length; i++) {
      float difference = Math.abs(expected[i] - actual[i]);
      assertTrue(
          difference <= tolerance(),
          () -> what + ": differs by " + difference + ", expected at most " + tolerance());
    }
  }
}
