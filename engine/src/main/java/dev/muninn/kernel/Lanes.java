package dev.muninn.kernel;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * The vector shape that this machine computes with, and sums across lanes in one fixed order.
 *
 * <p>The API's own {@code reduceLanes} promises no order: it differs between interpreted and
 * compiled code, and with it the last bit of every result. Here a sum is always the same tree: lane
 * l with lane l xor 8, then 4, 2, 1.
 */
public final class Lanes {
  /** Vectors of floats of that shape. */
  public static final VectorSpecies<Float> FLOATS = choose();

  public static final VectorSpecies<Integer> INTS =
      VectorSpecies.of(int.class, FLOATS.vectorShape());

  /** Floats of a vector. */
  public static final int COUNT = FLOATS.length();

  /** Bytes of a vector. */
  public static final long BYTES = 4L * COUNT;

  /** Weights that one step of a product takes from each row: two vectors. */
  public static final int CHUNK = 2 * COUNT;

  /** Sums that {@link #reduce} makes at once. */
  public static final int SUMS = 16;

  /** Floats that the partial sums of {@link #SUMS} accumulators take. */
  public static final int PARTIALS = SUMS * COUNT;

  public static final VectorShuffle<Float> SWAP_8 = Orders.swap(8);
  public static final VectorShuffle<Float> SWAP_4 = Orders.swap(4);
  public static final VectorShuffle<Float> SWAP_2 = Orders.swap(2);
  public static final VectorShuffle<Float> SWAP_1 = Orders.swap(1);
  public static final VectorMask<Float> UPPER_8 = Orders.upper(8);
  public static final VectorMask<Float> UPPER_4 = Orders.upper(4);
  public static final VectorMask<Float> UPPER_2 = Orders.upper(2);
  public static final VectorMask<Float> UPPER_1 = Orders.upper(1);

  private Lanes() {}

  private static VectorSpecies<Float> choose() {
    VectorSpecies<Float> preferred = FloatVector.SPECIES_PREFERRED;
    if (preferred.length() > 16) {
      return FloatVector.SPECIES_512;
    }
    return preferred.length() < 4 ? FloatVector.SPECIES_128 : preferred;
  }

  /**
   * Whether a tile of rows of so many columns can sum its lanes in registers: no column is left
   * over, and a vector has a lane for each of {@link #SUMS}.
   */
  public static boolean foldInRegisters(int columns) {
    return columns % CHUNK == 0 && COUNT == SUMS;
  }

  /**
   * Sums the lanes of 16 accumulators. A sum of zeros is 0, not -0: products that underflow leave
   * -0 in a lane, and so do zeros beside them or not.
   *
   * @param partials accumulator a at [a * COUNT, (a + 1) * COUNT); afterwards sum a at index a, the
   *     rest overwritten
   */
  public static void reduce(float[] partials) {
    // Each stage folds two accumulators into one vector that has the halves of both, so that 16 of
    // them cost 15 folds and not 16 times 4. Written out: a mask that is no constant is slow.
    if (COUNT > 8) {
      for (int j = 0; j < 8; j++) {
        FloatVector a = FloatVector.fromArray(FLOATS, partials, j * COUNT);
        FloatVector b = FloatVector.fromArray(FLOATS, partials, (j + 8) * COUNT);
        a.blend(b, UPPER_8)
            .add(b.blend(a, UPPER_8).rearrange(SWAP_8))
            .intoArray(partials, j * COUNT);
      }
    }
    for (int group = 0; group < SUMS; group += COUNT) {
      if (COUNT > 4) {
        for (int j = group; j < group + 4; j++) {
          FloatVector a = FloatVector.fromArray(FLOATS, partials, j * COUNT);
          FloatVector b = FloatVector.fromArray(FLOATS, partials, (j + 4) * COUNT);
          a.blend(b, UPPER_4)
              .add(b.blend(a, UPPER_4).rearrange(SWAP_4))
              .intoArray(partials, j * COUNT);
        }
      }
      for (int j = group; j < group + 2; j++) {
        FloatVector a = FloatVector.fromArray(FLOATS, partials, j * COUNT);
        FloatVector b = FloatVector.fromArray(FLOATS, partials, (j + 2) * COUNT);
        a.blend(b, UPPER_2)
            .add(b.blend(a, UPPER_2).rearrange(SWAP_2))
            .intoArray(partials, j * COUNT);
      }
      FloatVector a = FloatVector.fromArray(FLOATS, partials, group * COUNT);
      FloatVector b = FloatVector.fromArray(FLOATS, partials, (group + 1) * COUNT);
      a.blend(b, UPPER_1)
          .add(b.blend(a, UPPER_1).rearrange(SWAP_1))
          .add(0)
          .intoArray(partials, group);
    }
  }

  /**
   * Transposes a square of 16 by 16 values in place, on vectors of 16.
   *
   * @param values row r of the square at [at + 16 r, at + 16 (r + 1))
   */
  public static void transpose(float[] values, int at) {
    // Each stage exchanges, between rows that are a power of two apart, the lanes that are as far
    // apart. Written out: a mask that is no constant is slow.
    for (int j = 0; j < 8; j++) {
      int row = at + j * COUNT;
      FloatVector a = FloatVector.fromArray(FLOATS, values, row);
      FloatVector b = FloatVector.fromArray(FLOATS, values, row + 8 * COUNT);
      FloatVector swapped = b.blend(a, UPPER_8).rearrange(SWAP_8);
      a.blend(swapped, UPPER_8).intoArray(values, row);
      swapped.blend(b, UPPER_8).intoArray(values, row + 8 * COUNT);
    }
    for (int j = 0; j < 8; j++) {
      int row = at + (j / 4 * 8 + j % 4) * COUNT;
      FloatVector a = FloatVector.fromArray(FLOATS, values, row);
      FloatVector b = FloatVector.fromArray(FLOATS, values, row + 4 * COUNT);
      FloatVector swapped = b.blend(a, UPPER_4).rearrange(SWAP_4);
      a.blend(swapped, UPPER_4).intoArray(values, row);
      swapped.blend(b, UPPER_4).intoArray(values, row + 4 * COUNT);
    }
    for (int j = 0; j < 8; j++) {
      int row = at + (j / 2 * 4 + j % 2) * COUNT;
      FloatVector a = FloatVector.fromArray(FLOATS, values, row);
      FloatVector b = FloatVector.fromArray(FLOATS, values, row + 2 * COUNT);
      FloatVector swapped = b.blend(a, UPPER_2).rearrange(SWAP_2);
      a.blend(swapped, UPPER_2).intoArray(values, row);
      swapped.blend(b, UPPER_2).intoArray(values, row + 2 * COUNT);
    }
    for (int j = 0; j < 8; j++) {
      int row = at + 2 * j * COUNT;
      FloatVector a = FloatVector.fromArray(FLOATS, values, row);
      FloatVector b = FloatVector.fromArray(FLOATS, values, row + COUNT);
      FloatVector swapped = b.blend(a, UPPER_1).rearrange(SWAP_1);
      a.blend(swapped, UPPER_1).intoArray(values, row);
      swapped.blend(b, UPPER_1).intoArray(values, row + COUNT);
    }
  }

  /** Copies no more than {@link #COUNT} values. */
  public static void copy(float[] source, int from, float[] target, int to, int count) {
    if (count == COUNT) {
      FloatVector.fromArray(FLOATS, source, from).intoArray(target, to);
    } else {
      System.arraycopy(source, from, target, to, count);
    }
  }

  /** Apart from {@link Lanes}, whose methods are compiled as soon as they are called. */
  private static final class Orders {
    static VectorShuffle<Float> swap(int distance) {
      return VectorShuffle.fromOp(FLOATS, lane -> lane ^ (distance & (COUNT - 1)));
    }

    static VectorMask<Float> upper(int bit) {
      boolean[] lanes = new boolean[COUNT];
      for (int lane = 0; lane < COUNT; lane++) {
        lanes[lane] = (lane & bit) != 0;
      }
      return VectorMask.fromArray(FLOATS, lanes, 0);
    }
  }
}
