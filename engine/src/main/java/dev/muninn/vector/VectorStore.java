package dev.muninn.vector;

import dev.muninn.cache.KeyValueLayout;
import dev.muninn.cache.KeyValueStore;
import dev.muninn.cache.KeyValueType;
import dev.muninn.kernel.NativeMemory;
import dev.muninn.weights.DType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Keys and values outside the heap: [plane][keys, values][head][position][head size]. Memory
 * becomes resident as positions are written.
 *
 * <p>In BF16 two numbers share an int: the lanes of the first vector of a chunk have the lower
 * halves, those of the second the upper ones, so that both come out in order. Positions in 8 bits
 * lie in {@link ByteBlocks}.
 */
final class VectorStore implements KeyValueStore {
  final MemorySegment data;

  /** F32, BF16, or U8 for {@link ByteBlocks}. */
  final DType type;

  private final KeyValueType kept;
  private final Arena arena = Arena.ofShared();
  private final long headBytes;
  private final long halfBytes;
  private final int rowBytes;
  private final int rows;

  /** How many bytes of each position lie together: of keys, and of values. */
  private final int[] keyParts;

  private final int[] valueParts;

  /** Bytes of all planes. */
  private final long end;

  VectorStore(KeyValueLayout layout) {
    kept = layout.type();
    type =
        switch (kept) {
          case F32 -> DType.F32;
          case BF16 -> DType.BF16;
          case Q8 -> DType.U8;
        };
    rows = Math.toIntExact(kept.rows(layout.capacity()));
    rowBytes = kept.rowBytes(layout.model().headSize());
    headBytes = (long) rows * rowBytes;
    halfBytes = headBytes * layout.model().keyValueHeads();
    // Scores are computed for many positions at a time: the last ones are past the last position.
    long slack = (long) ByteKeys.STREAMS * ByteBlocks.SIDE * rowBytes;
    end = layout.bytes();
    int headSize = layout.model().headSize();
    keyParts = type == DType.U8 ? ByteBlocks.keyParts(headSize) : new int[] {rowBytes};
    valueParts = type == DType.U8 ? ByteBlocks.valueParts(headSize) : keyParts;
    data = NativeMemory.allocate(layout.bytes() + slack, arena);
  }

  /** Bytes from one position to the next. */
  int rowBytes() {
    return rowBytes;
  }

  /** Positions that a head has room for. */
  int rows() {
    return rows;
  }

  /** Byte offset of a key. In 8 bits only of position 0, where the head begins. */
  long key(int plane, int head, int position) {
    return 2 * plane * halfBytes + head * headBytes + (long) position * rowBytes;
  }

  /** Byte offset of a value, as {@link #key}. */
  long value(int plane, int head, int position) {
    return key(plane, head, position) + halfBytes;
  }

  @Override
  public boolean copyTo(KeyValueStore target, int positions) {
    if (!(target instanceof VectorStore other)) {
      return false;
    }
    long count = kept.rows(positions);
    long to = 0;
    for (long from = 0; from < end; from += headBytes, to += other.headBytes) {
      copyHead(from, other, to, count, from / halfBytes % 2 == 0 ? keyParts : valueParts);
    }
    return true;
  }

  private void copyHead(long from, VectorStore target, long to, long count, int[] parts) {
    long source = from;
    long destination = to;
    for (int bytes : parts) {
      MemorySegment.copy(data, source, target.data, destination, count * bytes);
      source += (long) rows * bytes;
      destination += (long) target.rows * bytes;
    }
  }

  @Override
  public void close() {
    if (arena.scope().isAlive()) {
      arena.close();
    }
  }
}
