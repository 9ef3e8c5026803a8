package dev.muninn.kernel;

import static java.nio.ByteOrder.LITTLE_ENDIAN;
import static org.junit.jupiter.api.Assertions.fail;

import dev.muninn.model.WeightMatrix;
import dev.muninn.weights.DType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;

/** Seeded inputs of kernels, and comparisons of what they computed. */
public final class KernelInputs {
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(LITTLE_ENDIAN);

  private final SplittableRandom random;

  public KernelInputs(long seed) {
    random = new SplittableRandom(seed);
  }

  /** From 0 to {@code bound - 1}. */
  public int integer(int bound) {
    return random.nextInt(bound);
  }

  /** Uniform from -2 to 2. */
  public float[] values(int count) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) (4 * random.nextDouble() - 2);
    }
    return values;
  }

  /**
   * A matrix whose first byte lies at an address of this remainder by 4, in memory that ends where
   * it ends: a kernel that reads past it fails.
   */
  public WeightMatrix matrix(DType dtype, int rows, int columns, int misalignment, Arena arena) {
    long bytes = (long) rows * columns * dtype.bits() / 8;
    MemorySegment data = arena.allocate(misalignment + bytes, 64).asSlice(misalignment);
    for (long i = 0; i < (long) rows * columns; i++) {
      set(dtype, data, i, (float) (2 * random.nextDouble() - 1));
    }
    return new WeightMatrix(dtype, rows, columns, data);
  }

  /** Sets an element to a value, rounded to the type. */
  public static void set(DType dtype, MemorySegment data, long index, float value) {
    switch (dtype) {
      case F32 -> ScalarKernels.setF32(data, 4 * index, value);
      case F16 -> setBits(data, index, Float.floatToFloat16(value));
      case BF16 -> setBits(data, index, Float.floatToRawIntBits(value) >>> 16);
      default -> throw new AssertionError(dtype);
    }
  }

  /** Sets a 16-bit element. */
  public static void setBits(MemorySegment data, long index, int bits) {
    data.set(SHORT, 2 * index, (short) bits);
  }

  /** The float that the bits of a 16-bit type stand for, by the language's own conversions. */
  public static float value(DType dtype, int bits) {
    return dtype == DType.F16
        ? Float.float16ToFloat((short) bits)
        : Float.intBitsToFloat(bits << 16);
  }

  /** All of them with the same bits, or a failure that says which differs first. */
  public static void assertSameBits(float[] expected, float[] actual, String what) {
    for (int i = 0; i < expected.length; i++) {
      if (Float.floatToRawIntBits(expected[i]) != Float.floatToRawIntBits(actual[i])) {
        fail(what + ": " + actual[i] + " at " + i + ", expected " + expected[i]);
      }
    }
  }

  /** A difference of at most {@code tolerance}, which NaN never has. */
  public static void assertClose(double expected, double actual, double tolerance, String what) {
    if (!(Math.abs(expected - actual) <= tolerance)) {
      fail(what + ": " + actual + ", expected " + expected + " within " + tolerance);
    }
  }
}
