package dev.muninn.vector;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.cache.KeyValueLayout;
import dev.muninn.cache.KeyValueType;
import dev.muninn.cache.SlotPolicy;
import dev.muninn.family.huginn.HuginnConfig;
import dev.muninn.kernel.ScalarKernels;
import dev.muninn.measure.RandomValues;
import dev.muninn.model.RecurrentModel;
import dev.muninn.model.ShapeOnly;
import dev.muninn.weights.DType;
import java.lang.foreign.MemorySegment;
import java.util.BitSet;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@Tag("without-c2")
class VectorStoreTest {
  private static final RecurrentModel CONFIG =
      ShapeOnly.of(new HuginnConfig(3 * 14, 3, 8, 2, 3, 1, 4, 8, 64, 50_000, 1e-6, true, true));

  @Test
  void everyKeyAndValueHasPlaceOfItsOwn() {
    for (SlotPolicy policy :
        new SlotPolicy[] {SlotPolicy.full(), new SlotPolicy.Budget(2), new SlotPolicy.Anchor(1)}) {
      for (KeyValueType type : KeyValueType.values()) {
        check(new KeyValueLayout(CONFIG, policy, 5, 11, type));
      }
    }
  }

  private static void check(KeyValueLayout layout) {
    int rows = Math.toIntExact(layout.type().rows(layout.capacity()));
    try (VectorStore store = new VectorStore(layout)) {
      int rowBytes = layout.type().rowBytes(CONFIG.headSize());
      assertEquals(rowBytes, store.rowBytes());
      assertEquals(rows, store.rows());
      BitSet taken = new BitSet();
      for (int plane = 0; plane < layout.planes(); plane++) {
        for (int head = 0; head < CONFIG.keyValueHeads(); head++) {
          for (int position = 0; position < rows; position++) {
            take(taken, store.key(plane, head, position), rowBytes, layout);
            take(taken, store.value(plane, head, position), rowBytes, layout);
          }
        }
      }
      assertEquals(layout.bytes(), taken.cardinality(), "bytes of " + layout.policy());
    }
  }

  /** Keys and values of one store's first positions are those of another, of another capacity. */
  @ParameterizedTest
  @EnumSource(KeyValueType.class)
  void copies(KeyValueType type) {
    int positions = 19;
    SlotPolicy policy = SlotPolicy.full();
    try (VectorStore from = new VectorStore(new KeyValueLayout(CONFIG, policy, 2, 21, type));
        VectorStore to = new VectorStore(new KeyValueLayout(CONFIG, policy, 2, 70, type))) {
      int planes = new KeyValueLayout(CONFIG, policy, 2, 21, type).planes();
      fill(from, planes, positions);
      assertTrue(from.copyTo(to, positions));
      for (int plane = 0; plane < planes; plane++) {
        for (int head = 0; head < CONFIG.keyValueHeads(); head++) {
          for (int p = 0; p < positions; p++) {
            assertArrayEquals(key(from, plane, head, p), key(to, plane, head, p));
            assertArrayEquals(value(from, plane, head, p), value(to, plane, head, p));
          }
        }
      }
    }
  }

  private static void fill(VectorStore store, int planes, int positions) {
    int size = CONFIG.headSize();
    float[] x = RandomValues.floats(size, 1);
    int turn = 0;
    for (int plane = 0; plane < planes; plane++) {
      for (int head = 0; head < CONFIG.keyValueHeads(); head++) {
        for (int p = 0; p < positions; p++) {
          x[0] = ++turn;
          Kernels.storeKey(store, plane, head, p, x, 0, size);
          x[0] = -turn;
          Kernels.storeValue(store, plane, head, p, x, 0, size);
        }
      }
    }
  }

  private static float[] key(VectorStore store, int plane, int head, int position) {
    return row(
        store, store.key(plane, head, store.type == DType.U8 ? 0 : position), position, true);
  }

  private static float[] value(VectorStore store, int plane, int head, int position) {
    return row(
        store, store.value(plane, head, store.type == DType.U8 ? 0 : position), position, false);
  }

  private static float[] row(VectorStore store, long at, int position, boolean key) {
    int size = CONFIG.headSize();
    int columns = ByteBlocks.columns(size);
    float[] row = new float[size];
    for (int i = 0; i < size; i++) {
      if (store.type != DType.U8) {
        row[i] = ScalarKernels.element(store.type, store.data, at, i, size);
      } else {
        int number =
            key
                ? ByteBlocks.key(store.data, at, position, i, columns)
                : ByteBlocks.value(store.data, at, position, i, store.rows());
        row[i] = number * ByteBlocks.scale(store.data, at, position, store.rows(), columns);
      }
    }
    return row;
  }

  private static void take(BitSet taken, long offset, int rowBytes, KeyValueLayout layout) {
    int from = Math.toIntExact(offset);
    assertTrue(from >= 0 && from + rowBytes <= layout.bytes(), () -> "offset " + from);
    int next = taken.nextSetBit(from);
    assertFalse(next >= 0 && next < from + rowBytes, () -> "offset " + from + " is taken");
    taken.set(from, from + rowBytes);
  }

  @Test
  void positionsOfHeadFollowEachOther() {
    KeyValueLayout layout = new KeyValueLayout(CONFIG, SlotPolicy.full(), 2, 9);
    try (VectorStore store = new VectorStore(layout)) {
      long rowBytes = CONFIG.headSize() * 4L;
      assertEquals(store.key(3, 1, 0) + 5 * rowBytes, store.key(3, 1, 5));
      assertEquals(store.value(3, 1, 0) + 5 * rowBytes, store.value(3, 1, 5));
    }
  }

  @Test
  void aUnitOfPositionsCanBeReadFromTheLastOne() {
    KeyValueLayout layout = new KeyValueLayout(CONFIG, SlotPolicy.full(), 2, 9);
    try (VectorStore store = new VectorStore(layout)) {
      long last =
          store.value(layout.planes() - 1, CONFIG.keyValueHeads() - 1, layout.capacity() - 1);
      long unit = (long) MatrixKernels.UNIT * CONFIG.headSize() * Float.BYTES;
      assertTrue(last + unit <= store.data.byteSize());
    }
  }

  @Test
  void closingFreesTheMemory() {
    VectorStore store = new VectorStore(new KeyValueLayout(CONFIG, SlotPolicy.full(), 1, 1));
    MemorySegment data = store.data;
    store.close();
    assertFalse(data.scope().isAlive());
    assertThrows(IllegalStateException.class, () -> ScalarKernels.f32(data, 0));
    store.close();
  }

  @Test
  void offsetsBeyondTwoGigabytes() {
    RecurrentModel huge =
        ShapeOnly.of(
            new HuginnConfig(
                5_280, 55, 17_920, 2, 4, 2, 32, 65_536, 4_096, 50_000, 1e-6, true, true));
    KeyValueLayout layout = new KeyValueLayout(huge, SlotPolicy.full(), 32, 450);
    // Reserved, but only the last page is touched and becomes resident.
    try (VectorStore store = new VectorStore(layout)) {
      long last = store.value(layout.planes() - 1, 54, 449);
      assertEquals(layout.bytes(), last + (long) huge.headSize() * Float.BYTES);
      assertTrue(last > Integer.MAX_VALUE, () -> "offset " + last);
      ScalarKernels.setF32(store.data, last, 1.5f);
      assertEquals(1.5f, ScalarKernels.f32(store.data, last));
    }
  }
}
