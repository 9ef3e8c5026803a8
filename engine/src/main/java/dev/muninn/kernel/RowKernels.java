package dev.muninn.kernel;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import dev.muninn.weights.DType;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;

/**
 * The steps between two products of a row: norms, the gated activation, rotary positions, softmax
 * attention. Every sum is added up in one fixed order. The scalar twins are in {@link
 * ScalarKernels}.
 */
public final class RowKernels {
  private static final VectorShuffle<Float> NEIGHBOUR =
      VectorShuffle.fromOp(Lanes.FLOATS, lane -> lane ^ 1);

  private RowKernels() {}

  /** {@code x += y}. */
  public static void add(float[] x, int xFrom, float[] y, int yFrom, int size) {
    int i = 0;
    for (; i < Lanes.FLOATS.loopBound(size); i += Lanes.COUNT) {
      FloatVector.fromArray(Lanes.FLOATS, x, xFrom + i)
          .add(FloatVector.fromArray(Lanes.FLOATS, y, yFrom + i))
          .intoArray(x, xFrom + i);
    }
    for (; i < size; i++) {
      x[xFrom + i] += y[yFrom + i];
    }
  }

  /** Stores {@code size} values at a byte offset, as the store of keys and values has them. */
  public static void store(
      DType type, float[] x, int from, MemorySegment target, long offset, int size) {
    int chunked = size - size % Lanes.CHUNK;
    if (type == DType.BF16) {
      storeBf16(x, from, target, offset, chunked);
    } else {
      for (int i = 0; i < chunked; i += Lanes.COUNT) {
        FloatVector.fromArray(Lanes.FLOATS, x, from + i)
            .intoMemorySegment(target, offset + 4L * i, LITTLE_ENDIAN);
      }
    }
    for (int i = chunked; i < size; i++) {
      ScalarKernels.setElement(type, target, offset, i, size, x[from + i]);
    }
  }

  private static void storeBf16(float[] x, int from, MemorySegment target, long offset, int size) {
    for (int i = 0; i < size; i += Lanes.CHUNK) {
      FloatVector first = FloatVector.fromArray(Lanes.FLOATS, x, from + i);
      FloatVector second = FloatVector.fromArray(Lanes.FLOATS, x, from + i + Lanes.COUNT);
      IntVector low = first.reinterpretAsInts();
      IntVector high = second.reinterpretAsInts();
      // To the nearest, ties to even. A NaN could round to an infinity and gets a bit that stays.
      low =
          low.add(low.lanewise(VectorOperators.LSHR, 16).and(1))
              .add(0x7FFF)
              .blend(low.or(0x400000), first.test(VectorOperators.IS_NAN).cast(Lanes.INTS));
      high =
          high.add(high.lanewise(VectorOperators.LSHR, 16).and(1))
              .add(0x7FFF)
              .blend(high.or(0x400000), second.test(VectorOperators.IS_NAN).cast(Lanes.INTS));
      low.lanewise(VectorOperators.LSHR, 16)
          .or(high.and(0xFFFF0000))
          .intoMemorySegment(target, offset + 2L * i, LITTLE_ENDIAN);
    }
  }

  /** {@code out = x / sqrt(mean(x^2) + epsilon) * weight} (RMSNorm, statistics in f32). */
  public static void norm(
      float[] x, int from, float[] weight, float epsilon, float[] out, int to, int size) {
    int bound = Lanes.FLOATS.loopBound(size);
    FloatVector sum = FloatVector.zero(Lanes.FLOATS);
    for (int i = 0; i < bound; i += Lanes.COUNT) {
      FloatVector v = FloatVector.fromArray(Lanes.FLOATS, x, from + i);
      sum = v.fma(v, sum);
    }
    if (Lanes.COUNT > 8) {
      sum = sum.add(sum.rearrange(Lanes.SWAP_8));
    }
    if (Lanes.COUNT > 4) {
      sum = sum.add(sum.rearrange(Lanes.SWAP_4));
    }
    sum = sum.add(sum.rearrange(Lanes.SWAP_2));
    sum = sum.add(sum.rearrange(Lanes.SWAP_1));
    float squares = sum.lane(0);
    for (int i = bound; i < size; i++) {
      squares = Math.fma(x[from + i], x[from + i], squares);
    }
    float scale = (float) (1 / Math.sqrt(squares / size + epsilon));
    for (int i = 0; i < bound; i += Lanes.COUNT) {
      FloatVector.fromArray(Lanes.FLOATS, x, from + i)
          .mul(scale)
          .mul(FloatVector.fromArray(Lanes.FLOATS, weight, i))
          .intoArray(out, to + i);
    }
    for (int i = bound; i < size; i++) {
      out[to + i] = x[from + i] * scale * weight[i];
    }
  }

  /** {@code hidden = gate * sigmoid(gate) * up}. */
  public static void gate(
      float[] gate, int gateFrom, float[] up, int upFrom, float[] hidden, int to, int size) {
    int bound = Lanes.FLOATS.loopBound(size);
    for (int i = 0; i < bound; i += Lanes.COUNT) {
      FloatVector.fromArray(Lanes.FLOATS, gate, gateFrom + i).neg().intoArray(hidden, to + i);
    }
    exponentials(hidden, to, bound);
    for (int i = 0; i < bound; i += Lanes.COUNT) {
      FloatVector.fromArray(Lanes.FLOATS, gate, gateFrom + i)
          .div(FloatVector.fromArray(Lanes.FLOATS, hidden, to + i).add(1))
          .mul(FloatVector.fromArray(Lanes.FLOATS, up, upFrom + i))
          .intoArray(hidden, to + i);
    }
    ScalarKernels.gate(
        gate, gateFrom + bound, up, upFrom + bound, hidden, to + bound, size - bound);
  }

  /**
   * Adds the bias, if there is one, and turns adjacent pairs: {@code (a, b) -> (a cos - b sin, b
   * cos + a sin)}.
   *
   * @param bias null for none
   * @param cosines of each column's angle, from {@code table}
   * @param sines of each column's angle, negative in even columns, from {@code table}
   * @param out gets the {@code size} turned values
   * @param size even
   */
  public static void rotate(
      float[] x,
      int from,
      float[] bias,
      int biasFrom,
      float[] cosines,
      float[] sines,
      int table,
      float[] out,
      int size) {
    int bound = Lanes.FLOATS.loopBound(size);
    if (bias == null) {
      rotate(x, from, cosines, sines, table, out, bound);
    } else {
      rotateBiased(x, from, bias, biasFrom, cosines, sines, table, out, bound);
    }
    ScalarKernels.rotate(x, from, bias, biasFrom, cosines, sines, table, out, bound, size);
  }

  private static void rotate(
      float[] x, int from, float[] cosines, float[] sines, int table, float[] out, int bound) {
    for (int i = 0; i < bound; i += Lanes.COUNT) {
      FloatVector own = FloatVector.fromArray(Lanes.FLOATS, x, from + i);
      own.mul(FloatVector.fromArray(Lanes.FLOATS, cosines, table + i))
          .add(own.rearrange(NEIGHBOUR).mul(FloatVector.fromArray(Lanes.FLOATS, sines, table + i)))
          .intoArray(out, i);
    }
  }

  private static void rotateBiased(
      float[] x,
      int from,
      float[] bias,
      int biasFrom,
      float[] cosines,
      float[] sines,
      int table,
      float[] out,
      int bound) {
    for (int i = 0; i < bound; i += Lanes.COUNT) {
      FloatVector own =
          FloatVector.fromArray(Lanes.FLOATS, x, from + i)
              .add(FloatVector.fromArray(Lanes.FLOATS, bias, biasFrom + i));
      own.mul(FloatVector.fromArray(Lanes.FLOATS, cosines, table + i))
          .add(own.rearrange(NEIGHBOUR).mul(FloatVector.fromArray(Lanes.FLOATS, sines, table + i)))
          .intoArray(out, i);
    }
  }

  /**
   * Adds the bias, if there is one, and turns the pairs of columns i and i + size / 2.
   *
   * @param bias null for none
   * @param cosines of each column's angle, from {@code table}
   * @param sines of each column's angle, negative in the first half, from {@code table}
   * @param out gets the {@code size} turned values; not {@code x}
   * @param size even
   */
  public static void rotateHalves(
      float[] x,
      int from,
      float[] bias,
      int biasFrom,
      float[] cosines,
      float[] sines,
      int table,
      float[] out,
      int size) {
    int half = size / 2;
    int bound = Lanes.FLOATS.loopBound(half);
    if (bias == null) {
      rotateHalves(x, from, cosines, sines, table, out, half, bound);
    } else {
      rotateHalvesBiased(x, from, bias, biasFrom, cosines, sines, table, out, half, bound);
    }
    ScalarKernels.rotateHalves(x, from, bias, biasFrom, cosines, sines, table, out, bound, size);
  }

  private static void rotateHalves(
      float[] x,
      int from,
      float[] cosines,
      float[] sines,
      int table,
      float[] out,
      int half,
      int bound) {
    for (int i = 0; i < bound; i += Lanes.COUNT) {
      int j = half + i;
      FloatVector first = FloatVector.fromArray(Lanes.FLOATS, x, from + i);
      FloatVector second = FloatVector.fromArray(Lanes.FLOATS, x, from + j);
      first
          .mul(FloatVector.fromArray(Lanes.FLOATS, cosines, table + i))
          .add(second.mul(FloatVector.fromArray(Lanes.FLOATS, sines, table + i)))
          .intoArray(out, i);
      second
          .mul(FloatVector.fromArray(Lanes.FLOATS, cosines, table + j))
          .add(first.mul(FloatVector.fromArray(Lanes.FLOATS, sines, table + j)))
          .intoArray(out, j);
    }
  }

  private static void rotateHalvesBiased(
      float[] x,
      int from,
      float[] bias,
      int biasFrom,
      float[] cosines,
      float[] sines,
      int table,
      float[] out,
      int half,
      int bound) {
    for (int i = 0; i < bound; i += Lanes.COUNT) {
      int j = half + i;
      FloatVector first =
          FloatVector.fromArray(Lanes.FLOATS, x, from + i)
              .add(FloatVector.fromArray(Lanes.FLOATS, bias, biasFrom + i));
      FloatVector second =
          FloatVector.fromArray(Lanes.FLOATS, x, from + j)
              .add(FloatVector.fromArray(Lanes.FLOATS, bias, biasFrom + j));
      first
          .mul(FloatVector.fromArray(Lanes.FLOATS, cosines, table + i))
          .add(second.mul(FloatVector.fromArray(Lanes.FLOATS, sines, table + i)))
          .intoArray(out, i);
      second
          .mul(FloatVector.fromArray(Lanes.FLOATS, cosines, table + j))
          .add(first.mul(FloatVector.fromArray(Lanes.FLOATS, sines, table + j)))
          .intoArray(out, j);
    }
  }

  /**
   * Replaces scores by exp(score - greatest) and returns their sum.
   *
   * @param scores {@code count} of them; the array has room for another vector behind them, which
   *     is overwritten
   */
  public static float exponentiate(float[] scores, int count) {
    int end = (count + Lanes.COUNT - 1) / Lanes.COUNT * Lanes.COUNT;
    for (int i = count; i < end; i++) {
      scores[i] = Float.NEGATIVE_INFINITY;
    }
    // Here and below the vector that was just read has its method called. C2 does not always know
    // the class of one that comes from the turn before, and would make every vector an object.
    FloatVector greatest = FloatVector.broadcast(Lanes.FLOATS, Float.NEGATIVE_INFINITY);
    for (int i = 0; i < end; i += Lanes.COUNT) {
      greatest = FloatVector.fromArray(Lanes.FLOATS, scores, i).max(greatest);
    }
    // A maximum is the same in any order.
    float most = greatest.reduceLanes(VectorOperators.MAX);
    exponentials(scores, 0, end, most);
    FloatVector sum = FloatVector.zero(Lanes.FLOATS);
    for (int i = 0; i < end; i += Lanes.COUNT) {
      sum = FloatVector.fromArray(Lanes.FLOATS, scores, i).add(sum);
    }
    if (Lanes.COUNT > 8) {
      sum = sum.add(sum.rearrange(Lanes.SWAP_8));
    }
    if (Lanes.COUNT > 4) {
      sum = sum.add(sum.rearrange(Lanes.SWAP_4));
    }
    sum = sum.add(sum.rearrange(Lanes.SWAP_2));
    sum = sum.add(sum.rearrange(Lanes.SWAP_1));
    return sum.lane(0);
  }

  /**
   * Replaces values by their exponentials: 2^n times a polynomial of the remainder, within 2 units
   * in the last place from -87 to 88, and 0 or the bound's value beyond. The API's own is a
   * library's on some machines and a loop over lanes on others.
   *
   * @param count a multiple of {@link Lanes#COUNT}
   */
  public static void exponentials(float[] x, int from, int count) {
    exponentials(x, from, count, 0);
  }

  /** The same, after something is subtracted from each value. */
  private static void exponentials(float[] x, int from, int count, float less) {
    for (int i = from; i < from + count; i += Lanes.COUNT) {
      FloatVector v = FloatVector.fromArray(Lanes.FLOATS, x, i).sub(less);
      FloatVector bounded = v.min(88.37f).max(-87.33f);
      // Adding 1.5 * 2^23 leaves the nearest integer in the lowest bits.
      FloatVector shifted = bounded.mul(1.442695041f).add(12_582_912f);
      FloatVector n = shifted.sub(12_582_912f);
      FloatVector r = n.mul(-0.693359375f).add(bounded);
      r = n.mul(2.12194440e-4f).add(r);
      FloatVector p = r.mul(1.9875691500e-4f).add(1.3981999507e-3f);
      p = p.mul(r).add(8.3334519073e-3f);
      p = p.mul(r).add(4.1665795894e-2f);
      p = p.mul(r).add(1.6666665459e-1f);
      p = p.mul(r).add(5.0000001201e-1f);
      p = p.mul(r).mul(r).add(r).add(1);
      FloatVector power =
          shifted
              .reinterpretAsInts()
              .lanewise(VectorOperators.LSHL, 23)
              .add(0x3F800000)
              .reinterpretAsFloats();
      p.mul(power).blend(0, v.compare(VectorOperators.LT, -87.33f)).intoArray(x, i);
    }
  }
}
