package uk.ac.manchester.tornado.api.types.arrays;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Elements in native memory, behind a header. */
public abstract sealed class TornadoNativeArray
    permits FloatArray, HalfFloatArray, IntArray, ShortArray {
  /** Bytes before the first element. Read when the class loads, never compiled into others. */
  public static final long ARRAY_HEADER = Long.getLong("tornado.panama.objectHeader", 16);

  private static final long ALIGNMENT = 16;

  private final MemorySegment elements;
  private final int size;

  TornadoNativeArray(int size, int elementSize) {
    this(Arena.ofAuto().allocate(ARRAY_HEADER + (long) size * elementSize, ALIGNMENT), elementSize);
  }

  TornadoNativeArray(MemorySegment withHeader, int elementSize) {
    elements = withHeader.asSlice(ARRAY_HEADER);
    size = Math.toIntExact(elements.byteSize() / elementSize);
    // The real one writes there too: a read-only map would fail here as it does there.
    withHeader.set(ValueLayout.JAVA_INT, 0, size);
  }

  /** Number of elements. */
  public int getSize() {
    return size;
  }

  /** The elements. */
  public MemorySegment getSegment() {
    return elements;
  }

  final void requireIndex(int index) {
    if (index < 0 || index >= size) {
      throw new IndexOutOfBoundsException("element " + index + " of " + size);
    }
  }
}
