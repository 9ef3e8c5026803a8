package dev.muninn.tornado.kernel;

import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.enums.MMAShape;
import uk.ac.manchester.tornado.api.types.BFloat16;
import uk.ac.manchester.tornado.api.types.HalfFloat;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * The product of many rows with weights in BF16 on the tensor cores of CUDA. A workgroup of eight
 * warps computes 64 rows by 128 outputs, and each warp 32 by 32. Tensor cores take BF16 and sum in
 * floats. Weights are exact so; an input is split in two, {@code high = bf16(x)} and {@code low =
 * bf16(x - high)}, and both products are summed. What is lost of an input is at most
 * 2<sup>-17</sup> of it (as long as it is no subnormal), which is little beside what floats lose in
 * a long sum.
 *
 * <p>A tile in local memory holds pairs of BF16 in ints, as the runtime loads fragments from it:
 * inputs as 16 rows by 16 columns, a row after the other, and weights as 16 columns by 8 outputs.
 */
public final class TensorKernels {
  /** Inputs must be a multiple of this. */
  public static final int COLUMNS = 16;

  /** Outputs must be a multiple of this. */
  public static final int OUTPUTS = 8;

  /** Rows of the target are written up to a multiple of this. */
  public static final int ROWS = 16;

  private static final int GROUP = Lanes.ITEMS * TileKernels.LANES;
  private static final int TILE_ROWS = 64;
  private static final int TILE_OUTPUTS = 128;

  /** Ints of a tile's inputs, high or low. */
  private static final int INPUT_INTS = TILE_ROWS * COLUMNS / 2;

  /** Ints of a tile's weights. */
  private static final int WEIGHT_INTS = TILE_OUTPUTS * COLUMNS / 2;

  /** Ints of eight outputs in it. */
  private static final int PANEL_INTS = OUTPUTS * COLUMNS / 2;

  private TensorKernels() {}

  /**
   * The product of more rows than stand in registers; the parameters are those of {@link
   * ProductKernels#productByTensors}, and the number of rows. Workgroups are laid as for {@link
   * TileKernels#tile}, whose tiles are half as large.
   */
  static void tile(
      KernelContext context,
      IntArray rows,
      FloatArray input,
      IntArray packed,
      FloatArray target,
      int count,
      int section,
      int inputs,
      int outputs,
      int index) {
    // Two of each: while one is read, the next columns are written to the other.
    int[] highs = context.allocateIntLocalArray(2 * INPUT_INTS);
    int[] lows = context.allocateIntLocalArray(2 * INPUT_INTS);
    int[] weights = context.allocateIntLocalArray(2 * WEIGHT_INTS);
    int lane = index % GROUP;
    int group = index / GROUP;
    // Workgroups side by side share their weights.
    int rowTiles = (count + TILE_ROWS - 1) / TILE_ROWS;
    int rowBase = group % rowTiles * TILE_ROWS;
    int outputBase = group / rowTiles * TILE_OUTPUTS;
    if (outputBase < outputs) {
      int quarter = lane / 4;
      int first = lane % 4 * 4;
      // Behind the last row or output the last is computed again, and not stored.
      int row = rowBase + quarter < count ? rowBase + quarter : count - 1;
      int output = outputBase + 2 * quarter;
      output = output < outputs ? output : outputs - 2;
      int x = rows.get(section + row) * inputs + first;
      int even = (output * inputs + first) / 2;
      int odd = even + inputs / 2;
      int toInput = lane * 2;
      int toWeight = quarter / 4 * PANEL_INTS + first * 4 + quarter % 4;
      int warp = lane / TileKernels.LANES;
      int warpRow = warp / 4 * 32;
      int warpOutput = warp % 4 * 32;
      // In bytes.
      int fromInput = warpRow * COLUMNS * 2;
      int fromWeight = warpOutput * COLUMNS * 2;
      float[] c00 = context.mmaFragment(0f);
      float[] c01 = context.mmaFragment(0f);
      float[] c02 = context.mmaFragment(0f);
      float[] c03 = context.mmaFragment(0f);
      float[] c10 = context.mmaFragment(0f);
      float[] c11 = context.mmaFragment(0f);
      float[] c12 = context.mmaFragment(0f);
      float[] c13 = context.mmaFragment(0f);
      float x0 = input.get(x);
      float x1 = input.get(x + 1);
      float x2 = input.get(x + 2);
      float x3 = input.get(x + 3);
      int p0 = packed.get(even);
      int p1 = packed.get(even + 1);
      int q0 = packed.get(odd);
      int q1 = packed.get(odd + 1);
      for (int base = 0; base < inputs; base += COLUMNS) {
        int turn = base / COLUMNS & 1;
        int i = turn * INPUT_INTS + toInput;
        highs[i] = pair(x0, x1);
        highs[i + 1] = pair(x2, x3);
        lows[i] = pair(rest(x0), rest(x1));
        lows[i + 1] = pair(rest(x2), rest(x3));
        int w = turn * WEIGHT_INTS + toWeight;
        weights[w] = p0 & 0xFFFF | q0 << 16;
        weights[w + 4] = p0 >> 16 & 0xFFFF | q0 & 0xFFFF0000;
        weights[w + 8] = p1 & 0xFFFF | q1 << 16;
        weights[w + 12] = p1 >> 16 & 0xFFFF | q1 & 0xFFFF0000;
        context.localBarrier();
        // The last columns are read again behind themselves, and not used.
        int next = base + COLUMNS < inputs ? base + COLUMNS : base;
        x0 = input.get(x + next);
        x1 = input.get(x + next + 1);
        x2 = input.get(x + next + 2);
        x3 = input.get(x + next + 3);
        p0 = packed.get(even + next / 2);
        p1 = packed.get(even + next / 2 + 1);
        q0 = packed.get(odd + next / 2);
        q1 = packed.get(odd + next / 2 + 1);
        int a = turn * INPUT_INTS * 4 + fromInput;
        int b = turn * WEIGHT_INTS * 4 + fromWeight;
        HalfFloat[] b0 = context.mmaLoadB(weights, COLUMNS, b);
        HalfFloat[] b1 = context.mmaLoadB(weights, COLUMNS, b + PANEL_INTS * 4);
        HalfFloat[] b2 = context.mmaLoadB(weights, COLUMNS, b + PANEL_INTS * 8);
        HalfFloat[] b3 = context.mmaLoadB(weights, COLUMNS, b + PANEL_INTS * 12);
        HalfFloat[] high0 = context.mmaLoadA(highs, COLUMNS, a);
        HalfFloat[] high1 = context.mmaLoadA(highs, COLUMNS, a + ROWS * COLUMNS * 2);
        c00 = context.mmaBF16(high0, b0, c00, MMAShape.M16N8K16);
        c01 = context.mmaBF16(high0, b1, c01, MMAShape.M16N8K16);
        c02 = context.mmaBF16(high0, b2, c02, MMAShape.M16N8K16);
        c03 = context.mmaBF16(high0, b3, c03, MMAShape.M16N8K16);
        c10 = context.mmaBF16(high1, b0, c10, MMAShape.M16N8K16);
        c11 = context.mmaBF16(high1, b1, c11, MMAShape.M16N8K16);
        c12 = context.mmaBF16(high1, b2, c12, MMAShape.M16N8K16);
        c13 = context.mmaBF16(high1, b3, c13, MMAShape.M16N8K16);
        HalfFloat[] low0 = context.mmaLoadA(lows, COLUMNS, a);
        HalfFloat[] low1 = context.mmaLoadA(lows, COLUMNS, a + ROWS * COLUMNS * 2);
        c00 = context.mmaBF16(low0, b0, c00, MMAShape.M16N8K16);
        c01 = context.mmaBF16(low0, b1, c01, MMAShape.M16N8K16);
        c02 = context.mmaBF16(low0, b2, c02, MMAShape.M16N8K16);
        c03 = context.mmaBF16(low0, b3, c03, MMAShape.M16N8K16);
        c10 = context.mmaBF16(low1, b0, c10, MMAShape.M16N8K16);
        c11 = context.mmaBF16(low1, b1, c11, MMAShape.M16N8K16);
        c12 = context.mmaBF16(low1, b2, c12, MMAShape.M16N8K16);
        c13 = context.mmaBF16(low1, b3, c13, MMAShape.M16N8K16);
      }
      int y = rowBase + warpRow;
      int o = outputBase + warpOutput;
      if (y < count) {
        if (o < outputs) {
          context.mmaStore(c00, target, y, o, outputs);
        }
        if (o + 8 < outputs) {
          context.mmaStore(c01, target, y, o + 8, outputs);
        }
        if (o + 16 < outputs) {
          context.mmaStore(c02, target, y, o + 16, outputs);
        }
        if (o + 24 < outputs) {
          context.mmaStore(c03, target, y, o + 24, outputs);
        }
      }
      if (y + ROWS < count) {
        if (o < outputs) {
          context.mmaStore(c10, target, y + ROWS, o, outputs);
        }
        if (o + 8 < outputs) {
          context.mmaStore(c11, target, y + ROWS, o + 8, outputs);
        }
        if (o + 16 < outputs) {
          context.mmaStore(c12, target, y + ROWS, o + 16, outputs);
        }
        if (o + 24 < outputs) {
          context.mmaStore(c13, target, y + ROWS, o + 24, outputs);
        }
      }
    }
  }

  /** What the nearest BF16 leaves of a number. */
  private static float rest(float value) {
    return value - BFloat16.bf16ToFloat(BFloat16.bf16FromFloat(value));
  }

  /**
   * The nearest BF16 of two numbers, the first in the lower half. The runtime takes what it
   * computes with a short first for a short, whatever Java says: a difference from an int is an
   * int, and of differences from ones in all places the complement is the number.
   */
  private static int pair(float even, float odd) {
    int first = 0xFFFF - BFloat16.bf16FromFloat(even);
    int second = 0xFFFF - BFloat16.bf16FromFloat(odd);
    return ~(first & 0xFFFF | second << 16);
  }
}
