package dev.muninn.weights;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * Maps of files that can be written to, though the files cannot: what is written stays in memory.
 * Java's own want the file open for writing, which a model need not be, so the system is asked; on
 * Windows, which has no such call, Java's serves.
 */
final class PrivateMap {
  private static final int READ_ONLY = 0;
  private static final int PROTECTION_READ_WRITE = 1 | 2;
  private static final int MAP_PRIVATE = 2;

  /** A multiple of every page size. */
  private static final long GRANULE = 1L << 16;

  private PrivateMap() {}

  /**
   * Maps a part of a file.
   *
   * @throws CheckpointException if the system refuses
   */
  static MemorySegment map(Path file, long from, long bytes, Arena arena) {
    if (Linker.nativeLinker().defaultLookup().find("mmap").isPresent()) {
      return Posix.map(file, from, bytes, arena);
    }
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      return channel.map(MapMode.PRIVATE, from, bytes, arena);
    } catch (IOException problem) {
      throw CheckpointException.failure(file, expected(bytes), problem);
    }
  }

  private static String expected(long bytes) {
    return "a file that can be mapped (" + bytes + " bytes)";
  }

  /** The functions of Linux and macOS, found when the first is wanted. */
  private static final class Posix {
    private static final StructLayout STATE = Linker.Option.captureStateLayout();
    private static final VarHandle ERROR =
        STATE.varHandle(MemoryLayout.PathElement.groupElement("errno"));
    private static final MethodHandle OPEN =
        find(
            "open",
            FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_INT),
            Linker.Option.firstVariadicArg(2),
            Linker.Option.captureCallState("errno"));
    private static final MethodHandle MAP =
        find(
            "mmap",
            FunctionDescriptor.of(
                ValueLayout.ADDRESS,
                ValueLayout.ADDRESS,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_INT,
                ValueLayout.JAVA_INT,
                ValueLayout.JAVA_INT,
                ValueLayout.JAVA_LONG),
            Linker.Option.captureCallState("errno"));
    private static final MethodHandle UNMAP =
        find(
            "munmap",
            FunctionDescriptor.of(
                ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_LONG));
    private static final MethodHandle CLOSE =
        find("close", FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));

    private static MethodHandle find(
        String name, FunctionDescriptor descriptor, Linker.Option... options) {
      Linker linker = Linker.nativeLinker();
      return linker.downcallHandle(linker.defaultLookup().findOrThrow(name), descriptor, options);
    }

    static MemorySegment map(Path file, long from, long bytes, Arena arena) {
      long begin = from - from % GRANULE;
      long length = from - begin + bytes;
      try (Arena call = Arena.ofConfined()) {
        MemorySegment state = call.allocate(STATE);
        MemorySegment path = call.allocateFrom(file.toString());
        int descriptor = (int) OPEN.invokeExact(state, path, READ_ONLY);
        if (descriptor < 0) {
          throw refusal(file, bytes, state);
        }
        MemorySegment mapped;
        try {
          mapped =
              (MemorySegment)
                  MAP.invokeExact(
                      state,
                      MemorySegment.NULL,
                      length,
                      PROTECTION_READ_WRITE,
                      MAP_PRIVATE,
                      descriptor,
                      begin);
        } finally {
          int ignored = (int) CLOSE.invokeExact(descriptor);
        }
        if (mapped.address() == -1) {
          throw refusal(file, bytes, state);
        }
        return mapped.reinterpret(length, arena, Posix::unmap).asSlice(from - begin, bytes);
      } catch (RuntimeException | Error e) {
        throw e;
      } catch (Throwable e) {
        throw new AssertionError(e);
      }
    }

    private static CheckpointException refusal(Path file, long bytes, MemorySegment state) {
      int error = (int) ERROR.get(state, 0L);
      return CheckpointException.refusal(
          file, "the system's error " + error, PrivateMap.expected(bytes));
    }

    private static void unmap(MemorySegment mapped) {
      try {
        int ignored = (int) UNMAP.invokeExact(mapped, mapped.byteSize());
      } catch (RuntimeException | Error e) {
        throw e;
      } catch (Throwable e) {
        throw new AssertionError(e);
      }
    }
  }
}
