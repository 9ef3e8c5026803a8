package dev.muninn.tornado.kernel;

import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;
import uk.ac.manchester.tornado.api.types.arrays.TornadoNativeArray;

/**
 * The product of many rows. A workgroup of 256 computes 64 rows by 64 outputs. It brings 16 columns
 * at a time of both into local memory, where weights are floats already, and each work-item sums
 * four rows by four outputs in registers.
 */
final class TileKernels {
  /** Lanes of an output's item where workgroups are as large as a tile wants them. */
  static final int LANES = 32;

  private static final int GROUP = Lanes.ITEMS * LANES;
  private static final int SIDE = 64;
  private static final int COLUMNS = 16;

  /** Floats of a tile's column, with some that keep columns out of each other's banks. */
  private static final int PITCH = 68;

  private TileKernels() {}

  /** Workgroups that so many rows take. */
  static int groups(int outputs, int mostRows) {
    return Math.ceilDiv(outputs, SIDE) * Math.ceilDiv(mostRows, SIDE);
  }

  /** The parameters are those of {@link ProductKernels#product}, and the number of rows. */
  static void tile(
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
      int kind) {
    float[] xs = context.allocateFloatLocalArray(COLUMNS * PITCH);
    float[] ws = context.allocateFloatLocalArray(COLUMNS * PITCH);
    int lane = index % GROUP;
    int group = index / GROUP;
    // Workgroups side by side share their weights.
    int rowTiles = (count + SIDE - 1) / SIDE;
    int rowBase = group % rowTiles * SIDE;
    int outputBase = group / rowTiles * SIDE;
    if (outputBase < outputs) {
      int tx = lane % 16;
      int ty = lane / 16;
      int loaded = lane / 4;
      int first = lane % 4 * 4;
      // Behind the last row or output the last is computed again, and not stored.
      int row = rowBase + loaded < count ? rowBase + loaded : count - 1;
      int output = outputBase + loaded < outputs ? outputBase + loaded : outputs - 1;
      int xFrom = rows.get(section + row) * inputs;
      int wFrom = output * stride;
      int to = first * PITCH + loaded;
      float c00 = 0;
      float c01 = 0;
      float c02 = 0;
      float c03 = 0;
      float c10 = 0;
      float c11 = 0;
      float c12 = 0;
      float c13 = 0;
      float c20 = 0;
      float c21 = 0;
      float c22 = 0;
      float c23 = 0;
      float c30 = 0;
      float c31 = 0;
      float c32 = 0;
      float c33 = 0;
      for (int base = 0; base < inputs; base += COLUMNS) {
        int c = base + first;
        float x0 = 0;
        float x1 = 0;
        float x2 = 0;
        float x3 = 0;
        float w0 = 0;
        float w1 = 0;
        float w2 = 0;
        float w3 = 0;
        if (c + 4 <= inputs) {
          int p = WeightFormat.bits(format, kind, packed, wFrom + c, 0);
          int q = WeightFormat.bits(format, kind, packed, wFrom + c + 2, 0);
          x0 = input.get(xFrom + c);
          x1 = input.get(xFrom + c + 1);
          x2 = input.get(xFrom + c + 2);
          x3 = input.get(xFrom + c + 3);
          w0 = WeightFormat.even(format, kind, floats, table, p, wFrom + c);
          w1 = WeightFormat.odd(format, kind, floats, table, p, wFrom + c);
          w2 = WeightFormat.even(format, kind, floats, table, q, wFrom + c + 2);
          w3 = WeightFormat.odd(format, kind, floats, table, q, wFrom + c + 2);
        } else if (inputs % 4 != 0) {
          if (c < inputs) {
            int p = WeightFormat.bits(format, kind, packed, wFrom + c, 0);
            x0 = input.get(xFrom + c);
            w0 = WeightFormat.even(format, kind, floats, table, p, wFrom + c);
            if (c + 1 < inputs) {
              x1 = input.get(xFrom + c + 1);
              w1 = WeightFormat.odd(format, kind, floats, table, p, wFrom + c);
            }
          }
          if (c + 2 < inputs) {
            int q = WeightFormat.bits(format, kind, packed, wFrom + c + 2, 0);
            x2 = input.get(xFrom + c + 2);
            w2 = WeightFormat.even(format, kind, floats, table, q, wFrom + c + 2);
          }
        }
        context.localBarrier();
        xs[to] = x0;
        xs[to + PITCH] = x1;
        xs[to + 2 * PITCH] = x2;
        xs[to + 3 * PITCH] = x3;
        ws[to] = w0;
        ws[to + PITCH] = w1;
        ws[to + 2 * PITCH] = w2;
        ws[to + 3 * PITCH] = w3;
        context.localBarrier();
        for (int i = 0; i < COLUMNS; i++) {
          int x = i * PITCH + ty;
          int w = i * PITCH + tx;
          float a0 = xs[x];
          float a1 = xs[x + 16];
          float a2 = xs[x + 32];
          float a3 = xs[x + 48];
          float b0 = ws[w];
          float b1 = ws[w + 16];
          float b2 = ws[w + 32];
          float b3 = ws[w + 48];
          c00 += a0 * b0;
          c01 += a0 * b1;
          c02 += a0 * b2;
          c03 += a0 * b3;
          c10 += a1 * b0;
          c11 += a1 * b1;
          c12 += a1 * b2;
          c13 += a1 * b3;
          c20 += a2 * b0;
          c21 += a2 * b1;
          c22 += a2 * b2;
          c23 += a2 * b3;
          c30 += a3 * b0;
          c31 += a3 * b1;
          c32 += a3 * b2;
          c33 += a3 * b3;
        }
      }
      int y = rowBase + ty;
      int o = outputBase + tx;
      store(target, y, count, o, outputs, c00, c01, c02, c03);
      store(target, y + 16, count, o, outputs, c10, c11, c12, c13);
      store(target, y + 32, count, o, outputs, c20, c21, c22, c23);
      store(target, y + 48, count, o, outputs, c30, c31, c32, c33);
    }
  }

  private static void store(
      FloatArray target,
      int row,
      int count,
      int output,
      int outputs,
      float a,
      float b,
      float c,
      float d) {
    if (row < count) {
      int at = row * outputs + output;
      if (output < outputs) {
        target.set(at, a);
      }
      if (output + 16 < outputs) {
        target.set(at + 16, b);
      }
      if (output + 32 < outputs) {
        target.set(at + 32, c);
      }
      if (output + 48 < outputs) {
        target.set(at + 48, d);
      }
    }
  }
}
