package dev.muninn.vector;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import dev.muninn.cache.KeyValueLayout;
import dev.muninn.cache.KeyValueType;
import dev.muninn.cache.SlotPolicy;
import dev.muninn.family.huginn.HuginnConfig;
import dev.muninn.kernel.EveryWidth;
import dev.muninn.kernel.Lanes;
import dev.muninn.measure.RandomValues;
import dev.muninn.model.RecurrentModel;
import dev.muninn.model.ShapeOnly;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@EveryWidth
class AttentionTilesTest {
  private static final int SIZE = 32;
  private static final RecurrentModel MODEL =
      ShapeOnly.of(new HuginnConfig(SIZE, 1, 8, 2, 3, 1, 4, 8, 64, 50_000, 1e-6, true, true));

  /**
   * Fewer rows that see more positions: their scores just fit where those of the rows before were,
   * and their last group has a single row.
   */
  @ParameterizedTest
  @EnumSource(KeyValueType.class)
  void fewerRowsBehindMorePositions(KeyValueType type) {
    int many = 128;
    int few = 65;
    int length = many * (many + Lanes.COUNT) / few - Lanes.COUNT;
    KeyValueLayout layout = new KeyValueLayout(MODEL, SlotPolicy.full(), 1, length, type);
    try (VectorStore store = new VectorStore(layout)) {
      float[] values = RandomValues.floats(length * SIZE, 1);
      for (int position = 0; position < length; position++) {
        Kernels.storeKey(store, 0, 0, position, values, position * SIZE, SIZE);
        Kernels.storeValue(store, 0, 0, position, values, position * SIZE, SIZE);
      }
      ThreadScratch own = new ThreadScratch(many, SIZE, 8, SIZE);
      AttentionTiles used = new AttentionTiles(SIZE);
      attend(used, store, many, many, own);
      float[] found = attend(used, store, few, length, own);
      assertArrayEquals(attend(new AttentionTiles(SIZE), store, few, length, own), found);
    }
  }

  /** What the last row of some mixes, which sees {@code length} positions. */
  private static float[] attend(
      AttentionTiles tiles, VectorStore store, int rows, int length, ThreadScratch own) {
    float[] query = RandomValues.floats(SIZE, 2);
    tiles.begin(store, rows);
    for (int row = 0; row < rows; row++) {
      tiles.add(store, row, query, length - rows + row + 1);
    }
    tiles.attend(store, 0, 0, own);
    float[] out = new float[SIZE];
    tiles.read(store, 0, 0, rows - 1, out);
    return out;
  }
}
