package dev.muninn.backend;

import dev.muninn.model.RavenWeights;

/** Makes a backend; found by {@link java.util.ServiceLoader}. */
public interface BackendProvider {

  /** The name that a user chooses it by. */
  String name();

  /**
   * Opens a backend on a model's weights.
   *
   * @param weights stay mapped until the backend is closed
   * @param threads threads that compute on the host, the caller's among them, at least 1
   */
  Backend open(RavenWeights weights, int threads);
}
