package dev.muninn.vector;

import dev.muninn.cache.KeyValueLayout;
import dev.muninn.cache.KeyValueStore;
import dev.muninn.kernel.NativeMemory;
import dev.muninn.weights.DType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Keys and values outside the heap: [plane][keys, values][head][position][head size]. Memory
 * becomes resident as positions are written.
 *
 * <p>In BF16 two numbers share an int: the lanes of the first vector of a chunk have the lower
 * halves, those of the second the upper ones, so that both come out in order.
 */
final class VectorStore implements KeyValueStore {
  final MemorySegment data;

  /** F32, BF16, or U8 for {@link ByteRows}. */
  final DType type;

  private final Arena arena = Arena.ofShared();
  private final long headBytes;
  private final long halfBytes;
  private final int rowBytes;

  /** Bytes of all planes. */
  private final long end;

  VectorStore(KeyValueLayout layout) {
    type =
        switch (layout.type()) {
          case F32 -> DType.F32;
          case BF16 -> DType.BF16;
          case Q8 -> DType.U8;
        };
    rowBytes = layout.type().rowBytes(layout.model().headSize());
    headBytes = (long) layout.capacity() * rowBytes;
    halfBytes = headBytes * layout.model().keyValueHeads();
    // Scores are computed 16 positions at a time: the last unit reads past the last position.
    long slack = (long) MatrixKernels.UNIT * rowBytes;
    end = layout.bytes();
    data = NativeMemory.allocate(layout.bytes() + slack, arena);
  }

  /** Bytes from one position to the next. */
  int rowBytes() {
    return rowBytes;
  }

  /** Byte offset of a key. */
  long key(int plane, int head, int position) {
    return 2 * plane * halfBytes + head * headBytes + (long) position * rowBytes;
  }

  /** Byte offset of a value. */
  long value(int plane, int head, int position) {
    return key(plane, head, position) + halfBytes;
  }

  @Override
  public boolean copyTo(KeyValueStore target, int positions) {
    if (!(target instanceof VectorStore other)) {
      return false;
    }
    long bytes = (long) positions * rowBytes;
    long to = 0;
    for (long from = 0; from < end; from += headBytes) {
      MemorySegment.copy(data, from, other.data, to, bytes);
      to += other.headBytes;
    }
    return true;
  }

  @Override
  public void close() {
    if (arena.scope().isAlive()) {
      arena.close();
    }
  }
}
