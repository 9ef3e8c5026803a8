package dev.muninn.prepare;

import dev.muninn.backend.Backend;
import dev.muninn.cache.KeyValueLayout;
import dev.muninn.cache.SlotPolicy;
import dev.muninn.decode.InitialState;
import dev.muninn.decode.SequenceForward;
import dev.muninn.family.ModelFamilies;
import dev.muninn.model.RecurrentModel;
import dev.muninn.weights.Checkpoint;
import java.nio.file.Path;
import java.util.function.BooleanSupplier;

/** A model of a directory, and its weights. */
record OpenModel(Checkpoint checkpoint, RecurrentModel model) implements AutoCloseable {
  static OpenModel open(Path directory) {
    Checkpoint checkpoint = Checkpoint.open(directory);
    try {
      return new OpenModel(checkpoint, ModelFamilies.load(directory, checkpoint));
    } catch (RuntimeException | Error problem) {
      checkpoint.close();
      throw problem;
    }
  }

  /** An empty sequence that starts from random states. */
  SequenceForward sequence(
      Backend backend, int recurrence, int tokens, int mostRows, BooleanSupplier cancelled) {
    KeyValueLayout layout = new KeyValueLayout(model, SlotPolicy.full(), recurrence, tokens);
    return new SequenceForward(
        backend, layout, recurrence, mostRows, InitialState.random(0), cancelled);
  }

  @Override
  public void close() {
    checkpoint.close();
  }
}
