package dev.muninn.vector;

import static dev.muninn.kernel.Lanes.COUNT;

import dev.muninn.model.WeightFormat;
import dev.muninn.model.WeightMatrix;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * Products of weights that lie in panels of 32 rows: lanes are outputs, and each adds up its inputs
 * in ascending order, whether one row is multiplied or many.
 *
 * <p>One row is bound by how fast memory is read, and a few panels of distant regions are read at
 * once. For more rows, some inputs of a panel are widened once, and stay in the first-level cache
 * while the rows pass by; or, where there are registers for it, groups of rows widen them on the
 * way.
 *
 * <p>Every body that reads weights begins by {@code get}, as in {@link RowMajorProducts}.
 */
abstract class PanelProducts extends Products {
  /** Inputs of a panel that are widened at once: 16 KB of floats, half of a first-level cache. */
  static final int INPUTS = 128;

  /**
   * Whether weights are widened on the way, however many rows there are: 32 registers have room for
   * that, and what it takes is done beside the multiplications. Widening them once would store long
   * vectors across cache lines, as they lie in an array.
   */
  static final boolean ON_THE_WAY = COUNT == 16;

  private final WeightFormat format;

  PanelProducts(WeightFormat format) {
    this.format = format;
  }

  /** The products of weights in a format. */
  static PanelProducts of(WeightFormat format) {
    return switch (format) {
      case BF16_PANELS -> Bf16PanelProducts.INSTANCE;
      case Q8 -> Q8Products.INSTANCE;
      case Q4 -> Q4Products.INSTANCE;
      default -> throw new IllegalArgumentException("no panels in " + format);
    };
  }

  /** Panels that {@link #row} computes at once. */
  abstract int together();

  /**
   * The products of {@link #together} panels, or of a single one, with one row.
   *
   * @param offset byte offset of the first panel
   * @param far bytes from one panel to the next; 0 if it is a single one
   * @param panels how many
   * @param out gets 32 outputs of each panel
   */
  abstract void row(
      MemorySegment weights,
      long offset,
      long far,
      int panels,
      int columns,
      PanelRows x,
      float[] out);

  /** Panels that {@link #rows} computes at once. */
  abstract int turns();

  /**
   * Adds the products of {@link #turns} panels, or of a single one, to the sums of all rows.
   *
   * @param offset byte offset of the first panel
   * @param far bytes from one panel to the next
   * @param turns how many panels
   * @param sums of each panel and row 32
   * @param widened room for widened weights
   */
  abstract void rows(
      MemorySegment weights,
      long offset,
      long far,
      int turns,
      int columns,
      PanelRows x,
      float[] sums,
      float[] widened);

  @Override
  final void multiply(
      WeightMatrix matrix,
      int from,
      int to,
      PackedRows x,
      float[] y,
      int at,
      int stride,
      MatrixKernels.Scratch scratch) {
    int first = from / WeightFormat.PANEL_ROWS;
    int end = Math.ceilDiv(to, WeightFormat.PANEL_ROWS);
    if (x.rows() == 1) {
      multiplyRow(matrix, first, end, to, x.panels(), y, at, scratch);
      return;
    }
    int each = (end - first) / turns();
    for (int i = 0; i < each; i++) {
      multiplyRows(matrix, first + i, each, turns(), to, x.panels(), y, at, stride, scratch);
    }
    for (int panel = first + each * turns(); panel < end; panel++) {
      multiplyRows(matrix, panel, 0, 1, to, x.panels(), y, at, stride, scratch);
    }
  }

  /** The products of some panels, {@code apart} panels from one to the next. */
  private void multiplyRows(
      WeightMatrix matrix,
      int first,
      int apart,
      int turns,
      int to,
      PanelRows x,
      float[] y,
      int at,
      int stride,
      MatrixKernels.Scratch scratch) {
    int places = PanelRows.places(x.rows());
    float[] sums = scratch.sums(turns * places);
    Arrays.fill(sums, 0, PanelTiles.OUTPUTS * turns * places, 0);
    long offset = first * matrix.stride();
    long far = apart * matrix.stride();
    rows(matrix.data(), offset, far, turns, matrix.columns(), x, sums, scratch.widened());
    for (int turn = 0; turn < turns; turn++) {
      for (int row = 0; row < x.rows(); row++) {
        int from = PanelTiles.OUTPUTS * (turn * places + row);
        copy(format, sums, from, first + turn * apart, to, y, at + row * stride);
      }
    }
  }

  private void multiplyRow(
      WeightMatrix matrix,
      int first,
      int end,
      int to,
      PanelRows x,
      float[] y,
      int at,
      MatrixKernels.Scratch scratch) {
    int together = together();
    int each = (end - first) / together;
    for (int i = 0; i < each; i++) {
      row(
          matrix.data(),
          (first + i) * matrix.stride(),
          each * matrix.stride(),
          together,
          matrix.columns(),
          x,
          scratch.results);
      for (int j = 0; j < together; j++) {
        copy(format, scratch.results, PanelTiles.OUTPUTS * j, first + i + j * each, to, y, at);
      }
    }
    for (int panel = first + each * together; panel < end; panel++) {
      row(matrix.data(), panel * matrix.stride(), 0, 1, matrix.columns(), x, scratch.results);
      copy(format, scratch.results, 0, panel, to, y, at);
    }
  }

  /** Copies a panel's sums, as far as they are outputs, to a row of results. */
  static void copy(
      WeightFormat format, float[] sums, int from, int panel, int to, float[] y, int at) {
    float factor = format.blockInputs() > 1 ? SmallIntegers.OUTPUTS : 1;
    int output = panel * WeightFormat.PANEL_ROWS;
    int count = Math.min(WeightFormat.PANEL_ROWS, to - output);
    PanelTiles.scale(sums, from, count, factor, y, at + output);
  }

  /**
   * Adds products of widened weights to all rows.
   *
   * @param first the first of the inputs
   */
  static void addAll(float[] widened, int first, int inputs, PanelRows x, float[] sums) {
    for (int group = 0; group < x.groups(); group++) {
      int at = x.offset(group, first);
      int to = PanelTiles.OUTPUTS * PanelRows.GROUP * group;
      for (int i = 0; i < PanelTiles.OUTPUTS; i += PanelTiles.STEP) {
        PanelTiles.add(widened, i, inputs, x.values, at, sums, to + i);
      }
    }
  }

  WeightFormat format() {
    return format;
  }
}
