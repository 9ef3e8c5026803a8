package uk.ac.manchester.tornado.api;

/** What an execution leaves. */
public class TornadoExecutionResult {
  private final DeviceArrays arrays;

  TornadoExecutionResult(DeviceArrays arrays) {
    this.arrays = arrays;
  }

  /** Copies a part of an array from the device to the host. */
  public TornadoExecutionResult transferToHost(DataRange dataRange) {
    arrays.toHost(dataRange.array, dataRange.offset, dataRange.size);
    return this;
  }
}
