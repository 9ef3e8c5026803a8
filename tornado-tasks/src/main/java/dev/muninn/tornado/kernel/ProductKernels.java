package dev.muninn.tornado.kernel;

import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.HalfFloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;
import uk.ac.manchester.tornado.api.types.arrays.TornadoNativeArray;

/**
 * The product with weights. Of few rows an item computes an output, and reads its weights once for
 * up to eight rows, whose sums stand in registers; of a single row it computes two outputs, and
 * reads the input once for both. Of many rows, on a GPU, a workgroup computes a tile ({@link
 * TileKernels}, {@link TensorKernels}). The last bits of a row's sum tell how many are beside it.
 */
public final class ProductKernels {
  /** Outputs of a workgroup, unless each has a work-item to itself. */
  public static final int OUTPUTS = Lanes.ITEMS;

  /** Rows whose sums stand in registers. */
  static final int BLOCK_ROWS = 8;

  private ProductKernels() {}

  /** Workgroups of {@link Lanes#ITEMS} items, or items of one lane, that a product takes. */
  public static int items(int outputs, int mostRows, int lanes) {
    if (lanes == 1) {
      return outputs;
    }
    int groups = Math.ceilDiv(outputs, Lanes.ITEMS);
    return Lanes.ITEMS * Math.max(groups, TileKernels.groups(outputs, mostRows));
  }

  /**
   * {@code target = W input}, of weights without scales.
   *
   * @param input rows of {@code inputs}, found by a section of the row table
   * @param floats and {@code packed}: weights, [outputs, stride], by {@link WeightFormat}
   * @param target [rows, outputs]
   * @param countAt where the row table has the number of rows
   * @param section of the row table that finds the rows of the input
   * @param stride weights from one output's first to the next one's
   * @param lanes that share an output: 1, or with {@link Lanes#ITEMS} outputs a workgroup
   */
  public static void product(
      KernelContext context,
      IntArray rows,
      FloatArray input,
      FloatArray floats,
      IntArray packed,
      FloatArray table,
      FloatArray target,
      int countAt,
      int section,
      int inputs,
      int stride,
      int outputs,
      int format,
      int lanes) {
    compute(
        context, rows, input, floats, packed, table, target, countAt, section, inputs, stride,
        outputs, format, lanes, 0);
  }

  /** The same of weights with scales; the parameters are those of {@link #product}. */
  public static void productOfScaled(
      KernelContext context,
      IntArray rows,
      FloatArray input,
      FloatArray floats,
      IntArray packed,
      FloatArray table,
      FloatArray target,
      int countAt,
      int section,
      int inputs,
      int stride,
      int outputs,
      int format,
      int lanes) {
    compute(
        context,
        rows,
        input,
        floats,
        packed,
        table,
        target,
        countAt,
        section,
        inputs,
        stride,
        outputs,
        format,
        lanes,
        WeightFormat.SCALED);
  }

  /** That of {@link #product} on CUDA, by warps. */
  public static void productByWarps(
      KernelContext context,
      IntArray rows,
      FloatArray input,
      FloatArray floats,
      IntArray packed,
      FloatArray table,
      FloatArray target,
      int countAt,
      int section,
      int inputs,
      int stride,
      int outputs,
      int format) {
    compute(
        context,
        rows,
        input,
        floats,
        packed,
        table,
        target,
        countAt,
        section,
        inputs,
        stride,
        outputs,
        format,
        TileKernels.LANES,
        WeightFormat.CUDA);
  }

  /**
   * The product on CUDA, by warps, of weights in F16 that are an array of halves: the runtime
   * converts these and no others.
   *
   * @param halves weights, [outputs, stride]; inputs and the stride are even
   */
  public static void productOfHalvesByWarps(
      KernelContext context,
      IntArray rows,
      FloatArray input,
      HalfFloatArray halves,
      IntArray packed,
      FloatArray table,
      FloatArray target,
      int countAt,
      int section,
      int inputs,
      int stride,
      int outputs) {
    compute(
        context,
        rows,
        input,
        halves,
        packed,
        table,
        target,
        countAt,
        section,
        inputs,
        stride,
        outputs,
        WeightFormat.F16,
        TileKernels.LANES,
        WeightFormat.CUDA | WeightFormat.HALVES);
  }

  /** That of {@link #productOfScaled} on CUDA, by warps. */
  public static void productOfScaledByWarps(
      KernelContext context,
      IntArray rows,
      FloatArray input,
      FloatArray floats,
      IntArray packed,
      FloatArray table,
      FloatArray target,
      int countAt,
      int section,
      int inputs,
      int stride,
      int outputs,
      int format) {
    compute(
        context,
        rows,
        input,
        floats,
        packed,
        table,
        target,
        countAt,
        section,
        inputs,
        stride,
        outputs,
        format,
        TileKernels.LANES,
        WeightFormat.CUDA | WeightFormat.SCALED);
  }

  /**
   * The same on tensor cores, of weights in BF16 without gaps: inputs are a multiple of {@link
   * TensorKernels#COLUMNS}, outputs of {@link TensorKernels#OUTPUTS}. Rows of the target up to the
   * next multiple of {@link TensorKernels#ROWS} are overwritten. The parameters are those of {@link
   * #product}.
   */
  public static void productByTensors(
      KernelContext context,
      IntArray rows,
      FloatArray input,
      FloatArray floats,
      IntArray packed,
      FloatArray table,
      FloatArray target,
      int countAt,
      int section,
      int inputs,
      int outputs) {
    int index = context.globalIdx;
    int count = rows.get(countAt);
    if (count > BLOCK_ROWS) {
      TensorKernels.tile(
          context, rows, input, packed, target, count, section, inputs, outputs, index);
    } else {
      blocks(
          context,
          rows,
          input,
          floats,
          packed,
          table,
          target,
          count,
          section,
          inputs,
          inputs,
          outputs,
          WeightFormat.BF16,
          index,
          TileKernels.LANES,
          WeightFormat.CUDA);
    }
  }

  private static void compute(
      KernelContext context,
      IntArray rows,
      FloatArray input,
      TornadoNativeArray floats,
      IntArray packed,
      FloatArray table,
      FloatArray target,
      int countAt,
      int section,
      int inputs,
      int stride,
      int outputs,
      int format,
      int lanes,
      int kind) {
    // Read once: the runtime loses its way among several reads of it in methods that it inlines.
    int index = context.globalIdx;
    int count = rows.get(countAt);
    if (lanes == TileKernels.LANES && count > BLOCK_ROWS) {
      TileKernels.tile(
          context, rows, input, floats, packed, table, target, count, section, inputs, stride,
          outputs, format, index, kind);
    } else {
      blocks(
          context, rows, input, floats, packed, table, target, count, section, inputs, stride,
          outputs, format, index, lanes, kind);
    }
  }

  /**
   * Eight rows at a time, then four, two and one. The loops follow each other and share no sums:
   * the runtime's compiler to OpenCL mixes up values where branches that have loops come together.
   */
  private static void blocks(
      KernelContext context,
      IntArray rows,
      FloatArray input,
      TornadoNativeArray floats,
      IntArray packed,
      FloatArray table,
      FloatArray target,
      int count,
      int section,
      int inputs,
      int stride,
      int outputs,
      int format,
      int index,
      int lanes,
      int kind) {
    int row =
        eights(
            context, rows, input, floats, packed, table, target, count, section, inputs, stride,
            outputs, format, index, lanes, kind);
    row =
        fours(
            context, rows, input, floats, packed, table, target, row, count, section, inputs,
            stride, outputs, format, index, lanes, kind);
    row =
        twos(
            context, rows, input, floats, packed, table, target, row, count, section, inputs,
            stride, outputs, format, index, lanes, kind);
    ones(
        context, rows, input, floats, packed, table, target, row, count, section, inputs, stride,
        outputs, format, index, lanes, kind);
  }

  private static int eights(
      KernelContext context,
      IntArray rows,
      FloatArray input,
      TornadoNativeArray floats,
      IntArray packed,
      FloatArray table,
      FloatArray target,
      int count,
      int section,
      int inputs,
      int stride,
      int outputs,
      int format,
      int index,
      int lanes,
      int kind) {
    int item = index / lanes;
    int lane = index % lanes;
    // Items behind the last output compute it again: all meet at the barriers.
    int weights = (item < outputs ? item : outputs - 1) * stride;
    int pairs = inputs / 2;
    int row = 0;
    for (; row + 8 <= count; row += 8) {
      int at = section + row;
      int x0 = rows.get(at) * inputs;
      int x1 = rows.get(at + 1) * inputs;
      int x2 = rows.get(at + 2) * inputs;
      int x3 = rows.get(at + 3) * inputs;
      int x4 = rows.get(at + 4) * inputs;
      int x5 = rows.get(at + 5) * inputs;
      int x6 = rows.get(at + 6) * inputs;
      int x7 = rows.get(at + 7) * inputs;
      float s0 = 0;
      float s1 = 0;
      float s2 = 0;
      float s3 = 0;
      float s4 = 0;
      float s5 = 0;
      float s6 = 0;
      float s7 = 0;
      for (int i = lane; i < pairs; i += lanes) {
        int w = weights + 2 * i;
        int p = WeightFormat.bits(format, kind, packed, w, 0);
        float even = WeightFormat.even(format, kind, floats, table, p, w);
        float odd = WeightFormat.odd(format, kind, floats, table, p, w);
        int x = 2 * i;
        s0 = s0 + even * input.get(x0 + x) + odd * input.get(x0 + x + 1);
        s1 = s1 + even * input.get(x1 + x) + odd * input.get(x1 + x + 1);
        s2 = s2 + even * input.get(x2 + x) + odd * input.get(x2 + x + 1);
        s3 = s3 + even * input.get(x3 + x) + odd * input.get(x3 + x + 1);
        s4 = s4 + even * input.get(x4 + x) + odd * input.get(x4 + x + 1);
        s5 = s5 + even * input.get(x5 + x) + odd * input.get(x5 + x + 1);
        s6 = s6 + even * input.get(x6 + x) + odd * input.get(x6 + x + 1);
        s7 = s7 + even * input.get(x7 + x) + odd * input.get(x7 + x + 1);
      }
      if (inputs % 2 != 0) {
        int w = weights + inputs - 1;
        int p = WeightFormat.bits(format, kind, packed, w, 0);
        float last = lane == 0 ? WeightFormat.even(format, kind, floats, table, p, w) : 0;
        int x = inputs - 1;
        s0 += last * input.get(x0 + x);
        s1 += last * input.get(x1 + x);
        s2 += last * input.get(x2 + x);
        s3 += last * input.get(x3 + x);
        s4 += last * input.get(x4 + x);
        s5 += last * input.get(x5 + x);
        s6 += last * input.get(x6 + x);
        s7 += last * input.get(x7 + x);
      }
      Lanes.storeSums(
          context, s0, s1, s2, s3, s4, s5, s6, s7, index, lane, lanes, kind, target, row, item,
          outputs);
    }
    return row;
  }

  private static int fours(
      KernelContext context,
      IntArray rows,
      FloatArray input,
      TornadoNativeArray floats,
      IntArray packed,
      FloatArray table,
      FloatArray target,
      int first,
      int count,
      int section,
      int inputs,
      int stride,
      int outputs,
      int format,
      int index,
      int lanes,
      int kind) {
    int item = index / lanes;
    int lane = index % lanes;
    // Items behind the last output compute it again: all meet at the barriers.
    int weights = (item < outputs ? item : outputs - 1) * stride;
    int pairs = inputs / 2;
    int row = first;
    for (; row + 4 <= count; row += 4) {
      int at = section + row;
      int x0 = rows.get(at) * inputs;
      int x1 = rows.get(at + 1) * inputs;
      int x2 = rows.get(at + 2) * inputs;
      int x3 = rows.get(at + 3) * inputs;
      float s0 = 0;
      float s1 = 0;
      float s2 = 0;
      float s3 = 0;
      for (int i = lane; i < pairs; i += lanes) {
        int w = weights + 2 * i;
        int p = WeightFormat.bits(format, kind, packed, w, 0);
        float even = WeightFormat.even(format, kind, floats, table, p, w);
        float odd = WeightFormat.odd(format, kind, floats, table, p, w);
        int x = 2 * i;
        s0 = s0 + even * input.get(x0 + x) + odd * input.get(x0 + x + 1);
        s1 = s1 + even * input.get(x1 + x) + odd * input.get(x1 + x + 1);
        s2 = s2 + even * input.get(x2 + x) + odd * input.get(x2 + x + 1);
        s3 = s3 + even * input.get(x3 + x) + odd * input.get(x3 + x + 1);
      }
      for (int k = 0; k < 4; k++) {
        float own = k == 0 ? s0 : k == 1 ? s1 : k == 2 ? s2 : s3;
        store(
            context, rows, input, floats, packed, table, target, row + k, own, section, inputs,
            stride, outputs, format, index, item, lanes, kind);
      }
    }
    return row;
  }

  private static int twos(
      KernelContext context,
      IntArray rows,
      FloatArray input,
      TornadoNativeArray floats,
      IntArray packed,
      FloatArray table,
      FloatArray target,
      int first,
      int count,
      int section,
      int inputs,
      int stride,
      int outputs,
      int format,
      int index,
      int lanes,
      int kind) {
    int item = index / lanes;
    int lane = index % lanes;
    // Items behind the last output compute it again: all meet at the barriers.
    int weights = (item < outputs ? item : outputs - 1) * stride;
    int pairs = inputs / 2;
    int row = first;
    for (; row + 2 <= count; row += 2) {
      int at = section + row;
      int x0 = rows.get(at) * inputs;
      int x1 = rows.get(at + 1) * inputs;
      float s0 = 0;
      float s1 = 0;
      for (int i = lane; i < pairs; i += lanes) {
        int w = weights + 2 * i;
        int p = WeightFormat.bits(format, kind, packed, w, 0);
        float even = WeightFormat.even(format, kind, floats, table, p, w);
        float odd = WeightFormat.odd(format, kind, floats, table, p, w);
        int x = 2 * i;
        s0 = s0 + even * input.get(x0 + x) + odd * input.get(x0 + x + 1);
        s1 = s1 + even * input.get(x1 + x) + odd * input.get(x1 + x + 1);
      }
      for (int k = 0; k < 2; k++) {
        float own = k == 0 ? s0 : s1;
        store(
            context, rows, input, floats, packed, table, target, row + k, own, section, inputs,
            stride, outputs, format, index, item, lanes, kind);
      }
    }
    return row;
  }

  /** A single row: an item computes two outputs, so that what it reads of the input serves both. */
  private static void ones(
      KernelContext context,
      IntArray rows,
      FloatArray input,
      TornadoNativeArray floats,
      IntArray packed,
      FloatArray table,
      FloatArray target,
      int first,
      int count,
      int section,
      int inputs,
      int stride,
      int outputs,
      int format,
      int index,
      int lanes,
      int kind) {
    int item = 2 * (index / lanes);
    int lane = index % lanes;
    // Whole workgroups are left over, whose items all miss the barriers.
    int begin = lanes == 1 ? item : index / (Lanes.ITEMS * lanes) * 2 * Lanes.ITEMS;
    int end = begin < outputs ? count : first;
    // Items behind the last output compute it again.
    int upper = (item < outputs ? item : outputs - 1) * stride;
    int lower = (item + 1 < outputs ? item + 1 : outputs - 1) * stride;
    int pairs = inputs / 2;
    int step = 2 * lanes;
    for (int row = first; row < end; row++) {
      int from = rows.get(section + row) * inputs;
      float s0 = 0;
      float s1 = 0;
      int i = lane;
      for (; i + 3 * lanes < pairs; i += 4 * lanes) {
        int v = upper + 2 * i;
        int w = lower + 2 * i;
        int p0 = WeightFormat.bits(format, kind, packed, v, 0);
        int q0 = WeightFormat.bits(format, kind, packed, w, 0);
        int p1 = WeightFormat.bits(format, kind, packed, v, step);
        int q1 = WeightFormat.bits(format, kind, packed, w, step);
        int p2 = WeightFormat.bits(format, kind, packed, v, 2 * step);
        int q2 = WeightFormat.bits(format, kind, packed, w, 2 * step);
        int p3 = WeightFormat.bits(format, kind, packed, v, 3 * step);
        int q3 = WeightFormat.bits(format, kind, packed, w, 3 * step);
        int x = from + 2 * i;
        float x0 = input.get(x);
        float x1 = input.get(x + 1);
        float x2 = input.get(x + step);
        float x3 = input.get(x + step + 1);
        float x4 = input.get(x + 2 * step);
        float x5 = input.get(x + 2 * step + 1);
        float x6 = input.get(x + 3 * step);
        float x7 = input.get(x + 3 * step + 1);
        s0 = add(format, kind, floats, table, p0, v, 0, x0, x1, s0);
        s1 = add(format, kind, floats, table, q0, w, 0, x0, x1, s1);
        s0 = add(format, kind, floats, table, p1, v, step, x2, x3, s0);
        s1 = add(format, kind, floats, table, q1, w, step, x2, x3, s1);
        s0 = add(format, kind, floats, table, p2, v, 2 * step, x4, x5, s0);
        s1 = add(format, kind, floats, table, q2, w, 2 * step, x4, x5, s1);
        s0 = add(format, kind, floats, table, p3, v, 3 * step, x6, x7, s0);
        s1 = add(format, kind, floats, table, q3, w, 3 * step, x6, x7, s1);
      }
      for (int k = 0; k < 2; k++) {
        int own = k == 0 ? upper : lower;
        float sum = k == 0 ? s0 : s1;
        for (int j = i; j < pairs; j += lanes) {
          int w = own + 2 * j;
          int p = WeightFormat.bits(format, kind, packed, w, 0);
          float x0 = input.get(from + 2 * j);
          float x1 = input.get(from + 2 * j + 1);
          sum = add(format, kind, floats, table, p, w, 0, x0, x1, sum);
        }
        store(
            context, rows, input, floats, packed, table, target, row, sum, section, inputs, stride,
            outputs, format, index, item + k, lanes, kind);
      }
    }
  }

  /** Stores the sum of lanes for an output, after the last column where their number is odd. */
  private static void store(
      KernelContext context,
      IntArray rows,
      FloatArray input,
      TornadoNativeArray floats,
      IntArray packed,
      FloatArray table,
      FloatArray target,
      int row,
      float own,
      int section,
      int inputs,
      int stride,
      int outputs,
      int format,
      int index,
      int item,
      int lanes,
      int kind) {
    int lane = index % lanes;
    float sum = own;
    if (inputs % 2 != 0) {
      int w = (item < outputs ? item : outputs - 1) * stride + inputs - 1;
      int p = WeightFormat.bits(format, kind, packed, w, 0);
      float last = WeightFormat.even(format, kind, floats, table, p, w);
      int x = rows.get(section + row) * inputs + inputs - 1;
      sum += lane == 0 ? last * input.get(x) : 0;
    }
    sum = Lanes.sumOfItem(context, sum, index, lane, lanes, kind);
    if (lane == 0) {
      if (item < outputs) {
        target.set(row * outputs + item, sum);
      }
    }
  }

  /** A sum with the products of the pair some columns ahead. */
  private static float add(
      int format,
      int kind,
      TornadoNativeArray floats,
      FloatArray table,
      int bits,
      int at,
      int ahead,
      float x0,
      float x1,
      float sum) {
    float even = WeightFormat.first(format, kind, floats, table, bits, at, ahead);
    float odd = WeightFormat.second(format, kind, floats, table, bits, at, ahead);
    if ((kind & WeightFormat.SCALED) != 0) {
      return sum + WeightFormat.scale(kind, floats, at, ahead) * (even * x0 + odd * x1);
    }
    return sum + even * x0 + odd * x1;
  }
}
