package dev.muninn.tornado;

import dev.muninn.BackendContract;
import dev.muninn.backend.Backend;
import dev.muninn.model.RavenWeights;

/** The contract on the device that comes first. */
class TornadoContractTest extends BackendContract {
  @Override
  protected Backend open(RavenWeights weights) {
    return TestDevices.open(weights);
  }

  @Override
  protected float tolerance() {
    return 1e-4f;
  }
}
