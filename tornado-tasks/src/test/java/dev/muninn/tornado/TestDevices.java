package dev.muninn.tornado;

import dev.muninn.backend.Backend;
import dev.muninn.backend.ComputeDevice;
import dev.muninn.model.RavenWeights;
import java.util.List;

/** TornadoVM's devices, or without TornadoVM the one of its stand-in. */
public final class TestDevices {
  private TestDevices() {}

  /** Sets the runtime up, before any of its classes loads. */
  public static List<ComputeDevice> all() {
    return InstalledRuntime.get().devices();
  }

  /** Opens a model on the first device. */
  static Backend open(RavenWeights weights) {
    return InstalledRuntime.get().open(weights, all().getFirst());
  }
}
