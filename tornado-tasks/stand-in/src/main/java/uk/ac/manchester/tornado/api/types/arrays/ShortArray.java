package uk.ac.manchester.tornado.api.types.arrays;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** An array of {@code short}. */
public final class ShortArray extends TornadoNativeArray {
  private static final ValueLayout.OfShort ELEMENT = ValueLayout.JAVA_SHORT;

  /** Zeros. */
  public ShortArray(int numberOfElements) {
    super(numberOfElements, 2);
  }

  private ShortArray(MemorySegment withHeader) {
    super(withHeader, 2);
  }

  /** A copy. */
  public static ShortArray fromArray(short[] values) {
    ShortArray array = new ShortArray(values.length);
    MemorySegment.copy(values, 0, array.getSegment(), ELEMENT, 0, values.length);
    return array;
  }

  /** Elements that stand in a segment behind room for the header. */
  public static ShortArray fromSegmentShallow(MemorySegment segment) {
    return new ShortArray(segment);
  }

  /** Sets an element. */
  public void set(int index, short value) {
    requireIndex(index);
    getSegment().setAtIndex(ELEMENT, index, value);
  }

  /** An element. */
  public short get(int index) {
    requireIndex(index);
    return getSegment().getAtIndex(ELEMENT, index);
  }

  /** Sets all elements. */
  public void init(short value) {
    for (int i = 0; i < getSize(); i++) {
      set(i, value);
    }
  }
}
