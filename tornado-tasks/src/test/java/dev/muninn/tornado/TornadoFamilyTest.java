package dev.muninn.tornado;

import dev.muninn.FamilyContract;
import dev.muninn.backend.Backend;
import dev.muninn.model.RecurrentModel;
import dev.muninn.weights.Checkpoint;

/** Every family on the device that comes first. */
class TornadoFamilyTest extends FamilyContract {
  @Override
  protected Backend open(RecurrentModel model, Checkpoint checkpoint) {
    return TestDevices.open(model, checkpoint);
  }

  @Override
  protected float tolerance() {
    return 1e-4f;
  }
}
