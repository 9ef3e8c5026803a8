package dev.muninn.vector;

import dev.muninn.BackendContract;
import dev.muninn.backend.Backend;
import dev.muninn.model.RecurrentModel;
import dev.muninn.weights.Checkpoint;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;

/** The contract on the CPU. That more threads give the same bits, {@link VectorRowsTest} says. */
class VectorContractTest {
  @Tag("without-c2")
  @Nested
  class OneThread extends BackendContract {
    @Override
    protected Backend open(RecurrentModel model, Checkpoint checkpoint) {
      return new VectorBackendProvider().open(model, checkpoint, 1);
    }

    @Override
    protected float tolerance() {
      return 1e-4f;
    }
  }

  @Nested
  class TwoThreads extends BackendContract {
    @Override
    protected Backend open(RecurrentModel model, Checkpoint checkpoint) {
      return new VectorBackendProvider().open(model, checkpoint, 2);
    }

    @Override
    protected float tolerance() {
      return 1e-4f;
    }
  }
}
