package uk.ac.manchester.tornado.api;

import java.lang.foreign.MemorySegment;
import java.util.IdentityHashMap;
import java.util.Map;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.HalfFloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;
import uk.ac.manchester.tornado.api.types.arrays.ShortArray;
import uk.ac.manchester.tornado.api.types.arrays.TornadoNativeArray;

/** The device's memory: a twin of each of the host's arrays. */
final class DeviceArrays {
  private final Map<Object, TornadoNativeArray> twins = new IdentityHashMap<>();

  /** The twin of an array, made when it is first asked for; anything else as it is. */
  Object onDevice(Object argument) {
    return argument instanceof TornadoNativeArray array ? twin(array) : argument;
  }

  private TornadoNativeArray twin(TornadoNativeArray array) {
    return twins.computeIfAbsent(
        array,
        any ->
            switch (array) {
              case FloatArray floats -> new FloatArray(floats.getSize());
              case HalfFloatArray halves -> new HalfFloatArray(halves.getSize());
              case IntArray ints -> new IntArray(ints.getSize());
              case ShortArray shorts -> new ShortArray(shorts.getSize());
            });
  }

  void toDevice(Object array) {
    if (array instanceof TornadoNativeArray host) {
      twin(host).getSegment().copyFrom(host.getSegment());
    }
  }

  void toHost(Object array) {
    if (array instanceof TornadoNativeArray host) {
      host.getSegment().copyFrom(twin(host).getSegment());
    }
  }

  void toHost(TornadoNativeArray array, long first, long count) {
    boolean half = array instanceof ShortArray || array instanceof HalfFloatArray;
    long element = half ? Short.BYTES : Integer.BYTES;
    MemorySegment.copy(
        twin(array).getSegment(),
        element * first,
        array.getSegment(),
        element * first,
        element * count);
  }

  long bytes() {
    return twins.values().stream().mapToLong(twin -> twin.getSegment().byteSize()).sum();
  }

  void free() {
    twins.clear();
  }
}
