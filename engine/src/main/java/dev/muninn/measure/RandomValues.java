package dev.muninn.measure;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import dev.muninn.weights.DType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;

/**
 * Seeded random numbers, uniform about zero. Their distribution does not matter to the time, only
 * that they are ordinary: neither subnormal nor growing from product to product.
 */
public final class RandomValues {
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(LITTLE_ENDIAN);
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(LITTLE_ENDIAN);

  private RandomValues() {}

  /** Numbers from -1 to 1. */
  public static float[] floats(int count, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = uniform(random);
    }
    return values;
  }

  /** Tokens of a vocabulary. */
  public static int[] tokens(int count, int vocabularySize, long seed) {
    return new SplittableRandom(seed).ints(count, 0, vocabularySize).toArray();
  }

  /** Fills memory with numbers from -bound to bound. */
  public static void fill(MemorySegment target, DType dtype, double bound, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    float scale = (float) bound;
    long count = elements(target, dtype);
    for (long i = 0; i < count; i++) {
      set(target, dtype, i, scale * uniform(random));
    }
  }

  /** Fills memory with one number. */
  static void fillWith(MemorySegment target, DType dtype, float value) {
    long count = elements(target, dtype);
    for (long i = 0; i < count; i++) {
      set(target, dtype, i, value);
    }
  }

  private static long elements(MemorySegment segment, DType dtype) {
    return segment.byteSize() * Byte.SIZE / dtype.bits();
  }

  private static void set(MemorySegment target, DType dtype, long index, float value) {
    switch (dtype) {
      case F32 -> target.set(FLOAT, index * Float.BYTES, value);
      case F16 -> target.set(SHORT, index * Short.BYTES, Float.floatToFloat16(value));
      case BF16 ->
          target.set(
              SHORT, index * Short.BYTES, (short) (Float.floatToRawIntBits(value) >>> Short.SIZE));
      default -> throw new IllegalArgumentException("no random weights of " + dtype);
    }
  }

  private static float uniform(SplittableRandom random) {
    return random.nextInt() * 0x1p-31f;
  }
}
