package uk.ac.manchester.tornado.api.types.arrays;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** An array of {@code int}. */
public final class IntArray extends TornadoNativeArray {
  private static final ValueLayout.OfInt ELEMENT = ValueLayout.JAVA_INT;

  /** Zeros. */
  public IntArray(int numberOfElements) {
    super(numberOfElements, 4);
  }

  private IntArray(MemorySegment withHeader) {
    super(withHeader, 4);
  }

  /** A copy. */
  public static IntArray fromArray(int[] values) {
    IntArray array = new IntArray(values.length);
    MemorySegment.copy(values, 0, array.getSegment(), ELEMENT, 0, values.length);
    return array;
  }

  /** Elements that stand in a segment behind room for the header. */
  public static IntArray fromSegmentShallow(MemorySegment segment) {
    return new IntArray(segment);
  }

  /** Sets an element. */
  public void set(int index, int value) {
    requireIndex(index);
    getSegment().setAtIndex(ELEMENT, index, value);
  }

  /** An element. */
  public int get(int index) {
    requireIndex(index);
    return getSegment().getAtIndex(ELEMENT, index);
  }

  /** Sets all elements. */
  public void init(int value) {
    for (int i = 0; i < getSize(); i++) {
      set(i, value);
    }
  }
}
