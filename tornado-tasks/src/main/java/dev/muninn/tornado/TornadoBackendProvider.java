package dev.muninn.tornado;

import dev.muninn.backend.Backend;
import dev.muninn.backend.BackendException;
import dev.muninn.backend.BackendProvider;
import dev.muninn.backend.Backends;
import dev.muninn.backend.ComputeDevice;
import dev.muninn.model.RecurrentModel;
import dev.muninn.weights.Checkpoint;
import java.util.List;

/** Devices that TornadoVM knows. */
public final class TornadoBackendProvider implements BackendProvider {

  @Override
  public String name() {
    return Backends.TORNADO;
  }

  @Override
  public List<ComputeDevice> devices() {
    return runtime().devices();
  }

  @Override
  public Backend open(
      RecurrentModel model, Checkpoint checkpoint, int threads, ComputeDevice device) {
    return runtime().open(model, checkpoint, device);
  }

  /** No class of TornadoVM is touched before its runtime is known to be in this JVM. */
  private static InstalledRuntime runtime() {
    if (ModuleLayer.boot().findModule("tornado.runtime").isEmpty()) {
      throw new BackendException(
          "the backend "
              + Backends.TORNADO
              + " needs a JVM with TornadoVM: set TORNADOVM_HOME, and start muninn or Java with"
              + " the options of its tornado-argfile");
    }
    return InstalledRuntime.get();
  }
}
