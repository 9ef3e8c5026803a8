package dev.muninn.vector;

import dev.muninn.cache.KeyValueLayout;
import dev.muninn.cache.KeyValueStore;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Keys and values in F32 outside the heap: [plane][keys, values][head][position][head size]. Memory
 * becomes resident as positions are written.
 */
final class VectorStore implements KeyValueStore {
  final MemorySegment data;
  private final Arena arena = Arena.ofShared();
  private final long headBytes;
  private final long halfBytes;
  private final int rowBytes;

  VectorStore(KeyValueLayout layout) {
    rowBytes = layout.config().headSize() * Float.BYTES;
    headBytes = (long) layout.capacity() * rowBytes;
    halfBytes = headBytes * layout.config().heads();
    // Scores are computed 16 positions at a time: the last unit reads past the last position.
    long slack = (long) MatrixKernels.UNIT * rowBytes;
    data = NativeMemory.allocate(layout.bytes() + slack, arena);
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
  public void close() {
    arena.close();
  }
}
