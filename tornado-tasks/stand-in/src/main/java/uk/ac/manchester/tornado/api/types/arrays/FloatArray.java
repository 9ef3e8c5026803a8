package uk.ac.manchester.tornado.api.types.arrays;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** An array of {@code float}. */
public final class FloatArray extends TornadoNativeArray {
  private static final ValueLayout.OfFloat ELEMENT = ValueLayout.JAVA_FLOAT;

  /** Zeros. */
  public FloatArray(int numberOfElements) {
    super(numberOfElements, 4);
  }

  private FloatArray(MemorySegment withHeader) {
    super(withHeader, 4);
  }

  /** A copy. */
  public static FloatArray fromArray(float[] values) {
    FloatArray array = new FloatArray(values.length);
    MemorySegment.copy(values, 0, array.getSegment(), ELEMENT, 0, values.length);
    return array;
  }

  /** Elements that stand in a segment behind room for the header. */
  public static FloatArray fromSegmentShallow(MemorySegment segment) {
    return new FloatArray(segment);
  }

  /** Sets an element. */
  public void set(int index, float value) {
    requireIndex(index);
    getSegment().setAtIndex(ELEMENT, index, value);
  }

  /** An element. */
  public float get(int index) {
    requireIndex(index);
    return getSegment().getAtIndex(ELEMENT, index);
  }

  /** Sets all elements. */
  public void init(float value) {
    for (int i = 0; i < getSize(); i++) {
      set(i, value);
    }
  }
}
