package dev.muninn.vector;

import static dev.muninn.kernel.KernelInputs.assertClose;
import static dev.muninn.kernel.KernelInputs.assertSameBits;
import static java.nio.ByteOrder.LITTLE_ENDIAN;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.kernel.EveryWidth;
import dev.muninn.kernel.KernelInputs;
import dev.muninn.kernel.Lanes;
import dev.muninn.kernel.RowKernels;
import dev.muninn.kernel.ScalarKernels;
import dev.muninn.kernel.WeightedSums;
import dev.muninn.weights.DType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What attention does with stored keys and values, in either type that they are stored in. */
@EveryWidth
class KeyValueKernelsTest {
  private static final int[] SIZES = {
    2, 4, 8, 14, 16, 18, 24, 28, 30, 32, 34, 48, 56, 62, 64, 66, 96, 128, 130
  };
  private static final double TOLERANCE = 1e-5;
  private static final byte UNTOUCHED = 0x55;
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(LITTLE_ENDIAN);

  private final KernelInputs inputs = new KernelInputs(9);

  private static int bytes(DType type, int size) {
    return size * type.bits() / 8;
  }

  /** What a value is after it was stored: for BF16 the nearer neighbour, of two the even one. */
  private static float stored(DType type, float value) {
    if (type == DType.F32 || Float.isNaN(value) || Float.isInfinite(value)) {
      return value;
    }
    int bits = Float.floatToRawIntBits(value);
    float inner = Float.intBitsToFloat(bits & 0xFFFF0000);
    float outer = Float.intBitsToFloat((bits & 0xFFFF0000) + 0x10000);
    // Beyond the greatest value the next one would be 2^128, which infinity stands for.
    double magnitude = Float.isInfinite(outer) ? 0x1p128 : Math.abs(outer);
    double toInner = Math.abs((double) value) - Math.abs(inner);
    double toOuter = magnitude - Math.abs((double) value);
    boolean even = (bits >>> 16 & 1) == 0;
    return toInner < toOuter || toInner == toOuter && even ? inner : outer;
  }

  @ParameterizedTest
  @EnumSource(names = {"F32", "BF16"})
  void storedValuesComeBackInOrder(DType type) {
    try (Arena arena = Arena.ofConfined()) {
      for (int size : SIZES) {
        float[] x = inputs.values(size + 4);
        int offset = 6;
        MemorySegment target = arena.allocate(bytes(type, size) + 16, 4);
        target.fill(UNTOUCHED);
        RowKernels.store(type, x, 2, target, offset, size);
        MemorySegment twin = arena.allocate(target.byteSize(), 4).fill(UNTOUCHED);
        ScalarKernels.store(type, x, 2, twin, offset, size);
        assertEquals(-1, twin.mismatch(target), "the first byte that the twin stores otherwise");
        for (int i = 0; i < size; i++) {
          assertEquals(
              stored(type, x[2 + i]),
              ScalarKernels.element(type, target, offset, i, size),
              "value " + i + " of " + size);
        }
        for (long i = 0; i < target.byteSize(); i++) {
          if (i < offset || i >= offset + bytes(type, size)) {
            assertEquals(
                UNTOUCHED,
                target.get(ValueLayout.JAVA_BYTE, i),
                "byte " + i + " beside " + size + " values");
          }
        }
      }
    }
  }

  /** Ties, infinities, subnormals, zeros and the greatest values, by the vector and by its twin. */
  @Test
  void roundingToBf16() {
    int count = 4 * Lanes.CHUNK;
    float[] x = new float[count];
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment target = arena.allocate(2L * count, 4);
      // Twice: the two halves of a chunk are rounded by themselves, and see all values each.
      for (int at = 0; at < 2 << 16; at += count / 4) {
        int upper = at & 0xFFFF;
        int shift = at >>> 16 == 0 ? 0 : Lanes.COUNT;
        for (int i = 0; i < count; i++) {
          int lower =
              switch (i % 4) {
                case 0 -> 0;
                case 1 -> 0x8000;
                case 2 -> 0x7FFF;
                default -> inputs.integer(1 << 16);
              };
          x[(i + shift) % count] = Float.intBitsToFloat(upper + i / 4 << 16 | lower);
        }
        RowKernels.store(DType.BF16, x, 0, target, 0, count);
        for (int i = 0; i < count; i++) {
          float vector = ScalarKernels.element(DType.BF16, target, 0, i, count);
          float scalar = Float.intBitsToFloat(ScalarKernels.bf16(x[i]) << 16);
          if (Float.isNaN(x[i])) {
            assertTrue(Float.isNaN(vector) && Float.isNaN(scalar), "a NaN became a number");
          } else {
            int expected = Float.floatToRawIntBits(stored(DType.BF16, x[i]));
            assertEquals(expected, Float.floatToRawIntBits(vector), "vector of " + x[i]);
            assertEquals(expected, Float.floatToRawIntBits(scalar), "scalar of " + x[i]);
          }
        }
      }
    }
  }

  /** Positions behind each other, as a head has them. */
  private MemorySegment rows(DType type, float[] numbers, int size, long offset, Arena arena) {
    int rows = numbers.length / size;
    MemorySegment memory = arena.allocate(offset + (long) rows * bytes(type, size), 4);
    for (int row = 0; row < rows; row++) {
      RowKernels.store(
          type, numbers, row * size, memory, offset + (long) row * bytes(type, size), size);
    }
    return memory;
  }

  @ParameterizedTest
  @EnumSource(names = {"F32", "BF16"})
  void addWeighted(DType type) {
    int positions = 149;
    int from = 4;
    long offset = 10;
    try (Arena arena = Arena.ofConfined()) {
      for (int size : SIZES) {
        float[] numbers = inputs.values(size * positions);
        MemorySegment values = rows(type, numbers, size, offset, arena);
        float[] weights = inputs.values(from + positions);
        float[] out = inputs.values(size + 3);
        final float[] before = out.clone();
        final float[] twin = out.clone();
        final float[] parts = out.clone();
        WeightedSums.add(type, values, offset, size, weights, from, from + positions, out);
        ScalarKernels.addWeighted(
            type, values, offset, size, 0, weights, from, from + positions, twin);
        for (int i = 0; i < size; i++) {
          double expected = before[i];
          for (int p = 0; p < positions; p++) {
            expected += (double) weights[from + p] * stored(type, numbers[p * size + i]);
          }
          String what = "value " + i + " of " + size;
          assertClose(expected, out[i], TOLERANCE * positions, what);
        }
        // Nor has the twin changed what lies behind.
        assertSameBits(twin, out, size + " values");

        // Positions that lie in several slots are added slot by slot.
        int cut = 1 + inputs.integer(positions - 1);
        long second = offset + (long) cut * bytes(type, size);
        WeightedSums.add(type, values, offset, size, weights, from, from + cut, parts);
        WeightedSums.add(type, values, second, size, weights, from + cut, from + positions, parts);
        assertSameBits(out, parts, size + " values in two parts");
      }
    }
  }

  /** The scores of 16 keys are those of the same numbers in F32, to the last bit. */
  @ParameterizedTest
  @EnumSource(names = {"F32", "BF16"})
  void scores(DType type) {
    try (Arena arena = Arena.ofConfined()) {
      for (int size : SIZES) {
        float[] numbers = inputs.values(size * MatrixKernels.UNIT);
        float[] query = inputs.values(size);
        MemorySegment keys = rows(type, numbers, size, 6, arena);
        float[] scores = scores(type, keys, 6, size, query);
        assertSameBits(
            Arrays.copyOf(scoresByScalars(type, keys, 6, size, query), MatrixKernels.UNIT),
            scores,
            size + " columns by scalars");
        for (int i = 0; i < numbers.length; i++) {
          numbers[i] = stored(type, numbers[i]);
        }
        MemorySegment same = rows(DType.F32, numbers, size, 0, arena);
        assertSameBits(
            Arrays.copyOf(scores(DType.F32, same, 0, size, query), MatrixKernels.UNIT),
            scores,
            size + " columns");
        for (int key = 0; key < MatrixKernels.UNIT; key++) {
          double expected = 0;
          for (int i = 0; i < size; i++) {
            expected += (double) numbers[key * size + i] * query[i];
          }
          assertClose(expected, scores[key], TOLERANCE * size, "key " + key + " of " + size);
        }
      }
    }
  }

  private static float[] scores(
      DType type, MemorySegment keys, long offset, int size, float[] query) {
    float[] partials = new float[Lanes.PARTIALS];
    long rowBytes = bytes(type, size);
    MatrixKernels.dot16(
        type,
        keys,
        offset,
        rowBytes,
        4 * rowBytes,
        size,
        MemorySegment.ofArray(query),
        false,
        partials);
    return partials;
  }

  private static float[] scoresByScalars(
      DType type, MemorySegment keys, long offset, int size, float[] query) {
    float[] partials = new float[Lanes.PARTIALS];
    long rowBytes = bytes(type, size);
    float[] lanes = new float[Lanes.COUNT];
    ScalarMatrixKernels.dot16(
        type,
        keys,
        offset,
        rowBytes,
        4 * rowBytes,
        size,
        MemorySegment.ofArray(query),
        false,
        lanes,
        partials);
    return partials;
  }

  /** Left-over numbers lie as they are; a chunk has its halves side by side. */
  @Test
  void placesInBf16() {
    int size = Lanes.CHUNK + 2;
    float[] x = new float[size];
    for (int i = 0; i < size; i++) {
      x[i] = i;
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment target = arena.allocate(2L * size, 4);
      RowKernels.store(DType.BF16, x, 0, target, 0, size);
      for (int place = 0; place < size; place++) {
        int half = place % 2 * Lanes.COUNT;
        int expected = place < Lanes.CHUNK ? half + place / 2 : place;
        assertEquals(
            expected, Float.intBitsToFloat(target.get(SHORT, 2L * place) << 16), "place " + place);
      }
    }
  }
}
