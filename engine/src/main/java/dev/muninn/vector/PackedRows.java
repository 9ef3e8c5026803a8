package dev.muninn.vector;

import dev.muninn.weights.DType;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorShuffle;

/**
 * Activations in the order in which a product reads them: groups of {@link #TILE} rows (or a single
 * row), and in a group, chunk by chunk of {@link Lanes#CHUNK} columns, the first vector of every
 * row and then the second. So the inner loop walks through one stream.
 *
 * <p>16-bit weights come two to an int lane; for them the first vector of a chunk has its even
 * columns and the second its odd ones. Columns that fill no chunk follow row by row.
 */
final class PackedRows {
  /** Rows of a group. */
  static final int TILE = 4;

  private static final VectorShuffle<Float> EVEN =
      VectorShuffle.fromOp(Lanes.FLOATS, lane -> 2 * lane % Lanes.COUNT);
  private static final VectorShuffle<Float> ODD =
      VectorShuffle.fromOp(Lanes.FLOATS, lane -> (2 * lane + 1) % Lanes.COUNT);
  private static final VectorMask<Float> UPPER_HALF =
      VectorMask.fromLong(Lanes.FLOATS, -1L << Lanes.COUNT / 2);

  final float[] data;
  private int rows;
  private int columns;
  private boolean paired;

  /** Room for {@code rows} rows of {@code columns}. */
  PackedRows(int rows, int columns) {
    data = new float[(rows == 1 ? 1 : (rows + TILE - 1) / TILE * TILE) * columns];
  }

  /** Sets the shape of what is packed next, for weights of a type. */
  void shape(int rows, int columns, DType weights) {
    this.rows = rows;
    this.columns = columns;
    this.paired = paired(weights);
  }

  /** Whether weights of a type are read two to an int lane. */
  static boolean paired(DType weights) {
    return weights != DType.F32;
  }

  int rows() {
    return rows;
  }

  int columns() {
    return columns;
  }

  boolean paired() {
    return paired;
  }

  /** Rows that are read together. */
  int groupSize() {
    return groupSize(rows);
  }

  static int groupSize(int rows) {
    return rows == 1 ? 1 : TILE;
  }

  static int groups(int rows) {
    int size = groupSize(rows);
    return (rows + size - 1) / size;
  }

  /** Index of a group's first value. */
  int groupOffset(int group) {
    return group * groupSize() * columns;
  }

  /** Index of the first left-over value of a row, behind its group's chunks. */
  int tailOffset(int row) {
    int size = groupSize();
    int tail = columns % Lanes.CHUNK;
    return groupOffset(row / size) + size * (columns - tail) + row % size * tail;
  }

  /** The lane that adds up a left-over column. */
  static int tailLane(int index, boolean paired) {
    return paired ? index / 2 : index % Lanes.COUNT;
  }

  /** Packs one row from {@code source[from, from + columns)}. */
  void pack(int row, float[] source, int from) {
    int size = groupSize();
    int target = groupOffset(row / size) + row % size * Lanes.COUNT;
    int other = size * Lanes.COUNT;
    int tail = columns % Lanes.CHUNK;
    int end = from + columns - tail;
    if (paired) {
      for (int i = from; i < end; i += Lanes.CHUNK, target += 2 * other) {
        FloatVector a = FloatVector.fromArray(Lanes.FLOATS, source, i);
        FloatVector b = FloatVector.fromArray(Lanes.FLOATS, source, i + Lanes.COUNT);
        a.rearrange(EVEN).blend(b.rearrange(EVEN), UPPER_HALF).intoArray(data, target);
        a.rearrange(ODD).blend(b.rearrange(ODD), UPPER_HALF).intoArray(data, target + other);
      }
    } else {
      for (int i = from; i < end; i += Lanes.CHUNK, target += 2 * other) {
        FloatVector.fromArray(Lanes.FLOATS, source, i).intoArray(data, target);
        FloatVector.fromArray(Lanes.FLOATS, source, i + Lanes.COUNT)
            .intoArray(data, target + other);
      }
    }
    System.arraycopy(source, end, data, tailOffset(row), tail);
  }

  /** {@link #pack} without vectors. */
  void packByScalars(int row, float[] source, int from) {
    int size = groupSize();
    int target = groupOffset(row / size) + row % size * Lanes.COUNT;
    int other = size * Lanes.COUNT;
    int tail = columns % Lanes.CHUNK;
    int end = from + columns - tail;
    for (int i = from; i < end; i += Lanes.CHUNK, target += 2 * other) {
      for (int lane = 0; lane < Lanes.COUNT; lane++) {
        data[target + lane] = source[paired ? i + 2 * lane : i + lane];
        data[target + other + lane] = source[paired ? i + 2 * lane + 1 : i + Lanes.COUNT + lane];
      }
    }
    System.arraycopy(source, end, data, tailOffset(row), tail);
  }
}
