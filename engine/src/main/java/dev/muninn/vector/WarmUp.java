package dev.muninn.vector;

import dev.muninn.kernel.Lanes;
import dev.muninn.model.WeightFormat;
import dev.muninn.weights.DType;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.function.BooleanSupplier;

/**
 * Gets the vector kernels compiled. Until C2 has compiled one, every lane operation of it is a
 * call, and a product takes a thousand times as long as later; scalar code is quick much sooner. So
 * threads here run each kernel on next to nothing until it is fast. Until then {@link Kernels}
 * computes by the scalar twins, which give the same bits. Large calls wait for compilation instead:
 * scalars would be no sooner done, and take the processors from the compiler.
 *
 * <p>A kernel that never gets fast is never used: {@link #shortfall} says so. Where no C2 is,
 * nothing is tried. In an unknown JVM one thread tries now and then, and no call waits.
 */
final class WarmUp {
  /** Kernels that are compiled together. */
  enum Part {
    ROWS,
    F32_STORE,
    BF16_STORE,
    BYTE_STORE,
    F32_ROW,
    F32_TILES,
    F16_ROW,
    F16_TILES,
    BF16_ROW,
    BF16_TILES,
    BF16_WIDE,
    PACKING,
    BF16_PANELS,
    Q8_PANELS,
    Q4_PANELS;

    final int bit = 1 << ordinal();
  }

  private static final int FAST_CALLS = 50;
  private static final long FAST_NANOS = 40_000;

  /** What scalars have for a short answer beside the compiler, before the caller waits for it. */
  private static final Duration LATE = Duration.ofMillis(200);

  /** Longer than any kernel takes the compiler of an idle machine. */
  private static final Duration SLOW = Duration.ofSeconds(1);

  /** Longer than any kernel takes the compiler. */
  private static final Duration MOST = Duration.ofSeconds(20);

  /** What later tries may take together, and what share of the time. */
  private static final long MOST_TRYING_NANOS = 10_000_000_000L;

  private static final long TRY_NANOS = 50_000_000;
  private static final int PAUSES_PER_TRY = 15;

  private static final JitCompiler COMPILER = JitCompiler.current();

  /** Kernels that short answers mostly do without: compiled last, and not counted as running. */
  private static final int LAZY = hasWide(WeightFormat.BF16) ? Part.BF16_TILES.bit : 0;

  /** Guards what follows, and is notified when kernels are compiled. */
  private static final Object LOCK = new Object();

  // A bit for each part.
  private static volatile int begun;
  private static volatile int compiling;
  private static volatile int ready;

  /** Whether a call waits, so that compiling must not be delayed further. */
  private static boolean wanted;

  /** When compiling began, or will begin. */
  private static volatile long compilingSince;

  /** Why nothing gets fast, null if it may. */
  private static volatile String hopeless =
      COMPILER == JitCompiler.NONE ? JitCompiler.reason() : null;

  private WarmUp() {}

  /** Whether vector kernels that every call needs are still being compiled. */
  static boolean running() {
    return (compiling & ~LAZY) != 0;
  }

  /** Whether they have been for so long that an answer under way is no short one. */
  static boolean isLate() {
    return running() && System.nanoTime() - compilingSince > LATE.toNanos();
  }

  /**
   * Why scalar code computes and will for long, in a few words; null if vectors do, or will as soon
   * as they are compiled.
   */
  static String shortfall() {
    if (hopeless != null) {
      return hopeless;
    }
    if ((begun & ~ready & ~compiling) == 0) {
      return null;
    }
    return COMPILER == JitCompiler.UNKNOWN
        ? JitCompiler.NO_C2
        : "the vector kernels did not get fast";
  }

  /** Whether a product with weights of a format lacks vector kernels. */
  static boolean lacksKernels(WeightFormat weights, PackedRows rows) {
    if (rows.packing()) {
      return lacksPacking();
    }
    if (rows.rows() == 1 || weights.inPanels()) {
      return lacks(row(weights));
    }
    return rows.wide() && lacks(Part.BF16_WIDE) || rows.hasTiles() && lacks(tiles(weights));
  }

  /** Whether what packs weights or keys for many rows lacks vector kernels. */
  static boolean lacksPacking() {
    return lacks(Part.PACKING);
  }

  /** Whether products of BF16 weights with so many rows lack vector kernels. */
  static boolean lacksWide(int rows, int columns) {
    return lacks(Part.BF16_WIDE)
        || PackedRows.hasTiles(rows, columns, WeightFormat.BF16) && lacks(Part.BF16_TILES);
  }

  /** Whether norms, gates, rotations and the like lack vector kernels. */
  static boolean lacksRows() {
    return lacks(Part.ROWS);
  }

  /** Whether attention to keys and values of a type lacks vector kernels. */
  static boolean lacksStore(DType type) {
    return lacks(store(type));
  }

  /** A part that is asked for is compiled, whether or not anybody has begun it. */
  private static boolean lacks(Part part) {
    if ((ready & part.bit) != 0) {
      return false;
    }
    if ((begun & part.bit) == 0) {
      begin(EnumSet.of(part), Duration.ZERO);
    }
    return true;
  }

  private static boolean hasWide(WeightFormat weights) {
    return PackedRows.isWide(PackedRows.WIDE_TILE, Lanes.CHUNK, weights);
  }

  private static Part store(DType type) {
    return switch (type) {
      case BF16 -> Part.BF16_STORE;
      case U8 -> Part.BYTE_STORE;
      default -> Part.F32_STORE;
    };
  }

  private static Part row(WeightFormat weights) {
    return switch (weights) {
      case F32 -> Part.F32_ROW;
      case F16 -> Part.F16_ROW;
      case BF16 -> Part.BF16_ROW;
      case BF16_PANELS, Q8, Q4 -> panels(weights);
    };
  }

  private static Part tiles(WeightFormat weights) {
    return switch (weights) {
      case F32 -> Part.F32_TILES;
      case F16 -> Part.F16_TILES;
      case BF16 -> Part.BF16_TILES;
      case BF16_PANELS, Q8, Q4 -> panels(weights);
    };
  }

  private static Part panels(WeightFormat weights) {
    return switch (weights) {
      case Q8 -> Part.Q8_PANELS;
      case Q4 -> Part.Q4_PANELS;
      default -> Part.BF16_PANELS;
    };
  }

  /**
   * Starts compiling the kernels for weights of a format, once in the life of the process; those
   * for a few rows, where many have kernels of their own, wait for {@link #beginTiles}. A model
   * with weights of several formats begins each of them.
   *
   * @param delay how long scalar code computes alone, unless a call waits: compiling takes the
   *     processors from an answer that is short enough to do without
   */
  static void begin(WeightFormat weights, Duration delay) {
    begin(
        EnumSet.of(
            Part.ROWS,
            weights == WeightFormat.F32 || weights == WeightFormat.F16
                ? Part.F32_STORE
                : Part.BF16_STORE,
            row(weights),
            hasWide(weights) ? Part.BF16_WIDE : tiles(weights)),
        delay);
  }

  /**
   * Starts compiling the kernels for a few rows. Where many rows have kernels of their own, many
   * answers never need them, and they take the compiler as long as all others.
   */
  static void beginTiles(WeightFormat weights) {
    if ((begun & tiles(weights).bit) == 0) {
      begin(EnumSet.of(tiles(weights)), Duration.ZERO);
    }
  }

  /** Starts compiling what packs weights or keys for many rows. */
  static void beginPacking() {
    if ((begun & Part.PACKING.bit) == 0) {
      begin(EnumSet.of(Part.PACKING), Duration.ZERO);
    }
  }

  private static void begin(Set<Part> parts, Duration delay) {
    synchronized (LOCK) {
      Set<Part> fresh = EnumSet.noneOf(Part.class);
      for (Part part : parts) {
        if ((begun & part.bit) == 0) {
          fresh.add(part);
          begun |= part.bit;
        }
      }
      if (fresh.isEmpty() || hopeless != null) {
        return;
      }
      if (!running()) {
        compilingSince = System.nanoTime() + delay.toNanos();
      }
      if (COMPILER == JitCompiler.C2) {
        compiling |= bits(fresh);
      }
      start(() -> run(fresh));
    }
  }

  private static int bits(Set<Part> parts) {
    int bits = 0;
    for (Part part : parts) {
      bits |= part.bit;
    }
    return bits;
  }

  /** Waits until {@link #running} ends, the thread is interrupted, or a time is over. */
  static void await(Duration patience) {
    await(WarmUp::running, patience);
  }

  /**
   * Waits until all kernels that were begun for weights of a format are compiled or given up, or
   * the thread is interrupted.
   */
  static void await(WeightFormat weights) {
    int bits = ~LAZY | tiles(weights).bit;
    if ((compiling & bits) != 0) {
      await(() -> (compiling & bits) != 0, MOST);
    }
  }

  private static void await(BooleanSupplier compiling, Duration patience) {
    synchronized (LOCK) {
      wanted = true;
      LOCK.notifyAll();
      try {
        waitWhile(compiling, patience.toNanos());
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      } finally {
        wanted = false;
      }
    }
  }

  private static void waitWhile(BooleanSupplier condition, long nanos) throws InterruptedException {
    long latest = System.nanoTime() + nanos;
    for (long left = nanos / 1_000_000; condition.getAsBoolean() && left > 0; ) {
      LOCK.wait(left);
      left = (latest - System.nanoTime()) / 1_000_000;
    }
  }

  private static Thread start(Runnable task) {
    return Thread.ofPlatform().daemon().name("muninn-warm-up").start(task);
  }

  /** Compiles some parts, those with products each in a thread of its own. */
  private static void run(Set<Part> parts) {
    int bits = bits(parts);
    try {
      synchronized (LOCK) {
        waitWhile(() -> !wanted, compilingSince - System.nanoTime());
        if ((bits & ~LAZY) == 0) {
          // A short answer with a few rows may still do without.
          waitWhile(WarmUp::running, MOST.toNanos());
        }
      }
      // While the compiler has one group's kernels, the others' calls are counted.
      for (List<Part> group : groups(parts)) {
        start(() -> compile(group));
      }
      synchronized (LOCK) {
        waitWhile(() -> (compiling & bits) != 0, SLOW.toNanos());
      }
      String reason = (compiling & bits) != 0 ? JitCompiler.reasonByFlags() : null;
      if (reason != null) {
        hopeless = reason;
        end(~0, false);
      }
    } catch (InterruptedException e) {
      throw new AssertionError("nobody knows this thread", e);
    } catch (RuntimeException | Error e) {
      // Scalars compute on; no call waits in vain.
      end(bits, false);
      throw e;
    }
  }

  private static List<List<Part>> groups(Set<Part> parts) {
    List<List<Part>> groups = new ArrayList<>();
    List<Part> rows = new ArrayList<>();
    for (Part part : parts) {
      switch (part) {
        case ROWS, F32_STORE, BF16_STORE, BYTE_STORE -> rows.add(part);
        default -> groups.addFirst(List.of(part));
      }
    }
    if (!rows.isEmpty()) {
      groups.add(rows);
    }
    return groups;
  }

  private static void compile(List<Part> group) {
    int bits = bits(EnumSet.copyOf(group));
    boolean fast = false;
    try {
      List<Runnable> kernels = group.stream().map(KernelCalls::of).toList();
      if (COMPILER == JitCompiler.C2) {
        fast = repeat(kernels, MOST.toNanos());
        end(bits, fast);
      }
      if (!fast && keepTrying(kernels)) {
        end(bits, true);
      }
    } catch (InterruptedException e) {
      throw new AssertionError("nobody knows this thread", e);
    } finally {
      end(bits, false);
    }
  }

  private static void end(int bits, boolean fast) {
    synchronized (LOCK) {
      if (fast) {
        ready |= bits;
      }
      compiling &= ~bits;
      LOCK.notifyAll();
    }
  }

  /** Runs kernels until they are fast, and says whether they are. */
  private static boolean repeat(List<Runnable> kernels, long nanos) {
    long latest = System.nanoTime() + nanos;
    int fast = 0;
    while (fast < FAST_CALLS && hopeless == null && System.nanoTime() < latest) {
      long start = System.nanoTime();
      for (Runnable kernel : kernels) {
        kernel.run();
      }
      fast = System.nanoTime() - start < FAST_NANOS ? fast + 1 : 0;
    }
    return fast == FAST_CALLS;
  }

  /** The same, now and then: the processors are the callers'. */
  private static boolean keepTrying(List<Runnable> kernels) throws InterruptedException {
    for (long spent = 0; spent < MOST_TRYING_NANOS && hopeless == null; spent += TRY_NANOS) {
      if (repeat(kernels, TRY_NANOS)) {
        return true;
      }
      Thread.sleep(Duration.ofNanos(PAUSES_PER_TRY * TRY_NANOS));
    }
    return false;
  }
}
