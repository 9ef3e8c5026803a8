package dev.muninn.vector;

import dev.muninn.FamilyContract;
import dev.muninn.backend.Backend;
import dev.muninn.model.RecurrentModel;
import dev.muninn.weights.Checkpoint;
import org.junit.jupiter.api.Nested;

class VectorFamilyTest {

  @Nested
  class OneThread extends FamilyContract {
    @Override
    protected Backend open(RecurrentModel model, Checkpoint checkpoint) {
      return new VectorBackendProvider().open(model, checkpoint, 1);
    }

    @Override
    protected float tolerance() {
      return 1e-4f;
    }
  }

  /** More threads than some families have heads of keys and values. */
  @Nested
  class ThreeThreads extends FamilyContract {
    @Override
    protected Backend open(RecurrentModel model, Checkpoint checkpoint) {
      return new VectorBackendProvider().open(model, checkpoint, 3);
    }

    @Override
    protected float tolerance() {
      return 1e-4f;
    }
  }

  @Nested
  class TwoThreads extends FamilyContract {
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
