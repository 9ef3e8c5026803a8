package dev.muninn.tornado;

import dev.muninn.model.WeightMatrix;
import dev.muninn.weights.Checkpoint;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import uk.ac.manchester.tornado.api.types.arrays.TornadoNativeArray;

/**
 * The place where a graph's weights wait for their upload: in their files. Each matrix is mapped by
 * itself and privately, from a header's length before its data; the header that the runtime writes
 * there lands in a page of memory, never in the file. So the host has no second copy of the
 * weights, and once they are on the device their maps go.
 *
 * <p>The device has a copy, also where it shares the host's memory: the runtime makes every buffer
 * of a graph by itself (OpenCL: {@code clCreateBuffer} without a host pointer; Metal and Level Zero
 * likewise) and has no call that would take one that exists.
 */
final class Staging implements AutoCloseable {
  private static final long HEADER = TornadoNativeArray.ARRAY_HEADER;

  private final Checkpoint checkpoint;
  private final Arena arena = Arena.ofShared();

  Staging(Checkpoint checkpoint) {
    this.checkpoint = checkpoint;
  }

  /**
   * A matrix with room for the runtime's header before it. In its file a tensor has at least the
   * file's own header before it, which is always longer. The runtime needs whole ints at multiples
   * of four, which the format does not promise: a tensor that does not stand so is copied.
   *
   * @throws dev.muninn.weights.CheckpointException if the file has changed
   */
  MemorySegment stage(WeightMatrix matrix) {
    if (matrix.stride() != matrix.rowBytes()) {
      throw new IllegalArgumentException("kernels read whole rows, not parts of wider ones");
    }
    MemorySegment mapped = checkpoint.mapPrivate(matrix.data(), HEADER, arena);
    if (mapped.address() % ValueLayout.JAVA_INT.byteAlignment() == 0) {
      return mapped;
    }
    return arena.allocate(mapped.byteSize(), 64).copyFrom(mapped);
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
