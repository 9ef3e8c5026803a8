package dev.muninn.vector;

import dev.muninn.backend.Backend;
import dev.muninn.backend.BackendProvider;
import dev.muninn.model.RavenWeights;

/** The CPU by the Vector API. */
public final class VectorBackendProvider implements BackendProvider {

  @Override
  public String name() {
    return "vector";
  }

  @Override
  public Backend open(RavenWeights weights, int threads) {
    return new VectorBackend(weights, threads);
  }
}
