package dev.muninn.vector;

import static dev.muninn.kernel.KernelInputs.assertSameBits;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.muninn.Fixture;
import dev.muninn.ModelFiles;
import dev.muninn.backend.Backend;
import dev.muninn.backend.LatentRows;
import dev.muninn.backend.RowBatch;
import dev.muninn.cache.KeyValueLayout;
import dev.muninn.cache.KeyValueType;
import dev.muninn.cache.SequenceCache;
import dev.muninn.cache.SlotPolicy;
import dev.muninn.decode.InitialState;
import dev.muninn.decode.InitialStates;
import dev.muninn.family.ModelFamilies;
import dev.muninn.kernel.KernelInputs;
import dev.muninn.kernel.RowKernels;
import dev.muninn.model.Norm;
import dev.muninn.model.RecurrentModel;
import dev.muninn.model.WeightFormat;
import dev.muninn.weights.Checkpoint;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What a row becomes depends neither on the number of threads nor on the rows beside it: the same
 * to the last bit.
 */
class VectorRowsTest {
  private static final int LENGTH = 11;
  private static final int RECURRENCE = 4;

  /** While kernels are being compiled one thread computes, which would leave nothing to test. */
  @BeforeAll
  static void awaitWarmUp() {
    for (WeightFormat weights : List.of(WeightFormat.F32, WeightFormat.BF16)) {
      WarmUp.begin(weights, Duration.ZERO);
      WarmUp.beginTiles(weights);
      WarmUp.await(weights);
    }
  }

  static Stream<Path> models() {
    return Stream.concat(
        Fixture.NAMES.stream().map(Fixture::directory), Stream.of(ModelFiles.ravenTiny()));
  }

  /** A model that is open, and the logits of its sequences. */
  private static final class Model implements AutoCloseable {
    private final Checkpoint checkpoint;
    private final RecurrentModel config;

    Model(Path directory) {
      checkpoint = Checkpoint.open(directory);
      config = ModelFamilies.load(directory, checkpoint);
    }

    Backend open(int threads) {
      return new VectorBackendProvider().open(config, checkpoint, threads);
    }

    SequenceCache cache(Backend backend, SlotPolicy policy, KeyValueType type) {
      KeyValueLayout layout = new KeyValueLayout(config, policy, RECURRENCE, LENGTH, type);
      return new SequenceCache(layout, backend.allocate(layout));
    }

    int[] tokens(long seed) {
      SplittableRandom random = new SplittableRandom(seed);
      return random.ints(LENGTH, 0, config.vocabularySize()).toArray();
    }

    float[][] logits() {
      return new float[LENGTH][config.vocabularySize()];
    }

    /** The logits of a sequence whose positions are computed some at a time. */
    float[][] logits(Backend backend, KeyValueType type, int[] tokens, int rowsAtOnce) {
      float[][] logits = logits();
      try (SequenceCache cache = cache(backend, SlotPolicy.full(), type);
          LatentRows rows = backend.rows(rowsAtOnce)) {
        RowBatch batch = new RowBatch(rowsAtOnce);
        for (int from = 0; from < LENGTH; from += rowsAtOnce) {
          int to = Math.min(LENGTH, from + rowsAtOnce);
          batch.clear();
          for (int p = from; p < to; p++) {
            batch.add(p - from, cache, p, tokens[p]);
            batch.setLogits(p - from, true);
          }
          rows.prelude(batch);
          begin(rows, batch);
          for (int recurrence = 0; recurrence < RECURRENCE; recurrence++) {
            for (int row = 0; row < batch.size(); row++) {
              batch.setRecurrence(row, recurrence);
            }
            rows.recur(batch);
          }
          rows.coda(batch);
          for (int p = from; p < to; p++) {
            rows.readLogits(p - from, logits[p]);
          }
        }
      }
      return logits;
    }

    void begin(LatentRows rows, RowBatch batch) {
      InitialStates states = new InitialStates(InitialState.random(1), config.core().start());
      float[] state = new float[config.width()];
      for (int row = 0; row < batch.size(); row++) {
        states.fill(batch.position(row), state);
        rows.writeLatent(batch.slot(row), state);
      }
    }

    @Override
    public void close() {
      checkpoint.close();
    }
  }

  @ParameterizedTest
  @MethodSource("models")
  void threadsAndGroupsChangeNothing(Path directory) {
    try (Model model = new Model(directory)) {
      int[] tokens = model.tokens(1);
      for (KeyValueType type : KeyValueType.values()) {
        float[][] expected = null;
        for (int threads = 1; threads <= 3; threads++) {
          try (Backend backend = model.open(threads)) {
            for (int rowsAtOnce : new int[] {1, 2, 5, 11}) {
              float[][] logits = model.logits(backend, type, tokens, rowsAtOnce);
              expected = expected == null ? logits : expected;
              for (int p = 0; p < LENGTH; p++) {
                assertSameBits(
                    expected[p],
                    logits[p],
                    "position " + p + ", rows " + rowsAtOnce + ", threads " + threads);
              }
            }
          }
        }
      }
    }
  }

  /**
   * Two sequences in one batch, the second some recurrences behind the first, so that rows of
   * different depth, position and cache share every call; row slots in no order.
   */
  @ParameterizedTest
  @MethodSource("models")
  void rowsOfAnotherSequenceChangeNothing(Path directory) {
    try (Model model = new Model(directory)) {
      int[][] tokens = {model.tokens(1), model.tokens(2)};
      try (Backend backend = model.open(2)) {
        KeyValueType type = KeyValueType.F32;
        float[][][] expected = {
          model.logits(backend, type, tokens[0], 1), model.logits(backend, type, tokens[1], 1)
        };
        for (int lag = 0; lag <= 2; lag++) {
          float[][][] actual = together(model, backend, tokens, lag);
          for (int sequence = 0; sequence < 2; sequence++) {
            for (int p = 0; p < LENGTH; p++) {
              assertSameBits(
                  expected[sequence][p],
                  actual[sequence][p],
                  "position " + p + " of sequence " + sequence + ", lag " + lag);
            }
          }
        }
      }
    }
  }

  private static float[][][] together(Model model, Backend backend, int[][] tokens, int lag) {
    float[][][] logits = {model.logits(), model.logits()};
    int[] rowsAtOnce = {3, 4};
    int capacity = 9;
    try (SequenceCache first = model.cache(backend, SlotPolicy.full(), KeyValueType.F32);
        SequenceCache second = model.cache(backend, SlotPolicy.full(), KeyValueType.F32);
        LatentRows rows = backend.rows(capacity)) {
      SequenceCache[] caches = {first, second};
      RowBatch batch = new RowBatch(capacity);
      for (int part = 0; part * 3 < LENGTH; part++) {
        fill(batch, caches, tokens, rowsAtOnce, part);
        rows.prelude(batch);
        model.begin(rows, batch);
        for (int step = 0; step < RECURRENCE + lag; step++) {
          RowBatch thinking = new RowBatch(capacity);
          for (int row = 0; row < batch.size(); row++) {
            int recurrence = batch.sequence(row) == first ? step : step - lag;
            if (recurrence >= 0 && recurrence < RECURRENCE) {
              thinking.add(
                  batch.slot(row), batch.sequence(row), batch.position(row), batch.token(row));
              thinking.setRecurrence(thinking.size() - 1, recurrence);
            }
          }
          rows.recur(thinking);
        }
        for (int row = 0; row < batch.size(); row++) {
          // Not all rows want logits; those that do are counted right.
          batch.setLogits(row, row % 4 != 1);
        }
        rows.coda(batch);
        read(rows, batch, first, logits);
        for (int row = 0; row < batch.size(); row++) {
          batch.setLogits(row, row % 4 == 1);
        }
        rows.coda(batch);
        read(rows, batch, first, logits);
      }
    }
    return logits;
  }

  private static void fill(
      RowBatch batch, SequenceCache[] caches, int[][] tokens, int[] rowsAtOnce, int part) {
    batch.clear();
    int slot = 0;
    for (int sequence = 0; sequence < 2; sequence++) {
      int from = Math.min(LENGTH, part * rowsAtOnce[sequence]);
      int to = Math.min(LENGTH, from + rowsAtOnce[sequence]);
      for (int p = from; p < to; p++) {
        // 0, 5, 1, 6, 2, 7, 3 of nine.
        batch.add(slot % 2 * 5 + slot / 2, caches[sequence], p, tokens[sequence][p]);
        slot++;
      }
    }
  }

  private static void read(
      LatentRows rows, RowBatch batch, SequenceCache first, float[][][] logits) {
    for (int row = 0; row < batch.size(); row++) {
      if (batch.logits(row)) {
        int sequence = batch.sequence(row) == first ? 0 : 1;
        rows.readLogits(row, logits[sequence][batch.position(row)]);
      }
    }
  }

  /** More rows than activations are kept for go through in chunks. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void manyRowsAreComputedInChunks(int threads) {
    try (Model model = new Model(ModelFiles.ravenTiny());
        Backend backend = model.open(threads)) {
      int length = 150;
      int[] tokens =
          new SplittableRandom(3).ints(length, 0, model.config.vocabularySize()).toArray();
      float[] whole = last(model, backend, tokens, length);
      float[] parts = last(model, backend, tokens, 40);
      assertSameBits(whole, parts, "logits of the last position");
    }
  }

  private static float[] last(Model model, Backend backend, int[] tokens, int rowsAtOnce) {
    KeyValueLayout layout =
        new KeyValueLayout(model.config, new SlotPolicy.Budget(2), 2, tokens.length);
    float[] logits = new float[model.config.vocabularySize()];
    try (SequenceCache cache = new SequenceCache(layout, backend.allocate(layout));
        LatentRows rows = backend.rows(rowsAtOnce)) {
      RowBatch batch = new RowBatch(rowsAtOnce);
      for (int from = 0; from < tokens.length; from += rowsAtOnce) {
        int to = Math.min(tokens.length, from + rowsAtOnce);
        batch.clear();
        for (int p = from; p < to; p++) {
          batch.add(p - from, cache, p, tokens[p]);
        }
        batch.setLogits(to - from - 1, true);
        rows.prelude(batch);
        model.begin(rows, batch);
        for (int recurrence = 0; recurrence < 2; recurrence++) {
          for (int row = 0; row < batch.size(); row++) {
            batch.setRecurrence(row, recurrence);
          }
          rows.recur(batch);
        }
        rows.coda(batch);
        rows.readLogits(to - from - 1, logits);
      }
    }
    return logits;
  }

  @Test
  void statesAreReadAsTheyWereWritten() {
    try (Model model = new Model(Fixture.directory("raven-1-2-1-untied"));
        Backend backend = model.open(1);
        LatentRows rows = backend.rows(3)) {
      assertEquals(3, rows.capacity());
      int width = model.config.width();
      KernelInputs inputs = new KernelInputs(2);
      float[][] states = {inputs.values(width), inputs.values(width), inputs.values(width)};
      for (int slot = 0; slot < 3; slot++) {
        rows.writeLatent(slot, states[slot]);
        rows.writeEmbedding(slot, states[2 - slot]);
      }
      float[] read = new float[width];
      float[] normed = new float[width];
      for (int slot = 0; slot < 3; slot++) {
        rows.readLatent(slot, read);
        assertSameBits(states[slot], read, "latent of slot " + slot);
        rows.readEmbedding(slot, read);
        assertSameBits(states[2 - slot], read, "embedding of slot " + slot);
        rows.readNormedLatent(slot, read);
        Norm norm = model.config.coda().before().orElseThrow();
        RowKernels.norm(states[slot], 0, norm.scale(), norm.epsilon(), normed, 0, width);
        assertSameBits(normed, read, "normed latent of slot " + slot);
      }
    }
  }

  @Test
  void recurrenceBeyondTheCacheIsRefused() {
    try (Model model = new Model(Fixture.directory("raven-1-2-1-untied"));
        Backend backend = model.open(2);
        SequenceCache cache = model.cache(backend, new SlotPolicy.Budget(1), KeyValueType.F32);
        LatentRows rows = backend.rows(1)) {
      RowBatch batch = new RowBatch(1);
      batch.add(0, cache, 0, 5);
      rows.prelude(batch);
      batch.setRecurrence(0, RECURRENCE);
      assertThrows(IllegalArgumentException.class, () -> rows.recur(batch));
      batch.setRecurrence(0, 0);
      rows.recur(batch);
      assertEquals(1, cache.depth(0));
    }
  }

  /** A token that the embedding does not have is refused by its bounds on whichever thread. */
  @ParameterizedTest
  @ValueSource(ints = {1, 3})
  void failureInTheComputationLeavesTheBackendUsable(int threads) {
    try (Model model = new Model(Fixture.directory("raven-1-4-1-bf16"));
        Backend backend = model.open(threads)) {
      int[] tokens = model.tokens(1);
      final float[][] expected = model.logits(backend, KeyValueType.F32, tokens, LENGTH);
      int[] broken = tokens.clone();
      Arrays.fill(broken, 8, LENGTH, model.config.vocabularySize() + 7);
      assertThrows(
          IndexOutOfBoundsException.class,
          () -> model.logits(backend, KeyValueType.F32, broken, LENGTH));
      float[][] again = model.logits(backend, KeyValueType.F32, tokens, LENGTH);
      for (int p = 0; p < LENGTH; p++) {
        assertSameBits(expected[p], again[p], "position " + p);
      }
    }
  }
}
