package dev.muninn.vector;

import static dev.muninn.kernel.KernelInputs.assertSameBits;
import static org.junit.jupiter.api.Assertions.assertTrue;

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
import dev.muninn.model.RecurrentModel;
import dev.muninn.model.WeightFormat;
import dev.muninn.weights.Checkpoint;
import java.nio.file.Path;
import java.time.Duration;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A prompt that is long enough for the kernels of many rows gives the same bits as a whole, in
 * parts and token by token.
 */
class ManyRowsTest {
  private static final int LENGTH = 2 * PackingProducts.LEAST_ROWS + 9;
  private static final int RECURRENCE = 2;

  @BeforeAll
  static void awaitWarmUp() {
    WarmUp.begin(WeightFormat.F32, Duration.ZERO);
    WarmUp.begin(WeightFormat.BF16, Duration.ZERO);
    WarmUp.beginTiles(WeightFormat.BF16);
    WarmUp.beginPacking();
    WarmUp.await(WeightFormat.F32);
    WarmUp.await(WeightFormat.BF16);
  }

  static Stream<Path> models() {
    return Stream.concat(
        Fixture.NAMES.stream().map(Fixture::directory), Stream.of(ModelFiles.ravenTiny()));
  }

  @ParameterizedTest
  @MethodSource("models")
  void partsAreTheWhole(Path directory) {
    try (Checkpoint checkpoint = Checkpoint.open(directory)) {
      RecurrentModel model = ModelFamilies.load(directory, checkpoint);
      int[] tokens = new SplittableRandom(3).ints(LENGTH, 0, model.vocabularySize()).toArray();
      for (KeyValueType type : KeyValueType.values()) {
        float[] alone = lastLogits(model, checkpoint, type, tokens, 1, 1);
        for (float value : alone) {
          assertTrue(Float.isFinite(value));
        }
        for (int threads : new int[] {1, 3}) {
          for (int rows : new int[] {PackingProducts.LEAST_ROWS + 3, LENGTH}) {
            assertSameBits(
                alone,
                lastLogits(model, checkpoint, type, tokens, rows, threads),
                directory.getFileName() + " " + type + ", " + rows + " rows at once");
          }
        }
      }
    }
  }

  private static float[] lastLogits(
      RecurrentModel model,
      Checkpoint checkpoint,
      KeyValueType type,
      int[] tokens,
      int rowsAtOnce,
      int threads) {
    float[] logits = new float[model.vocabularySize()];
    KeyValueLayout layout = new KeyValueLayout(model, SlotPolicy.full(), RECURRENCE, LENGTH, type);
    InitialStates states = new InitialStates(InitialState.random(1), model.core().start());
    float[] state = new float[model.width()];
    try (Backend backend = new VectorBackendProvider().open(model, checkpoint, threads);
        SequenceCache cache = new SequenceCache(layout, backend.allocate(layout));
        LatentRows rows = backend.rows(rowsAtOnce)) {
      RowBatch batch = new RowBatch(rowsAtOnce);
      for (int from = 0; from < LENGTH; from += rowsAtOnce) {
        int to = Math.min(LENGTH, from + rowsAtOnce);
        batch.clear();
        for (int p = from; p < to; p++) {
          batch.add(p - from, cache, p, tokens[p]);
          batch.setLogits(p - from, p == LENGTH - 1);
        }
        rows.prelude(batch);
        for (int row = 0; row < batch.size(); row++) {
          states.fill(batch.position(row), state);
          rows.writeLatent(batch.slot(row), state);
        }
        for (int recurrence = 0; recurrence < RECURRENCE; recurrence++) {
          for (int row = 0; row < batch.size(); row++) {
            batch.setRecurrence(row, recurrence);
          }
          rows.recur(batch);
        }
        rows.coda(batch);
        if (to == LENGTH) {
          rows.readLogits(LENGTH - 1 - from, logits);
        }
      }
    }
    return logits;
  }
}
