package dev.muninn.vector;

import dev.muninn.backend.Backend;
import dev.muninn.backend.BackendProvider;
import dev.muninn.backend.Backends;
import dev.muninn.backend.ComputeDevice;
import dev.muninn.backend.MatrixInputs;
import dev.muninn.kernel.Lanes;
import dev.muninn.model.RecurrentModel;
import dev.muninn.weights.Checkpoint;
import java.util.List;

/** The CPU by the Vector API. */
public final class VectorBackendProvider implements BackendProvider {

  @Override
  public String name() {
    return Backends.VECTOR;
  }

  @Override
  public List<ComputeDevice> devices() {
    String vectors = System.getProperty("os.arch") + ", vectors of " + 32 * Lanes.COUNT + " bits";
    return List.of(new ComputeDevice(name(), "cpu", vectors, ComputeDevice.Kind.CPU, 0));
  }

  @Override
  public Backend open(
      RecurrentModel model, Checkpoint checkpoint, int threads, ComputeDevice device) {
    return new VectorBackend(device, model, threads, null);
  }

  /** A backend of one thread that shows what a model's matrices are multiplied with. */
  public Backend open(RecurrentModel model, MatrixInputs inputs) {
    return new VectorBackend(devices().getFirst(), model, 1, inputs);
  }
}
