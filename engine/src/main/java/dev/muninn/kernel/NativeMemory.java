package dev.muninn.kernel;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/** Memory outside the heap. */
public final class NativeMemory {
  /**
   * The size below which Java's own clearing is faster: finding the system's functions takes some
   * 30 ms at a cold start.
   */
  private static final long SMALL = 16L << 20;

  private NativeMemory() {}

  /**
   * Memory that is freed with the arena; its content is anything. An arena writes zeros to all it
   * hands out, so that a cache for 4,096 positions would be resident as a whole before the first is
   * used. So what is large comes from the system.
   */
  public static MemorySegment allocate(long bytes, Arena arena) {
    return bytes <= SMALL ? arena.allocate(bytes, 64) : Uncleared.allocate(bytes, arena);
  }

  /** Memory that is freed when it is no longer referenced. */
  public static MemorySegment allocateAutomatic(long bytes) {
    return Arena.ofAuto().allocate(bytes, 64);
  }

  /** The system's functions, found when the first is wanted. */
  private static final class Uncleared {
    private static final MethodHandle MALLOC;
    private static final MethodHandle FREE;

    static {
      Linker linker = Linker.nativeLinker();
      MALLOC =
          linker.downcallHandle(
              linker.defaultLookup().findOrThrow("malloc"),
              FunctionDescriptor.of(ValueLayout.ADDRESS, ValueLayout.JAVA_LONG));
      FREE =
          linker.downcallHandle(
              linker.defaultLookup().findOrThrow("free"),
              FunctionDescriptor.ofVoid(ValueLayout.ADDRESS));
    }

    static MemorySegment allocate(long bytes, Arena arena) {
      try {
        MemorySegment memory = (MemorySegment) MALLOC.invokeExact(bytes);
        if (memory.equals(MemorySegment.NULL)) {
          throw new OutOfMemoryError("no " + bytes + " bytes of native memory");
        }
        return memory.reinterpret(bytes, arena, Uncleared::free);
      } catch (RuntimeException | Error e) {
        throw e;
      } catch (Throwable e) {
        throw new AssertionError(e);
      }
    }

    private static void free(MemorySegment memory) {
      try {
        FREE.invokeExact(memory);
      } catch (RuntimeException | Error e) {
        throw e;
      } catch (Throwable e) {
        throw new AssertionError(e);
      }
    }
  }
}
