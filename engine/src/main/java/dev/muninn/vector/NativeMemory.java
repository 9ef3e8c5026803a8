package dev.muninn.vector;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/**
 * Memory outside the heap that is not cleared first. An arena writes zeros to all it hands out, so
 * that a cache for 4,096 positions would be resident as a whole before the first is used.
 */
final class NativeMemory {
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

  private NativeMemory() {}

  /** Uninitialised memory that is freed with the arena. */
  static MemorySegment allocate(long bytes, Arena arena) {
    try {
      MemorySegment memory = (MemorySegment) MALLOC.invokeExact(bytes);
      if (memory.equals(MemorySegment.NULL)) {
        throw new OutOfMemoryError("no " + bytes + " bytes of native memory");
      }
      return memory.reinterpret(bytes, arena, NativeMemory::free);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  /** Memory that is freed when nothing refers to it any more. */
  static MemorySegment allocateAutomatic(long bytes) {
    return Arena.ofAuto().allocate(bytes, 64);
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
