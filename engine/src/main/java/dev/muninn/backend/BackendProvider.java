package dev.muninn.backend;

import dev.muninn.model.RecurrentModel;
import dev.muninn.weights.Checkpoint;
import java.util.List;

/** Makes a backend; found by {@link java.util.ServiceLoader}. */
public interface BackendProvider {

  /** The name that a user chooses it by. */
  String name();

  /**
   * The devices that it can compute on here, the one that it would choose first.
   *
   * @throws BackendException if what it computes by is not there
   */
  List<ComputeDevice> devices();

  /**
   * Opens a backend on a model.
   *
   * @param model what to compute
   * @param checkpoint has the files that the matrices stand in, mapped until the backend is closed
   * @param threads threads that compute on the host, the caller's among them, at least 1
   * @param device one of {@link #devices}
   * @throws DeviceMemoryException if the device has no room for the model
   * @throws BackendException if the device fails
   */
  Backend open(RecurrentModel model, Checkpoint checkpoint, int threads, ComputeDevice device);

  /**
   * Opens a backend on the device that it would choose.
   *
   * @throws BackendException if there is none
   */
  default Backend open(RecurrentModel model, Checkpoint checkpoint, int threads) {
    List<ComputeDevice> devices = devices();
    if (devices.isEmpty()) {
      throw new BackendException("the backend " + name() + " finds no device here");
    }
    return open(model, checkpoint, threads, devices.getFirst());
  }
}
