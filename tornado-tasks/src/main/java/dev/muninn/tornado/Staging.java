package dev.muninn.tornado;

import dev.muninn.kernel.NativeMemory;
import dev.muninn.model.WeightFormat;
import dev.muninn.model.WeightMatrix;
import dev.muninn.weights.Checkpoint;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import uk.ac.manchester.tornado.api.types.arrays.TornadoNativeArray;

/**
 * The place where a graph's weights wait for their upload: in their files. Each matrix is mapped by
 * itself and privately, from a header's length before its data; the header that the runtime writes
 * there lands in a page of memory, never in the file. So the host has no second copy of most
 * weights, and once they are on the device their maps go. What kernels want side by side and the
 * file has apart, and what lies in panels, is copied for as long.
 *
 * <p>The device has a copy, also where it shares the host's memory: the runtime makes every buffer
 * of a graph by itself (OpenCL: {@code clCreateBuffer} without a host pointer; Metal and Level Zero
 * likewise) and has no call that would take one that exists.
 */
final class Staging implements AutoCloseable {
  private static final long HEADER = TornadoNativeArray.ARRAY_HEADER;

  private final Checkpoint checkpoint;
  private final boolean halves;
  private final Arena arena = Arena.ofShared();

  /**
   * A place for weights of a checkpoint.
   *
   * @param halves whether the device takes weights in F16 as an array of halves
   */
  Staging(Checkpoint checkpoint, boolean halves) {
    this.checkpoint = checkpoint;
    this.halves = halves;
  }

  /** Whether the device takes weights in F16 as an array of halves. */
  boolean halves() {
    return halves;
  }

  /**
   * Matrices one below the other, with room for the runtime's header before them. In its file a
   * tensor has at least the file's own header before it, which is always longer. The runtime needs
   * whole ints at multiples of four, which the format does not promise: what does not stand so, and
   * what lies in panels or apart, is copied. So are numbers that must become wider.
   *
   * @throws dev.muninn.weights.CheckpointException if the file has changed
   */
  MemorySegment stage(List<WeightMatrix> matrices) {
    WeightFormat format = matrices.getFirst().format();
    int columns = matrices.getFirst().columns();
    boolean mixed = matrices.stream().anyMatch(matrix -> matrix.format() != format);
    boolean wide = mixed || format == WeightFormat.F32 || columns % 2 != 0;
    if (!mixed && wide == (format == WeightFormat.F32) && lieTogether(matrices)) {
      long bytes = matrices.stream().mapToLong(WeightMatrix::bytes).sum();
      MemorySegment all = matrices.getFirst().data().reinterpret(bytes);
      MemorySegment mapped = checkpoint.mapPrivate(all, HEADER, arena);
      if (mapped.address() % ValueLayout.JAVA_INT.byteAlignment() == 0) {
        return mapped;
      }
      return arena.allocate(mapped.byteSize(), 64).copyFrom(mapped);
    }
    long rows = matrices.stream().mapToLong(WeightMatrix::rows).sum();
    MemorySegment copy = room(rows * columns * (wide ? Float.BYTES : Short.BYTES));
    RowMajor.copy(matrices, wide, copy);
    return copy;
  }

  /** Whether the rows follow each other without gaps in one file. */
  private static boolean lieTogether(List<WeightMatrix> matrices) {
    long next = matrices.getFirst().data().address();
    for (WeightMatrix matrix : matrices) {
      if (matrix.format().inPanels()
          || matrix.stride() != matrix.rowBytes()
          || matrix.data().address() != next) {
        return false;
      }
      next += matrix.bytes();
    }
    return true;
  }

  /** Room for so many bytes behind the runtime's header, as long as this is open. */
  MemorySegment room(long bytes) {
    return NativeMemory.allocate(HEADER + bytes, arena);
  }

  /** Unmaps everything: it is on the device. */
  void release() {
    if (arena.scope().isAlive()) {
      arena.close();
    }
  }

  @Override
  public void close() {
    release();
  }
}
