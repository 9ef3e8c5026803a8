package dev.muninn.vector;

import dev.muninn.model.Matrix;
import dev.muninn.weights.DType;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Set;

/**
 * Gets the vector kernels compiled. Until the second compiler has one, every lane operation of it
 * is a call, and a product takes a thousand times as long as later; scalar code is quick much
 * sooner. So while a thread here runs each kernel on next to nothing until it is fast, {@link
 * Kernels} computes by the scalar twins, which give the same bits.
 */
final class WarmUp {
  /**
   * Long enough that a loop's profile is one of many turns: what is compiled here stays, and the
   * compiler does not bother with the bounds checks of a loop that it has only seen turn once.
   */
  private static final int COLUMNS = 16 * Lanes.CHUNK;

  private static final long FAST_NANOS = 60_000;
  private static final long MOST_NANOS = 20_000_000_000L;
  private static final Set<DType> BEGUN = EnumSet.noneOf(DType.class);

  private static volatile int running;

  private WarmUp() {}

  /** Whether vector kernels are still being compiled. */
  static boolean running() {
    return running > 0;
  }

  /** Starts compiling the kernels for weights of a type, once in the life of the process. */
  static void begin(DType weights) {
    synchronized (BEGUN) {
      if (!BEGUN.add(weights)) {
        return;
      }
      running++;
    }
    Thread.ofPlatform().daemon().name("muninn-warm-up").start(() -> run(weights));
  }

  private static void run(DType weights) {
    try {
      Kernels kernels = new Kernels(weights);
      long began = System.nanoTime();
      int fast = 0;
      while (fast < 50 && System.nanoTime() - began < MOST_NANOS) {
        long start = System.nanoTime();
        kernels.run();
        fast = System.nanoTime() - start < FAST_NANOS ? fast + 1 : 0;
      }
    } finally {
      synchronized (BEGUN) {
        running--;
      }
    }
  }

  /** Every kernel once, on the smallest sizes that use all of it. */
  private static final class Kernels {
    private final Matrix matrix;
    private final float[] x = new float[PackedRows.TILE * COLUMNS + Lanes.COUNT];
    private final float[] y = new float[PackedRows.TILE * COLUMNS + Lanes.COUNT];
    private final PackedRows single = new PackedRows(1, COLUMNS);
    private final PackedRows tiled = new PackedRows(PackedRows.TILE, COLUMNS);
    private final MatrixKernels.Scratch scratch = new MatrixKernels.Scratch();
    private final MemorySegment rows;
    private final DType stored;

    Kernels(DType weights) {
      long bytes = (long) MatrixKernels.UNIT * COLUMNS * weights.bits() / 8;
      MemorySegment data = NativeMemory.allocateAutomatic(bytes);
      matrix = new Matrix(weights, MatrixKernels.UNIT, COLUMNS, data);
      rows = NativeMemory.allocateAutomatic(4L * MatrixKernels.UNIT * COLUMNS);
      stored = weights == DType.BF16 ? DType.BF16 : DType.F32;
    }

    void run() {
      single.shape(1, COLUMNS, matrix.dtype());
      single.pack(0, x, 0);
      MatrixKernels.multiply(
          matrix, 0, MatrixKernels.UNIT, single, y, 0, MatrixKernels.UNIT, scratch);
      tiled.shape(PackedRows.TILE, COLUMNS, matrix.dtype());
      tiled.pack(0, x, 0);
      MatrixKernels.multiply(
          matrix, 0, MatrixKernels.UNIT, tiled, y, 0, MatrixKernels.UNIT, scratch);
      RowKernels.add(x, 0, y, 0, COLUMNS);
      RowKernels.norm(x, 0, y, 1, x, 0, COLUMNS);
      RowKernels.gate(x, 0, x, 0, y, 0, COLUMNS);
      RowKernels.rotate(x, 0, y, 0, x, y, 0, x, COLUMNS);
      RowKernels.store(stored, x, 0, rows, 0, COLUMNS);
      RowKernels.exponentiate(y, COLUMNS);
      RowKernels.addWeighted(stored, rows, 0, COLUMNS, y, 0, 2, x);
      Arrays.fill(x, 0);
      Arrays.fill(y, 0);
    }
  }
}
