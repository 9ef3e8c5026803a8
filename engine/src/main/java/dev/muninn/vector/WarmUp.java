package dev.muninn.vector;

import dev.muninn.model.Matrix;
import dev.muninn.weights.DType;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.function.BooleanSupplier;

/**
 * Gets the vector kernels compiled. Until the second compiler has one, every lane operation of it
 * is a call, and a product takes a thousand times as long as later; scalar code is quick much
 * sooner. So while a thread here runs each kernel on next to nothing until it is fast, {@link
 * Kernels} computes by the scalar twins, which give the same bits. Who has much to compute waits
 * instead: scalars would be no sooner done, and take the processors from the compiler.
 */
final class WarmUp {
  /**
   * Enough for more than one turn of every loop, for what is compiled here stays; but so few that a
   * kernel is compiled for its calls, and not before that for its loop, which takes the compiler
   * three times as long.
   */
  private static final int COLUMNS = 4 * Lanes.CHUNK;

  private static final int FAST_CALLS = 50;
  private static final long FAST_NANOS = 40_000;

  /** What scalars have for a short answer beside the compiler, before who computes waits for it. */
  private static final Duration LATE = Duration.ofMillis(300);

  /** Longer than any kernel takes the compiler. */
  private static final Duration MOST = Duration.ofSeconds(20);

  /** Guards what follows, and is notified when a type's kernels are compiled. */
  private static final Set<DType> BEGUN = EnumSet.noneOf(DType.class);

  private static volatile int running;

  /** Whether somebody waits, so that compiling is not put off any longer. */
  private static boolean wanted;

  /** When the last type's kernels began to be compiled. */
  private static volatile long compilingSince;

  /** A bit for each type that was begun and lacks the kernels for a few rows. */
  private static volatile int withoutTiles;

  /** Those of them whose kernels are being compiled. */
  private static volatile int compilingTiles;

  private WarmUp() {}

  /** Whether vector kernels that every call needs are still being compiled. */
  static boolean running() {
    return running > 0;
  }

  /** Whether they have been for so long that an answer under way is no short one. */
  static boolean isLate() {
    return running() && System.nanoTime() - compilingSince > LATE.toNanos();
  }

  /** Whether a product with weights of a type lacks vector kernels. */
  static boolean lacksKernels(DType weights, PackedRows rows) {
    return running() || (withoutTiles & bit(weights)) != 0 && rows.hasTiles();
  }

  /** Whether many rows with weights of a type need other kernels than a few. */
  private static boolean hasOwnTiles(DType weights) {
    return !PackedRows.hasTiles(PackedRows.WIDE_TILE, COLUMNS, weights);
  }

  private static int bit(DType type) {
    return 1 << type.ordinal();
  }

  /**
   * Starts compiling the kernels for weights of a type, once in the life of the process; those for
   * a few rows beside many wait for {@link #beginTiles}.
   *
   * @param delay how long scalars compute alone, unless somebody waits: compiling takes the
   *     processors from an answer that is short enough to do without
   */
  static void begin(DType weights, Duration delay) {
    synchronized (BEGUN) {
      if (BEGUN.add(weights)) {
        running++;
        compilingSince = System.nanoTime() + delay.toNanos();
        if (hasOwnTiles(weights)) {
          withoutTiles |= bit(weights);
        }
        start(() -> run(weights, delay));
      }
    }
  }

  /**
   * Starts compiling the kernels for a few rows, if the others of the type were begun. Many answers
   * never need them, and they take the compiler as long as all others.
   */
  static void beginTiles(DType weights) {
    if (((withoutTiles & ~compilingTiles) & bit(weights)) != 0) {
      synchronized (BEGUN) {
        if (((withoutTiles & ~compilingTiles) & bit(weights)) != 0) {
          compilingTiles |= bit(weights);
          start(() -> runTiles(weights));
        }
      }
    }
  }

  /** Waits until {@link #running} ends, the thread is interrupted, or a time is over. */
  static void await(Duration patience) {
    await(WarmUp::running, patience);
  }

  /**
   * Waits until all kernels that were begun for weights of a type are compiled, or the thread is
   * interrupted.
   */
  static void await(DType weights) {
    if (isCompiling(weights)) {
      await(() -> isCompiling(weights), MOST);
    }
  }

  private static boolean isCompiling(DType weights) {
    return running() || (compilingTiles & bit(weights)) != 0;
  }

  private static void await(BooleanSupplier compiling, Duration patience) {
    synchronized (BEGUN) {
      wanted = true;
      BEGUN.notifyAll();
      try {
        waitWhile(compiling, patience);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      } finally {
        wanted = false;
      }
    }
  }

  private static void waitWhile(BooleanSupplier condition, Duration patience)
      throws InterruptedException {
    long latest = System.nanoTime() + patience.toNanos();
    for (long left = patience.toMillis(); condition.getAsBoolean() && left > 0; ) {
      BEGUN.wait(left);
      left = Duration.ofNanos(latest - System.nanoTime()).toMillis();
    }
  }

  private static Thread start(Runnable task) {
    return Thread.ofPlatform().daemon().name("muninn-warm-up").start(task);
  }

  private static void run(DType weights, Duration delay) {
    try {
      synchronized (BEGUN) {
        waitWhile(() -> !wanted, delay);
      }
      long latest = System.nanoTime() + MOST.toNanos();
      Kernels kernels = new Kernels(weights);
      // While the compiler has one group's kernels, the others' calls are counted.
      List<Thread> groups =
          List.of(
              start(() -> repeat(kernels::manyRows, latest)),
              start(() -> repeat(kernels::rows, latest)),
              start(() -> repeat(kernels::singleRow, latest)));
      for (Thread group : groups) {
        group.join();
      }
    } catch (InterruptedException e) {
      throw new AssertionError("nobody knows this thread", e);
    } finally {
      synchronized (BEGUN) {
        running--;
        BEGUN.notifyAll();
      }
    }
  }

  private static void runTiles(DType weights) {
    try {
      // A short answer with a few rows may still do without any.
      synchronized (BEGUN) {
        waitWhile(WarmUp::running, MOST);
      }
      repeat(new Kernels(weights)::fewRows, System.nanoTime() + MOST.toNanos());
    } catch (InterruptedException e) {
      throw new AssertionError("nobody knows this thread", e);
    } finally {
      synchronized (BEGUN) {
        withoutTiles &= ~bit(weights);
        compilingTiles &= ~bit(weights);
        BEGUN.notifyAll();
      }
    }
  }

  private static void repeat(Runnable kernels, long latest) {
    int fast = 0;
    while (fast < FAST_CALLS && System.nanoTime() < latest) {
      long start = System.nanoTime();
      kernels.run();
      fast = System.nanoTime() - start < FAST_NANOS ? fast + 1 : 0;
    }
  }

  /** Every kernel once, on the smallest sizes that use all of it. */
  private static final class Kernels {
    private final Matrix matrix;
    private final Matrix ragged;

    // The groups share these, for nobody looks at the values.
    private final float[] x;
    private final float[] y;
    private final PackedRows single;
    private final PackedRows tiled;
    private final PackedRows wide;
    private final MatrixKernels.Scratch scratch = new MatrixKernels.Scratch();
    private final MatrixKernels.Scratch singleScratch = new MatrixKernels.Scratch();
    private final MemorySegment stored;
    private final DType storedType;
    private int productTurn;
    private int rowTurn;

    Kernels(DType weights) {
      long bytes = (long) MatrixKernels.UNIT * COLUMNS * weights.bits() / 8;
      MemorySegment data = NativeMemory.allocateAutomatic(bytes);
      matrix = new Matrix(weights, MatrixKernels.UNIT, COLUMNS, data);
      int raggedColumns = COLUMNS - Lanes.CHUNK + 3;
      ragged =
          new Matrix(
              weights,
              MatrixKernels.UNIT,
              raggedColumns,
              data.asSlice(0, bytes / COLUMNS * raggedColumns));
      x = new float[PackedRows.TILE * COLUMNS + Lanes.COUNT];
      y = new float[Math.max(x.length, PackedRows.WIDE_TILE * MatrixKernels.UNIT)];
      single = new PackedRows(1, COLUMNS);
      tiled = new PackedRows(PackedRows.TILE, COLUMNS);
      wide = new PackedRows(PackedRows.WIDE_TILE, COLUMNS);
      wide.shape(PackedRows.WIDE_TILE, COLUMNS, weights, Lanes.CHUNK / 8);
      stored = NativeMemory.allocateAutomatic(4L * MatrixKernels.UNIT * COLUMNS);
      storedType = weights == DType.BF16 ? DType.BF16 : DType.F32;
    }

    void singleRow() {
      single.shape(1, COLUMNS, matrix.dtype());
      single.pack(0, x, 0);
      MatrixKernels.multiply(
          matrix, 0, MatrixKernels.UNIT, single, y, 0, MatrixKernels.UNIT, singleScratch);
    }

    void manyRows() {
      if (!wide.wide()) {
        fewRows();
        return;
      }
      wide.pack(0, x, 0);
      MatrixKernels.multiply(
          matrix, 0, MatrixKernels.UNIT, wide, y, 0, MatrixKernels.UNIT, scratch);
      // More outputs have whole vectors of results.
      Lanes.copy(x, 0, y, 0, Lanes.COUNT);
    }

    void fewRows() {
      // Whole chunks end otherwise than left-over columns do.
      Matrix tiledMatrix = productTurn++ % 2 == 0 ? matrix : ragged;
      tiled.shape(PackedRows.TILE, tiledMatrix.columns(), matrix.dtype());
      tiled.pack(0, x, 0);
      MatrixKernels.multiply(
          tiledMatrix, 0, MatrixKernels.UNIT, tiled, y, 0, MatrixKernels.UNIT, scratch);
    }

    void rows() {
      RowKernels.add(x, 0, y, 0, COLUMNS);
      RowKernels.norm(x, 0, y, 1, x, 0, COLUMNS);
      RowKernels.gate(x, 0, x, 0, y, 0, COLUMNS);
      RowKernels.rotate(x, 0, y, 0, x, y, 0, x, COLUMNS);
      RowKernels.rotate(x, 0, null, 0, x, y, 0, x, COLUMNS);
      RowKernels.rotateHalves(x, 0, y, 0, x, y, 0, x, COLUMNS);
      RowKernels.rotateHalves(x, 0, null, 0, x, y, 0, x, COLUMNS);
      RowKernels.store(storedType, x, 0, stored, 0, COLUMNS);
      // Code for a path that was never taken is thrown away when an answer first takes it.
      RowKernels.exponentiate(y, COLUMNS - rowTurn++ % Lanes.COUNT);
      RowKernels.addWeighted(storedType, stored, 0, COLUMNS, y, 0, 2, x);
      Arrays.fill(x, 0);
      Arrays.fill(y, 0);
    }
  }
}
