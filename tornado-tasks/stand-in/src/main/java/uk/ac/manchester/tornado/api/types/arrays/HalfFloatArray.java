package uk.ac.manchester.tornado.api.types.arrays;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import uk.ac.manchester.tornado.api.types.HalfFloat;
import uk.ac.manchester.tornado.api.types.vectors.Half2;

/** An array of IEEE halves. */
public final class HalfFloatArray extends TornadoNativeArray {
  private static final ValueLayout.OfShort ELEMENT = ValueLayout.JAVA_SHORT;

  /** Zeros. */
  public HalfFloatArray(int numberOfElements) {
    super(numberOfElements, 2);
  }

  private HalfFloatArray(MemorySegment withHeader) {
    super(withHeader, 2);
  }

  /** Elements that stand in a segment behind room for the header. */
  public static HalfFloatArray fromSegmentShallow(MemorySegment segment) {
    return new HalfFloatArray(segment);
  }

  /** Sets an element. */
  public void set(int index, HalfFloat value) {
    requireIndex(index);
    getSegment().setAtIndex(ELEMENT, index, value.getHalfFloatValue());
  }

  /** An element. */
  public HalfFloat get(int index) {
    requireIndex(index);
    return new HalfFloat(getSegment().getAtIndex(ELEMENT, index));
  }

  /**
   * Two neighbouring elements, in one load.
   *
   * @param index of the first, an even one: a device reads whole ints
   */
  public Half2 getHalf2(int index) {
    if (index % 2 != 0) {
      throw new IllegalArgumentException("element " + index + " begins no pair");
    }
    return new Half2(get(index), get(index + 1));
  }
}
