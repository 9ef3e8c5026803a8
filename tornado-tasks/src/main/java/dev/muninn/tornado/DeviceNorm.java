package dev.muninn.tornado;

import dev.muninn.model.Norm;
import java.util.Optional;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/**
 * A norm as kernels take it, or none.
 *
 * @param present whether there is one
 * @param array its scale, and behind it its epsilon, [width + 1]; a dummy for none
 */
record DeviceNorm(boolean present, FloatArray array) {
  /** No norm. */
  static final DeviceNorm NONE = new DeviceNorm(false, new FloatArray(1));

  static DeviceNorm of(Optional<Norm> norm) {
    return norm.map(DeviceNorm::of).orElse(NONE);
  }

  private static DeviceNorm of(Norm norm) {
    FloatArray array = new FloatArray(norm.size() + 1);
    for (int i = 0; i < norm.size(); i++) {
      array.set(i, norm.scale()[i]);
    }
    array.set(norm.size(), norm.epsilon());
    return new DeviceNorm(true, array);
  }
}
