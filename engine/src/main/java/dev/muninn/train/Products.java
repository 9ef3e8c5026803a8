package dev.muninn.train;

import dev.muninn.kernel.Lanes;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;

/**
 * Products of matrices of many rows, for a forward ({@code y = x W^T} as x times the transposed
 * weights), for the gradient of an input ({@code dx = dy W}) and for that of the weights ({@code dW
 * += dy^T x}).
 *
 * <p>A tile of {@link #TILE} rows by two vectors of columns stays in registers while the inner
 * dimension passes by. The right factor is copied to a panel of two vectors' width first, so that
 * the inner loop reads one stream; columns that fill no vector are zeros there and are computed
 * with the rest, into a buffer beside the result. So every element of a result is one chain of
 * fused multiplications and additions in the order of the inner dimension, as in {@link
 * ScalarProducts}, to the last bit.
 *
 * <p>Not thread-safe: every thread has its own, for the panel.
 */
final class Products {
  /** Rows of a tile. */
  static final int TILE = 8;

  private static final int WIDTH = 2 * Lanes.COUNT;

  /** Inner elements of a panel: 16 kB with vectors of 512 bits. */
  private static final int DEPTH = 128;

  private final float[] panel = new float[DEPTH * WIDTH];
  private final float[] edge = new float[TILE * WIDTH];

  /** {@code c = a b}: a [m, k], b [k, n], c [m, n]. */
  void multiply(Rows a, Rows b, Rows c) {
    check(a.rows(), a.columns(), b.rows(), b.columns(), c);
    multiply(a, a.stride(), 1, b, c, a.columns(), false);
  }

  /** {@code c += a b}: a [m, k], b [k, n], c [m, n]. */
  void multiplyAdd(Rows a, Rows b, Rows c) {
    check(a.rows(), a.columns(), b.rows(), b.columns(), c);
    multiply(a, a.stride(), 1, b, c, a.columns(), true);
  }

  /** {@code c = a^T b}: a [k, m], b [k, n], c [m, n]. */
  void multiplyTransposed(Rows a, Rows b, Rows c) {
    check(a.columns(), a.rows(), b.rows(), b.columns(), c);
    multiply(a, 1, a.stride(), b, c, a.rows(), false);
  }

  /** {@code c += a^T b}: a [k, m], b [k, n], c [m, n]. */
  void multiplyTransposedAdd(Rows a, Rows b, Rows c) {
    check(a.columns(), a.rows(), b.rows(), b.columns(), c);
    multiply(a, 1, a.stride(), b, c, a.rows(), true);
  }

  private static void check(int rows, int inner, int otherInner, int columns, Rows c) {
    if (c.rows() != rows || otherInner != inner || c.columns() != columns) {
      throw new IllegalArgumentException(
          "a product of %d x %d and %d x %d is not %d x %d"
              .formatted(rows, inner, otherInner, columns, c.rows(), c.columns()));
    }
  }

  /** {@code c = a b}, where b was packed: a [m, k], b [k, n], c [m, n]. */
  void multiply(Rows a, Panels b, Rows c) {
    multiply(a, b, c, false);
  }

  /** {@code c += a b}, where b was packed: a [m, k], b [k, n], c [m, n]. */
  void multiplyAdd(Rows a, Panels b, Rows c) {
    multiply(a, b, c, true);
  }

  private void multiply(Rows a, Panels b, Rows c, boolean accumulate) {
    check(a.rows(), a.columns(), b.rows(), b.columns(), c);
    for (int first = 0; first < a.columns(); first += DEPTH) {
      int depth = Math.min(DEPTH, a.columns() - first);
      boolean add = accumulate || first > 0;
      for (int column = 0; column < c.columns(); column += WIDTH) {
        int panelFrom = column * b.rows() + first * WIDTH;
        strip(a, a.stride(), 1, first, b.data(), panelFrom, depth, c, column, add);
      }
    }
  }

  private void multiply(
      Rows a, int rowStep, int innerStep, Rows b, Rows c, int inner, boolean accumulate) {
    for (int first = 0; first < inner; first += DEPTH) {
      int depth = Math.min(DEPTH, inner - first);
      boolean add = accumulate || first > 0;
      for (int column = 0; column < c.columns(); column += WIDTH) {
        fillPanel(b, first, depth, column, panel, 0);
        strip(a, rowStep, innerStep, first, panel, 0, depth, c, column, add);
      }
    }
  }

  /** All rows of two vectors of columns. */
  private void strip(
      Rows a,
      int rowStep,
      int innerStep,
      int first,
      float[] packed,
      int panelFrom,
      int depth,
      Rows c,
      int column,
      boolean add) {
    int width = Math.min(WIDTH, c.columns() - column);
    boolean whole = width == WIDTH;
    float[] out = whole ? c.data() : edge;
    int stride = whole ? c.stride() : WIDTH;
    int from = a.from() + first * innerStep;
    int row = 0;
    for (; row + TILE <= c.rows(); row += TILE) {
      int target = c.from() + row * c.stride() + column;
      int to = whole ? target : 0;
      if (!whole) {
        copyEdge(c, target, TILE, width, add);
      }
      int at = from + row * rowStep;
      if (innerStep == 1) {
        tileRows(a.data(), at, rowStep, packed, panelFrom, depth, out, to, stride, add);
      } else {
        tileColumns(a.data(), at, innerStep, packed, panelFrom, depth, out, to, stride, add);
      }
      if (!whole) {
        copyBack(c, target, TILE, width);
      }
    }
    for (; row < c.rows(); row++) {
      int target = c.from() + row * c.stride() + column;
      int to = whole ? target : 0;
      if (!whole) {
        copyEdge(c, target, 1, width, add);
      }
      row(a.data(), from + row * rowStep, innerStep, packed, panelFrom, depth, out, to, add);
      if (!whole) {
        copyBack(c, target, 1, width);
      }
    }
  }

  /** A right factor in the order in which it is read, for products with many left ones. */
  record Panels(float[] data, int rows, int columns) {

    /** Room for a matrix; columns that fill no panel are zeros to its end. */
    static Panels of(int rows, int columns) {
      return new Panels(new float[(columns + WIDTH - 1) / WIDTH * WIDTH * rows], rows, columns);
    }

    /** Takes a matrix of this shape over. */
    void pack(Rows matrix) {
      for (int column = 0; column < columns; column += WIDTH) {
        fillPanel(matrix, 0, rows, column, data, column * rows);
      }
    }

    /** Takes a matrix over by columns: its transpose has this shape. */
    void packTransposed(Rows matrix) {
      for (int row = 0; row < matrix.rows(); row++) {
        int to = row / WIDTH * WIDTH * rows + row % WIDTH;
        int from = matrix.from() + row * matrix.stride();
        for (int k = 0; k < rows; k++) {
          data[to + k * WIDTH] = matrix.data()[from + k];
        }
      }
    }
  }

  /** Copies rows of two vectors of columns; zeros stand for columns that are not there. */
  private static void fillPanel(
      Rows b, int first, int depth, int column, float[] panel, int panelFrom) {
    int width = Math.min(WIDTH, b.columns() - column);
    int from = b.from() + first * b.stride() + column;
    int to = panelFrom;
    for (int k = 0; k < depth; k++, from += b.stride(), to += WIDTH) {
      if (width == WIDTH) {
        FloatVector.fromArray(Lanes.FLOATS, b.data(), from).intoArray(panel, to);
        FloatVector.fromArray(Lanes.FLOATS, b.data(), from + Lanes.COUNT)
            .intoArray(panel, to + Lanes.COUNT);
      } else {
        System.arraycopy(b.data(), from, panel, to, width);
        Arrays.fill(panel, to + width, to + WIDTH, 0);
      }
    }
  }

  private void copyEdge(Rows c, int target, int rows, int width, boolean add) {
    if (!add) {
      return;
    }
    for (int row = 0; row < rows; row++) {
      System.arraycopy(c.data(), target + row * c.stride(), edge, row * WIDTH, width);
      Arrays.fill(edge, row * WIDTH + width, (row + 1) * WIDTH, 0);
    }
  }

  private void copyBack(Rows c, int target, int rows, int width) {
    for (int row = 0; row < rows; row++) {
      System.arraycopy(edge, row * WIDTH, c.data(), target + row * c.stride(), width);
    }
  }

  /** One row by two vectors of columns. */
  private static void row(
      float[] a,
      int at,
      int innerStep,
      float[] panel,
      int panelFrom,
      int depth,
      float[] c,
      int to,
      boolean add) {
    FloatVector sum0 = FloatVector.zero(Lanes.FLOATS);
    FloatVector sum1 = sum0;
    if (add) {
      sum0 = FloatVector.fromArray(Lanes.FLOATS, c, to);
      sum1 = FloatVector.fromArray(Lanes.FLOATS, c, to + Lanes.COUNT);
    }
    for (int k = 0; k < depth; k++) {
      FloatVector x = FloatVector.broadcast(Lanes.FLOATS, a[at + k * innerStep]);
      sum0 = FloatVector.fromArray(Lanes.FLOATS, panel, panelFrom + k * WIDTH).fma(x, sum0);
      sum1 =
          FloatVector.fromArray(Lanes.FLOATS, panel, panelFrom + k * WIDTH + Lanes.COUNT)
              .fma(x, sum1);
    }
    sum0.intoArray(c, to);
    sum1.intoArray(c, to + Lanes.COUNT);
  }

  // The two bodies below differ in how they walk through the left factor. A step that is known to
  // be
  // one lets the compiler take the bounds checks out of the loop; one body for both takes a fifth
  // longer.

  /** {@link #TILE} rows by two vectors of columns; the left factor's rows lie in memory as rows. */
  private static void tileRows(
      float[] a,
      int at,
      int rowStep,
      float[] panel,
      int panelFrom,
      int depth,
      float[] c,
      int to,
      int stride,
      boolean add) {
    FloatVector sum00 = FloatVector.zero(Lanes.FLOATS);
    FloatVector sum01 = sum00;
    FloatVector sum10 = sum00;
    FloatVector sum11 = sum00;
    FloatVector sum20 = sum00;
    FloatVector sum21 = sum00;
    FloatVector sum30 = sum00;
    FloatVector sum31 = sum00;
    FloatVector sum40 = sum00;
    FloatVector sum41 = sum00;
    FloatVector sum50 = sum00;
    FloatVector sum51 = sum00;
    FloatVector sum60 = sum00;
    FloatVector sum61 = sum00;
    FloatVector sum70 = sum00;
    FloatVector sum71 = sum00;
    if (add) {
      sum00 = FloatVector.fromArray(Lanes.FLOATS, c, to);
      sum01 = FloatVector.fromArray(Lanes.FLOATS, c, to + Lanes.COUNT);
      sum10 = FloatVector.fromArray(Lanes.FLOATS, c, to + stride);
      sum11 = FloatVector.fromArray(Lanes.FLOATS, c, to + stride + Lanes.COUNT);
      sum20 = FloatVector.fromArray(Lanes.FLOATS, c, to + 2 * stride);
      sum21 = FloatVector.fromArray(Lanes.FLOATS, c, to + 2 * stride + Lanes.COUNT);
      sum30 = FloatVector.fromArray(Lanes.FLOATS, c, to + 3 * stride);
      sum31 = FloatVector.fromArray(Lanes.FLOATS, c, to + 3 * stride + Lanes.COUNT);
      sum40 = FloatVector.fromArray(Lanes.FLOATS, c, to + 4 * stride);
      sum41 = FloatVector.fromArray(Lanes.FLOATS, c, to + 4 * stride + Lanes.COUNT);
      sum50 = FloatVector.fromArray(Lanes.FLOATS, c, to + 5 * stride);
      sum51 = FloatVector.fromArray(Lanes.FLOATS, c, to + 5 * stride + Lanes.COUNT);
      sum60 = FloatVector.fromArray(Lanes.FLOATS, c, to + 6 * stride);
      sum61 = FloatVector.fromArray(Lanes.FLOATS, c, to + 6 * stride + Lanes.COUNT);
      sum70 = FloatVector.fromArray(Lanes.FLOATS, c, to + 7 * stride);
      sum71 = FloatVector.fromArray(Lanes.FLOATS, c, to + 7 * stride + Lanes.COUNT);
    }
    for (int k = 0; k < depth; k++) {
      int i = at + k;
      FloatVector left = FloatVector.fromArray(Lanes.FLOATS, panel, panelFrom + k * WIDTH);
      FloatVector right =
          FloatVector.fromArray(Lanes.FLOATS, panel, panelFrom + k * WIDTH + Lanes.COUNT);
      FloatVector x = FloatVector.broadcast(Lanes.FLOATS, a[i]);
      sum00 = x.fma(left, sum00);
      sum01 = x.fma(right, sum01);
      x = FloatVector.broadcast(Lanes.FLOATS, a[i + rowStep]);
      sum10 = x.fma(left, sum10);
      sum11 = x.fma(right, sum11);
      x = FloatVector.broadcast(Lanes.FLOATS, a[i + 2 * rowStep]);
      sum20 = x.fma(left, sum20);
      sum21 = x.fma(right, sum21);
      x = FloatVector.broadcast(Lanes.FLOATS, a[i + 3 * rowStep]);
      sum30 = x.fma(left, sum30);
      sum31 = x.fma(right, sum31);
      x = FloatVector.broadcast(Lanes.FLOATS, a[i + 4 * rowStep]);
      sum40 = x.fma(left, sum40);
      sum41 = x.fma(right, sum41);
      x = FloatVector.broadcast(Lanes.FLOATS, a[i + 5 * rowStep]);
      sum50 = x.fma(left, sum50);
      sum51 = x.fma(right, sum51);
      x = FloatVector.broadcast(Lanes.FLOATS, a[i + 6 * rowStep]);
      sum60 = x.fma(left, sum60);
      sum61 = x.fma(right, sum61);
      x = FloatVector.broadcast(Lanes.FLOATS, a[i + 7 * rowStep]);
      sum70 = x.fma(left, sum70);
      sum71 = x.fma(right, sum71);
    }
    sum00.intoArray(c, to);
    sum01.intoArray(c, to + Lanes.COUNT);
    sum10.intoArray(c, to + stride);
    sum11.intoArray(c, to + stride + Lanes.COUNT);
    sum20.intoArray(c, to + 2 * stride);
    sum21.intoArray(c, to + 2 * stride + Lanes.COUNT);
    sum30.intoArray(c, to + 3 * stride);
    sum31.intoArray(c, to + 3 * stride + Lanes.COUNT);
    sum40.intoArray(c, to + 4 * stride);
    sum41.intoArray(c, to + 4 * stride + Lanes.COUNT);
    sum50.intoArray(c, to + 5 * stride);
    sum51.intoArray(c, to + 5 * stride + Lanes.COUNT);
    sum60.intoArray(c, to + 6 * stride);
    sum61.intoArray(c, to + 6 * stride + Lanes.COUNT);
    sum70.intoArray(c, to + 7 * stride);
    sum71.intoArray(c, to + 7 * stride + Lanes.COUNT);
  }

  /** The same, the left factor's rows lying in memory as columns. */
  private static void tileColumns(
      float[] a,
      int at,
      int innerStep,
      float[] panel,
      int panelFrom,
      int depth,
      float[] c,
      int to,
      int stride,
      boolean add) {
    FloatVector sum00 = FloatVector.zero(Lanes.FLOATS);
    FloatVector sum01 = sum00;
    FloatVector sum10 = sum00;
    FloatVector sum11 = sum00;
    FloatVector sum20 = sum00;
    FloatVector sum21 = sum00;
    FloatVector sum30 = sum00;
    FloatVector sum31 = sum00;
    FloatVector sum40 = sum00;
    FloatVector sum41 = sum00;
    FloatVector sum50 = sum00;
    FloatVector sum51 = sum00;
    FloatVector sum60 = sum00;
    FloatVector sum61 = sum00;
    FloatVector sum70 = sum00;
    FloatVector sum71 = sum00;
    if (add) {
      sum00 = FloatVector.fromArray(Lanes.FLOATS, c, to);
      sum01 = FloatVector.fromArray(Lanes.FLOATS, c, to + Lanes.COUNT);
      sum10 = FloatVector.fromArray(Lanes.FLOATS, c, to + stride);
      sum11 = FloatVector.fromArray(Lanes.FLOATS, c, to + stride + Lanes.COUNT);
      sum20 = FloatVector.fromArray(Lanes.FLOATS, c, to + 2 * stride);
      sum21 = FloatVector.fromArray(Lanes.FLOATS, c, to + 2 * stride + Lanes.COUNT);
      sum30 = FloatVector.fromArray(Lanes.FLOATS, c, to + 3 * stride);
      sum31 = FloatVector.fromArray(Lanes.FLOATS, c, to + 3 * stride + Lanes.COUNT);
      sum40 = FloatVector.fromArray(Lanes.FLOATS, c, to + 4 * stride);
      sum41 = FloatVector.fromArray(Lanes.FLOATS, c, to + 4 * stride + Lanes.COUNT);
      sum50 = FloatVector.fromArray(Lanes.FLOATS, c, to + 5 * stride);
      sum51 = FloatVector.fromArray(Lanes.FLOATS, c, to + 5 * stride + Lanes.COUNT);
      sum60 = FloatVector.fromArray(Lanes.FLOATS, c, to + 6 * stride);
      sum61 = FloatVector.fromArray(Lanes.FLOATS, c, to + 6 * stride + Lanes.COUNT);
      sum70 = FloatVector.fromArray(Lanes.FLOATS, c, to + 7 * stride);
      sum71 = FloatVector.fromArray(Lanes.FLOATS, c, to + 7 * stride + Lanes.COUNT);
    }
    for (int k = 0; k < depth; k++) {
      int i = at + k * innerStep;
      FloatVector left = FloatVector.fromArray(Lanes.FLOATS, panel, panelFrom + k * WIDTH);
      FloatVector right =
          FloatVector.fromArray(Lanes.FLOATS, panel, panelFrom + k * WIDTH + Lanes.COUNT);
      FloatVector x = FloatVector.broadcast(Lanes.FLOATS, a[i]);
      sum00 = x.fma(left, sum00);
      sum01 = x.fma(right, sum01);
      x = FloatVector.broadcast(Lanes.FLOATS, a[i + 1]);
      sum10 = x.fma(left, sum10);
      sum11 = x.fma(right, sum11);
      x = FloatVector.broadcast(Lanes.FLOATS, a[i + 2]);
      sum20 = x.fma(left, sum20);
      sum21 = x.fma(right, sum21);
      x = FloatVector.broadcast(Lanes.FLOATS, a[i + 3]);
      sum30 = x.fma(left, sum30);
      sum31 = x.fma(right, sum31);
      x = FloatVector.broadcast(Lanes.FLOATS, a[i + 4]);
      sum40 = x.fma(left, sum40);
      sum41 = x.fma(right, sum41);
      x = FloatVector.broadcast(Lanes.FLOATS, a[i + 5]);
      sum50 = x.fma(left, sum50);
      sum51 = x.fma(right, sum51);
      x = FloatVector.broadcast(Lanes.FLOATS, a[i + 6]);
      sum60 = x.fma(left, sum60);
      sum61 = x.fma(right, sum61);
      x = FloatVector.broadcast(Lanes.FLOATS, a[i + 7]);
      sum70 = x.fma(left, sum70);
      sum71 = x.fma(right, sum71);
    }
    sum00.intoArray(c, to);
    sum01.intoArray(c, to + Lanes.COUNT);
    sum10.intoArray(c, to + stride);
    sum11.intoArray(c, to + stride + Lanes.COUNT);
    sum20.intoArray(c, to + 2 * stride);
    sum21.intoArray(c, to + 2 * stride + Lanes.COUNT);
    sum30.intoArray(c, to + 3 * stride);
    sum31.intoArray(c, to + 3 * stride + Lanes.COUNT);
    sum40.intoArray(c, to + 4 * stride);
    sum41.intoArray(c, to + 4 * stride + Lanes.COUNT);
    sum50.intoArray(c, to + 5 * stride);
    sum51.intoArray(c, to + 5 * stride + Lanes.COUNT);
    sum60.intoArray(c, to + 6 * stride);
    sum61.intoArray(c, to + 6 * stride + Lanes.COUNT);
    sum70.intoArray(c, to + 7 * stride);
    sum71.intoArray(c, to + 7 * stride + Lanes.COUNT);
  }
}
