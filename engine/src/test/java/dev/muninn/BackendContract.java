package dev.muninn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.backend.Backend;
import dev.muninn.backend.LatentRows;
import dev.muninn.backend.RowBatch;
import dev.muninn.cache.KeyValueLayout;
import dev.muninn.cache.KeyValueStore;
import dev.muninn.cache.KeyValueType;
import dev.muninn.cache.SequenceCache;
import dev.muninn.cache.SlotPolicy;
import dev.muninn.decode.Decoders;
import dev.muninn.decode.DecodingOptions;
import dev.muninn.decode.DecodingStatistics;
import dev.muninn.decode.ExitCriteria;
import dev.muninn.decode.ExitCriterion;
import dev.muninn.decode.ExitOptions;
import dev.muninn.decode.InitialState;
import dev.muninn.decode.Sampler;
import dev.muninn.decode.SamplingOptions;
import dev.muninn.decode.SequenceForward;
import dev.muninn.decode.SequenceTask;
import dev.muninn.decode.Strategy;
import dev.muninn.model.RecurrentModel;
import dev.muninn.weights.Checkpoint;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What every backend must do: the model's numbers and every strategy's sequences as an independent
 * implementation has them, and rows that do not depend on each other.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
public abstract class BackendContract {
  static final List<String> NAMES = Fixture.NAMES;

  /** The fixture that most is known of. */
  private static final String RICHEST = "raven-2-4-2-f32";

  private final Map<String, Fixture> fixtures = new HashMap<>();
  private final Map<String, Backend> backends = new HashMap<>();

  /** Opens the backend under test. */
  protected abstract Backend open(RecurrentModel model, Checkpoint checkpoint);

  /** How far a latent or a logit may be from the independent implementation's. */
  protected abstract float tolerance();

  private Fixture fixture(String name) {
    return fixtures.computeIfAbsent(name, Fixture::new);
  }

  /** A fixture's backend, which all tests share. */
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
    checkForward(name, Integer.MAX_VALUE);
  }

  @ParameterizedTest
  @FieldSource("NAMES")
  void positionByPositionThroughTheCache(String name) {
    checkForward(name, 1);
  }

  @ParameterizedTest
  @FieldSource("NAMES")
  void inPartsThroughTheCache(String name) {
    checkForward(name, 3);
  }

  private void checkForward(String name, int rowsAtOnce) {
    Fixture fixture = fixture(name);
    Backend backend = backend(name);
    int width = fixture.model().width();
    int[] tokens = fixture.tokens();
    float[] prelude = Fixture.floats(fixture.expected(), "prelude");
    for (Map<String, Object> expected : fixture.cases("forward")) {
      int r = Fixture.integer(expected, "r");
      KeyValueLayout layout =
          new KeyValueLayout(fixture.model(), SlotPolicy.full(), r, tokens.length);
      float[] vector = new float[width];
      float[] logits = new float[fixture.model().vocabularySize()];
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
          recur(rows, batch, 0, r);
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
              assertClose(Fixture.floats(expected, "normed_latent_last"), vector, "normed latent");
            }
          }
        }
      }
    }
  }

  /** A sequence of each type in the same batches: one does not change the other. */
  @ParameterizedTest
  @FieldSource("NAMES")
  void keysAndValuesInBothTypesSideBySide(String name) {
    Fixture fixture = fixture(name);
    Backend backend = backend(name);
    int[] tokens = fixture.tokens();
    int width = fixture.model().width();
    Map<String, Object> expected = fixture.cases("forward").getLast();
    int r = Fixture.integer(expected, "r");
    float[][] logits = new float[2][fixture.model().vocabularySize()];
    KeyValueType[] types = {KeyValueType.BF16, KeyValueType.F32};
    SequenceCache[] caches = new SequenceCache[2];
    try (LatentRows rows = backend.rows(2)) {
      for (int i = 0; i < 2; i++) {
        KeyValueLayout layout =
            new KeyValueLayout(fixture.model(), SlotPolicy.full(), r, tokens.length, types[i]);
        caches[i] = new SequenceCache(layout, backend.allocate(layout));
      }
      RowBatch batch = new RowBatch(2);
      for (int p = 0; p < tokens.length; p++) {
        batch.clear();
        for (int i = 0; i < 2; i++) {
          batch.add(i, caches[i], p, tokens[p]);
          batch.setLogits(i, true);
        }
        rows.prelude(batch);
        for (int i = 0; i < 2; i++) {
          rows.writeLatent(i, slice(fixture.initialState(), p, width));
        }
        recur(rows, batch, 0, r);
        rows.coda(batch);
      }
      rows.readLogits(0, logits[0]);
      rows.readLogits(1, logits[1]);
    } finally {
      for (SequenceCache cache : caches) {
        if (cache != null) {
          cache.close();
        }
      }
    }
    float[] last = Fixture.floats(expected, "logits_last");
    assertClose(last, logits[1], "last logits");
    double difference = 0;
    for (int i = 0; i < last.length; i++) {
      difference = Math.max(difference, Math.abs(last[i] - logits[0][i]));
    }
    // Eight bits of significand instead of 24 show, and do not show much.
    assertTrue(difference > 1e-4 && difference < 2e-2, "differs by " + difference);
  }

  @ParameterizedTest
  @FieldSource("NAMES")
  void greedyDecodingUnderEveryCachePolicy(String name) {
    Fixture fixture = fixture(name);
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
          greedy(fixture, backend(name), policy, r, fixture.tokens(), tokens.length),
          "r = " + r + ", " + policy);
    }
  }

  private static int[] greedy(
      Fixture fixture, Backend backend, SlotPolicy policy, int r, int[] prompt, int count) {
    KeyValueLayout layout = new KeyValueLayout(fixture.model(), policy, r, prompt.length + count);
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

  @Test
  void adaptiveExits() {
    Fixture fixture = fixture(RICHEST);
    for (Map<String, Object> expected : fixture.cases("adaptive")) {
      String name =
          expected.get("criterion")
              + ":"
              + String.valueOf(expected.get("threshold")).replaceAll("\\.0$", "");
      List<Double> values = new ArrayList<>();
      ExitCriteria.Factory watched =
          config -> new Watched(ExitCriteria.parse(name).create(config), values);
      DecodingOptions options = DecodingOptions.defaults().withExit(ExitOptions.of(watched));
      Run run = run(RICHEST, options, Fixture.integer(expected, "max_r"), 16);
      assertArrayEquals(Fixture.ints(expected, "new_tokens"), run.tokens(), name);
      assertArrayEquals(Fixture.ints(expected, "steps"), run.task.recurrences(), name);
      // A device may compare states or logits of its own accord, where nobody watches.
      ExitOptions plain = ExitOptions.of(ExitCriteria.parse(name));
      Run unwatched =
          run(
              RICHEST,
              DecodingOptions.defaults().withExit(plain),
              Fixture.integer(expected, "max_r"),
              16);
      assertArrayEquals(run.tokens(), unwatched.tokens(), name);
      assertArrayEquals(run.task.recurrences(), unwatched.task.recurrences(), name);
      float[] first = Fixture.floats(expected, "exit_values_first_token");
      for (int i = 0; i < first.length; i++) {
        if (Float.isNaN(first[i])) {
          assertTrue(Double.isNaN(values.get(i)), name);
        } else {
          double allowed = 2 * tolerance() * Math.max(1, Math.abs(first[i]));
          assertEquals(first[i], values.get(i), allowed, name);
        }
      }
    }
  }

  @ParameterizedTest
  @FieldSource("NAMES")
  void warmStart(String name) {
    Map<String, Object> expected = object(fixture(name), "warm_start");
    int r = Fixture.integer(expected, "r");
    Run run = run(name, DecodingOptions.defaults().withWarmStart(true), r, 16);
    assertArrayEquals(Fixture.ints(expected, "new_tokens"), run.tokens());
  }

  @Test
  void speculation() {
    Map<String, Object> expected = object(fixture(RICHEST), "speculative");
    Strategy strategy =
        new Strategy.Speculative(
            Fixture.integer(expected, "draft_r"), Fixture.integer(expected, "lookahead"));
    Run run =
        run(
            RICHEST,
            DecodingOptions.defaults().withStrategy(strategy),
            Fixture.integer(expected, "r"),
            16);
    assertArrayEquals(Fixture.ints(expected, "new_tokens"), run.tokens());
  }

  @Test
  void parallelSampling() {
    for (Map<String, Object> expected : fixture(RICHEST).cases("parallel")) {
      Strategy strategy =
          new Strategy.Parallel(
              Fixture.integer(expected, "inner_recurrence"),
              Fixture.integer(expected, "headway"),
              Strategy.Parallel.Freeze.LATENT_DIFF,
              ((Number) expected.get("exit_threshold")).doubleValue(),
              Fixture.integer(expected, "max_wavefront"),
              ((Number) expected.get("embedding_ema")).floatValue(),
              ((Number) expected.get("state_noise")).floatValue());
      int[] tokens = Fixture.ints(expected, "new_tokens");
      Run run =
          run(
              RICHEST,
              DecodingOptions.defaults().withStrategy(strategy),
              Fixture.integer(expected, "prefill_r"),
              tokens.length);
      assertArrayEquals(tokens, run.tokens());
      DecodingStatistics statistics = run.task.statistics();
      assertEquals(Fixture.integer(expected, "outer_steps"), statistics.outerSteps());
      assertEquals(Fixture.integer(expected, "core_forward_passes"), statistics.corePasses());
      assertEquals(Fixture.integer(expected, "rows_forwarded"), statistics.coreRows());
    }
  }

  /**
   * Rows of three sequences, under three policies, with positions and depths of their own share
   * every call; each sequence becomes what it is alone.
   */
  @ParameterizedTest
  @FieldSource("NAMES")
  void rowsOfSeveralSequencesShareCalls(String name) {
    Fixture fixture = fixture(name);
    Backend backend = backend(name);
    SplittableRandom random = new SplittableRandom(7);
    List<SlotPolicy> policies =
        List.of(SlotPolicy.full(), new SlotPolicy.Budget(2), new SlotPolicy.Anchor(1));
    int[] lengths = {3, 21, 47};
    int[] depths = {1, 5, 4};
    int vocabulary = fixture.model().vocabularySize();
    int[][] tokens = new int[3][];
    float[][] alone = new float[3][];
    List<SequenceCache> caches = new ArrayList<>();
    RowBatch all = new RowBatch(71);
    try (LatentRows rows = backend.rows(71)) {
      for (int i = 0; i < 3; i++) {
        tokens[i] = random.ints(lengths[i], 0, vocabulary).toArray();
        KeyValueLayout layout = new KeyValueLayout(fixture.model(), policies.get(i), 5, lengths[i]);
        alone[i] = new float[vocabulary];
        try (SequenceForward forward =
            new SequenceForward(
                backend, layout, depths[i], lengths[i], InitialState.zero(), () -> false)) {
          forward.append(tokens[i]);
          System.arraycopy(forward.logits(), 0, alone[i], 0, vocabulary);
        }
        caches.add(new SequenceCache(layout, backend.allocate(layout)));
        for (int p = 0; p < lengths[i]; p++) {
          int row = all.size();
          // Slots in an order of their own.
          all.add(70 - row, caches.get(i), p, tokens[i][p]);
          all.setLogits(row, p == lengths[i] - 1 || p % 2 == 0);
        }
      }
      rows.prelude(all);
      float[] zero = new float[fixture.model().width()];
      for (int slot = 0; slot < 71; slot++) {
        rows.writeLatent(slot, zero);
      }
      // The second sequence begins one call later, so that depths differ within a call.
      RowBatch part = new RowBatch(71);
      for (int call = 0; call < 6; call++) {
        part.clear();
        for (int row = 0; row < all.size(); row++) {
          int i = caches.indexOf(all.sequence(row));
          int recurrence = i == 1 ? call - 1 : call;
          if (recurrence >= 0 && recurrence < depths[i]) {
            part.add(all.slot(row), all.sequence(row), all.position(row), all.token(row));
            part.setRecurrence(part.size() - 1, recurrence);
          }
        }
        rows.recur(part);
      }
      rows.coda(all);
      float[] logits = new float[vocabulary];
      int row = -1;
      for (int i = 0; i < 3; i++) {
        row += lengths[i];
        rows.readLogits(row, logits);
        assertArrayEquals(alone[i], logits, 1e-5f, "sequence " + i);
      }
    } finally {
      caches.forEach(SequenceCache::close);
    }
  }

  @Test
  void whatIsWrittenToASlotIsReadFromIt() {
    Fixture fixture = fixture(RICHEST);
    int width = fixture.model().width();
    SplittableRandom random = new SplittableRandom(3);
    try (LatentRows rows = backend(RICHEST).rows(37)) {
      float[][] latents = new float[37][];
      float[][] embeddings = new float[37][];
      for (int slot = 0; slot < 37; slot++) {
        latents[slot] = vector(random, width);
        embeddings[slot] = vector(random, width);
        rows.writeLatent(slot, latents[slot]);
        rows.writeEmbedding(slot, embeddings[slot]);
      }
      rows.writeLatent(5, latents[6]);
      latents[5] = latents[6];
      float[] read = new float[width];
      for (int slot = 36; slot >= 0; slot--) {
        rows.readLatent(slot, read);
        assertArrayEquals(latents[slot], read, "s of slot " + slot);
        rows.readEmbedding(slot, read);
        assertArrayEquals(embeddings[slot], read, "e of slot " + slot);
      }
    }
  }

  /** Between recurrences too: what R has computed of the embedding before does not stay. */
  @Test
  void anEmbeddingThatIsWrittenIsTheNextRecurrences() {
    Fixture fixture = fixture(RICHEST);
    int width = fixture.model().width();
    SplittableRandom random = new SplittableRandom(8);
    float[][] embeddings = {vector(random, width), vector(random, width)};
    float[] latent = vector(random, width);
    KeyValueLayout layout = new KeyValueLayout(fixture.model(), SlotPolicy.full(), 4, 8);
    Backend backend = backend(RICHEST);
    float[][] states = new float[4][width];
    try (SequenceCache cache = new SequenceCache(layout, backend.allocate(layout));
        LatentRows rows = backend.rows(2)) {
      RowBatch batch = new RowBatch(1);
      batch.add(1, cache, 0, 3);
      for (int step = 0; step < 3; step++) {
        rows.writeEmbedding(1, embeddings[step % 2]);
        rows.writeLatent(1, latent);
        recur(rows, batch, 0, 1);
        rows.readLatent(1, states[step]);
      }
      rows.prelude(batch);
      rows.writeLatent(1, latent);
      recur(rows, batch, 0, 1);
      rows.readLatent(1, states[3]);
      float[] embedding = new float[width];
      rows.readEmbedding(1, embedding);
      rows.writeEmbedding(1, embedding);
      rows.writeLatent(1, latent);
      recur(rows, batch, 0, 1);
      float[] again = new float[width];
      rows.readLatent(1, again);
      assertArrayEquals(states[3], again);
    }
    assertArrayEquals(states[0], states[2]);
    for (int other : new int[] {1, 3}) {
      double difference = 0;
      for (int i = 0; i < width; i++) {
        difference = Math.max(difference, Math.abs(states[0][i] - states[other][i]));
      }
      assertTrue(difference > 1e-3, "differs by " + difference);
    }
  }

  @Test
  void aSequenceTakesThePlaceOfAnother() {
    Fixture fixture = fixture(RICHEST);
    int[] prompt = fixture.tokens();
    int[] first = greedy(fixture, backend(RICHEST), SlotPolicy.full(), 3, prompt, 5);
    for (int i = 0; i < 20; i++) {
      assertArrayEquals(
          first, greedy(fixture, backend(RICHEST), SlotPolicy.full(), 3, prompt, 5), "run " + i);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aFreedStoreIsNotComputedWith(boolean recurrent) {
    Fixture fixture = fixture(RICHEST);
    Backend backend = backend(RICHEST);
    KeyValueLayout layout = new KeyValueLayout(fixture.model(), SlotPolicy.full(), 2, 4);
    KeyValueStore store = backend.allocate(layout);
    RowBatch batch = new RowBatch(1);
    try (LatentRows rows = backend.rows(1)) {
      batch.add(0, new SequenceCache(layout, store), 0, 1);
      store.close();
      store.close();
      assertThrows(
          IllegalStateException.class,
          () -> {
            if (recurrent) {
              rows.recur(batch);
            } else {
              rows.prelude(batch);
            }
          });
    }
  }

  @Test
  void aRecurrenceBeyondTheCacheIsRefused() {
    Fixture fixture = fixture(RICHEST);
    Backend backend = backend(RICHEST);
    KeyValueLayout layout = new KeyValueLayout(fixture.model(), SlotPolicy.full(), 2, 4);
    RowBatch batch = new RowBatch(1);
    try (SequenceCache cache = new SequenceCache(layout, backend.allocate(layout));
        LatentRows rows = backend.rows(1)) {
      batch.add(0, cache, 0, 1);
      batch.setRecurrence(0, 2);
      assertThrows(IllegalArgumentException.class, () -> rows.recur(batch));
    }
  }

  private static void recur(LatentRows rows, RowBatch batch, int from, int to) {
    for (int i = from; i < to; i++) {
      for (int row = 0; row < batch.size(); row++) {
        batch.setRecurrence(row, i);
      }
      rows.recur(batch);
    }
  }

  private static float[] vector(SplittableRandom random, int size) {
    float[] vector = new float[size];
    for (int i = 0; i < size; i++) {
      vector[i] = (float) random.nextDouble(-1, 1);
    }
    return vector;
  }

  /** Runs a strategy greedily from zeros. */
  private Run run(String name, DecodingOptions options, int r, int count) {
    Fixture fixture = fixture(name);
    int[] prompt = fixture.tokens();
    int room = options.strategy() instanceof Strategy.Parallel ? 128 : prompt.length + count - 1;
    KeyValueLayout layout =
        new KeyValueLayout(
            fixture.model(),
            options.effectivePolicy(),
            r,
            Math.min(fixture.model().contextLength(), room),
            options.type().orElse(KeyValueType.F32));
    Run run = new Run();
    run.task =
        new SequenceTask(
            layout,
            prompt,
            r,
            InitialState.zero(),
            options,
            new Sampler(SamplingOptions.greedy(), fixture.model().vocabularySize()),
            (token, recurrences) -> {
              run.chosen.add(token);
              return run.chosen.size() < count;
            });
    Decoders.run(backend(name), run.task, () -> false);
    return run;
  }

  /** What a strategy chose. */
  private static final class Run {
    final List<Integer> chosen = new ArrayList<>();
    SequenceTask task;

    int[] tokens() {
      return chosen.stream().mapToInt(Integer::intValue).toArray();
    }
  }

  /** Notes the values of a criterion. */
  private record Watched(ExitCriterion criterion, List<Double> values) implements ExitCriterion {
    @Override
    public boolean readsLogits() {
      return criterion.readsLogits();
    }

    @Override
    public void begin(float[] latents, int rows, int width) {
      criterion.begin(latents, rows, width);
    }

    @Override
    public double measure(float[] latents, int rows, int width, float[] logits) {
      double value = criterion.measure(latents, rows, width, logits);
      values.add(value);
      return value;
    }

    @Override
    public boolean satisfied(double value) {
      return criterion.satisfied(value);
    }
  }

  @SuppressWarnings("unchecked")
  private static Map<String, Object> object(Fixture fixture, String key) {
    return (Map<String, Object>) fixture.expected().get(key);
  }

  private static float[] slice(float[] values, int index, int width) {
    return Arrays.copyOfRange(values, index * width, (index + 1) * width);
  }

  private void assertClose(float[] expected, float[] actual, String what) {
    assertArrayEquals(expected, actual, tolerance(), what);
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
