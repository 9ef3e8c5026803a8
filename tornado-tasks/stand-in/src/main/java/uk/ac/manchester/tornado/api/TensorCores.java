package uk.ac.manchester.tornado.api;

import java.util.Arrays;
import uk.ac.manchester.tornado.api.types.BFloat16;
import uk.ac.manchester.tornado.api.types.HalfFloat;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/**
 * What tensor cores do with the fragments that a warp's 32 lanes hold, by NVIDIA's PTX ISA: {@code
 * ldmatrix} with the addresses that TornadoVM's code for CUDA gives it, and {@code
 * mma.m16n8k16.row.col} with numbers in BF16 and sums in floats. A lane {@code l} is in the group
 * {@code l / 4} and has the place {@code l % 4} in it.
 */
final class TensorCores {
  private static final int LANES = 32;

  private TensorCores() {}

  /**
   * Eight numbers of [16, 16] that lie row after row: of the rows {@code group} and {@code group +
   * 8} the columns {@code 2 * place} and the next, then of both those eight columns further.
   */
  static HalfFloat[] loadA(int[] tile, int byteOffset, int lane) {
    HalfFloat[] fragment = new HalfFloat[8];
    for (int matrix = 0; matrix < 4; matrix++) {
      int row = matrix % 2 * 8 + lane / 4;
      int column = matrix / 2 * 8 + lane % 4 * 2;
      fragment[2 * matrix] = at(tile, byteOffset + 32 * row + 2 * column);
      fragment[2 * matrix + 1] = at(tile, byteOffset + 32 * row + 2 * column + 2);
    }
    return fragment;
  }

  /**
   * Four numbers of [16, 8] that lie row after row: of the column {@code group} the rows {@code 2 *
   * place} and the next, and those eight rows further.
   */
  static HalfFloat[] loadB(int[] tile, int byteOffset, int lane) {
    HalfFloat[] fragment = new HalfFloat[4];
    for (int matrix = 0; matrix < 2; matrix++) {
      int row = matrix * 8 + lane % 4 * 2;
      fragment[2 * matrix] = at(tile, byteOffset + 16 * row + 2 * (lane / 4));
      fragment[2 * matrix + 1] = at(tile, byteOffset + 16 * (row + 1) + 2 * (lane / 4));
    }
    return fragment;
  }

  private static HalfFloat at(int[] tile, int bytes) {
    return new HalfFloat((short) (tile[bytes / 4] >> 8 * (bytes % 4)));
  }

  /**
   * Four sums of [16, 8]: of the rows {@code group} and {@code group + 8} the columns {@code 2 *
   * place} and the next. Those of the result are the sums so far, and the products of a row of A
   * with a column of B.
   */
  static float[] multiply(
      Workgroup warp, int meeting, int lane, HalfFloat[] a, HalfFloat[] b, float[] sums) {
    if (warp.size() != LANES) {
      throw new IllegalStateException("tensor cores take 32 lanes, not " + warp.size());
    }
    HalfFloat[][] all = warp.show(meeting, lane, a, b);
    warp.meet();
    float[] result = Arrays.copyOf(sums, 4);
    for (int i = 0; i < 4; i++) {
      int row = lane / 4 + i / 2 * 8;
      int column = lane % 4 * 2 + i % 2;
      for (int k = 0; k < 16; k++) {
        int place = k % 8 / 2;
        HalfFloat left = all[2 * (row % 8 * 4 + place)][k / 8 * 4 + row / 8 * 2 + k % 2];
        HalfFloat right = all[2 * (column * 4 + place) + 1][k / 8 * 2 + k % 2];
        result[i] += value(left) * value(right);
      }
    }
    return result;
  }

  private static float value(HalfFloat number) {
    return BFloat16.bf16ToFloat(number.getHalfFloatValue());
  }

  /** Stores a lane's four sums in a matrix of {@code width} columns. */
  static void store(float[] sums, FloatArray target, int row, int column, int width, int lane) {
    for (int i = 0; i < 4; i++) {
      int to = row + lane / 4 + i / 2 * 8;
      target.set(to * width + column + lane % 4 * 2 + i % 2, sums[i]);
    }
  }
}
