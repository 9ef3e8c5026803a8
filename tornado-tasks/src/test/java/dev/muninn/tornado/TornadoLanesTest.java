package dev.muninn.tornado;

import dev.muninn.FamilyContract;
import dev.muninn.backend.Backend;
import dev.muninn.model.RecurrentModel;
import dev.muninn.weights.Checkpoint;
import org.junit.jupiter.api.Tag;

/** Every family as a GPU computes it, a warp an item: {@code mvn verify -Dtests.excluded=}. */
@Tag("long")
class TornadoLanesTest extends FamilyContract {
  private static final int GPU_LANES = 32;

  /** In the stand-in each work-item is a thread. */
  private static final int JAVA_LANES = 2;

  @Override
  protected Backend open(RecurrentModel model, Checkpoint checkpoint) {
    boolean standIn = TestDevices.isStandIn(TestDevices.find(TestDevices.all().getFirst()));
    return TestDevices.open(model, checkpoint, standIn ? JAVA_LANES : GPU_LANES);
  }

  @Override
  protected float tolerance() {
    return 1e-4f;
  }
}
