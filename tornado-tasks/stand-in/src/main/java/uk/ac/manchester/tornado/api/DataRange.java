package uk.ac.manchester.tornado.api;

import uk.ac.manchester.tornado.api.types.arrays.TornadoNativeArray;

/** A part of an array, in elements. */
public class DataRange {
  final TornadoNativeArray array;
  long offset;
  long size;

  /** All of an array. */
  public DataRange(TornadoNativeArray array) {
    this.array = array;
    this.size = array.getSize();
  }

  /** From an element on. */
  public DataRange withOffset(long offset) {
    this.offset = offset;
    return this;
  }

  /** A number of elements. */
  public DataRange withSize(long size) {
    this.size = size;
    return this;
  }
}
