package dev.muninn.vector;

import dev.muninn.model.Matrix;
import dev.muninn.weights.DType;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.Map;

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

  /**
   * Calls after which the first compiler has a method, by Java's own thresholds; our launchers
   * lower them. Before, nothing is profiled, and a loop that turns once costs the interpreter
   * least.
   */
  private static final int UNPROFILED_CALLS = 250;

  private static final int FAST_CALLS = 50;
  private static final long FAST_NANOS = 40_000;
  private static final Duration PATIENCE = Duration.ofMillis(1400);
  private static final long MOST_NANOS = 20_000_000_000L;
  private static final Map<DType, Thread> BEGUN = new EnumMap<>(DType.class);

  private static volatile int running;

  private WarmUp() {}

  /** Whether vector kernels are still being compiled. */
  static boolean running() {
    return running > 0;
  }

  /**
   * Starts compiling the kernels for weights of a type, once in the life of the process.
   *
   * @param delay how long scalars compute alone: compiling takes the processors from an answer that
   *     is short enough to do without
   */
  static void begin(DType weights, Duration delay) {
    synchronized (BEGUN) {
      if (!BEGUN.containsKey(weights)) {
        running++;
        BEGUN.put(
            weights,
            Thread.ofPlatform().daemon().name("muninn-warm-up").start(() -> run(weights, delay)));
      }
    }
  }

  /**
   * Waits until the kernels for weights of a type are compiled, the thread is interrupted, or a
   * time is over in which an idle machine would have compiled them.
   */
  static void await(DType weights) {
    Thread thread;
    synchronized (BEGUN) {
      thread = BEGUN.get(weights);
    }
    try {
      thread.join(PATIENCE);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void run(DType weights, Duration delay) {
    try {
      Thread.sleep(delay);
      long latest = System.nanoTime() + MOST_NANOS;
      Kernels shallow = new Kernels(weights, Lanes.CHUNK);
      Kernels deep = new Kernels(weights, COLUMNS);
      // One group at a time: a kernel that is compiled need not wait for the slowest.
      repeat(shallow::products, deep::products, latest);
      repeat(shallow::rows, deep::rows, latest);
    } catch (InterruptedException e) {
      throw new AssertionError("nobody knows this thread", e);
    } finally {
      synchronized (BEGUN) {
        running--;
      }
    }
  }

  private static void repeat(Runnable shallow, Runnable deep, long latest) {
    for (int call = 0; call < UNPROFILED_CALLS; call++) {
      shallow.run();
    }
    int fast = 0;
    while (fast < FAST_CALLS && System.nanoTime() < latest) {
      long start = System.nanoTime();
      deep.run();
      fast = System.nanoTime() - start < FAST_NANOS ? fast + 1 : 0;
    }
  }

  /** Every kernel once, on the smallest sizes that use all of it. */
  private static final class Kernels {
    private final Matrix matrix;
    private final Matrix ragged;
    private final int columns;
    private final float[] x;
    private final float[] y;
    private final PackedRows single;
    private final PackedRows tiled;
    private final PackedRows wide;
    private final MatrixKernels.Scratch scratch = new MatrixKernels.Scratch();
    private final MemorySegment stored;
    private final DType storedType;
    private int turn;

    Kernels(DType weights, int columns) {
      this.columns = columns;
      long bytes = (long) MatrixKernels.UNIT * columns * weights.bits() / 8;
      MemorySegment data = NativeMemory.allocateAutomatic(bytes);
      matrix = new Matrix(weights, MatrixKernels.UNIT, columns, data);
      int raggedColumns = columns - Lanes.CHUNK + 1;
      ragged =
          new Matrix(
              weights,
              MatrixKernels.UNIT,
              raggedColumns,
              data.asSlice(0, bytes / columns * raggedColumns));
      x = new float[PackedRows.TILE * columns + Lanes.COUNT];
      y = new float[Math.max(x.length, PackedRows.WIDE_TILE * MatrixKernels.UNIT)];
      single = new PackedRows(1, columns);
      tiled = new PackedRows(PackedRows.TILE, columns);
      wide = new PackedRows(PackedRows.WIDE_TILE, columns);
      wide.shape(PackedRows.WIDE_TILE, columns, weights);
      stored = NativeMemory.allocateAutomatic(4L * MatrixKernels.UNIT * columns);
      storedType = weights == DType.BF16 ? DType.BF16 : DType.F32;
    }

    void products() {
      single.shape(1, columns, matrix.dtype());
      single.pack(0, x, 0);
      MatrixKernels.multiply(
          matrix, 0, MatrixKernels.UNIT, single, y, 0, MatrixKernels.UNIT, scratch);
      // Whole chunks end otherwise than left-over columns do.
      turn++;
      Matrix tiledMatrix = turn % 2 == 0 ? matrix : ragged;
      tiled.shape(PackedRows.TILE, tiledMatrix.columns(), matrix.dtype());
      tiled.pack(0, x, 0);
      MatrixKernels.multiply(
          tiledMatrix, 0, MatrixKernels.UNIT, tiled, y, 0, MatrixKernels.UNIT, scratch);
      if (wide.wide()) {
        wide.pack(0, x, 0);
        MatrixKernels.multiply(
            matrix, 0, MatrixKernels.UNIT, wide, y, 0, MatrixKernels.UNIT, scratch);
      }
    }

    void rows() {
      RowKernels.add(x, 0, y, 0, columns);
      RowKernels.norm(x, 0, y, 1, x, 0, columns);
      RowKernels.gate(x, 0, x, 0, y, 0, columns);
      RowKernels.rotate(x, 0, y, 0, x, y, 0, x, columns);
      RowKernels.store(storedType, x, 0, stored, 0, columns);
      // Code for a path that was never taken is thrown away when an answer first takes it.
      RowKernels.exponentiate(y, columns - turn++ % Lanes.COUNT);
      RowKernels.addWeighted(storedType, stored, 0, columns, y, 0, 2, x);
      Arrays.fill(x, 0);
      Arrays.fill(y, 0);
    }
  }
}
