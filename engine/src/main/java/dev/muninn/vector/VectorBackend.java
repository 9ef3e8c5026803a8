package dev.muninn.vector;

import dev.muninn.backend.Backend;
import dev.muninn.backend.ComputeDevice;
import dev.muninn.backend.LatentRows;
import dev.muninn.cache.KeyValueLayout;
import dev.muninn.cache.KeyValueStore;
import dev.muninn.model.RavenWeights;
import java.time.Duration;

/** One model on the CPU: its weights in place, a thread team, the rotary tables. */
final class VectorBackend implements Backend {
  /** What a small model needs for a few tokens, from a cold start. */
  private static final Duration SHORT_ANSWER = Duration.ofMillis(400);

  /** How long opening a large model waits for kernels; an idle machine is done sooner. */
  private static final Duration PATIENCE = Duration.ofMillis(1400);

  private final ComputeDevice device;
  private final RavenWeights weights;
  private final ThreadTeam team;
  private final RotaryTable rotary;

  VectorBackend(ComputeDevice device, RavenWeights weights, int threads) {
    this.device = device;
    this.weights = weights;
    WarmUp.begin(weights.adapter().dtype(), isLarge() ? Duration.ZERO : SHORT_ANSWER);
    this.rotary = new RotaryTable(weights.config());
    this.team = new ThreadTeam(threads);
  }

  @Override
  public ComputeDevice device() {
    return device;
  }

  @Override
  public String description() {
    String shortfall = WarmUp.shortfall();
    return "vector ("
        + (shortfall == null ? 32 * Lanes.COUNT + " bit" : "scalar code: " + shortfall)
        + "), "
        + team.size()
        + (team.size() == 1 ? " thread" : " threads");
  }

  /** Only large models wait: a small one has answered before the vector kernels are compiled. */
  @Override
  public void prepare() {
    if (isLarge()) {
      WarmUp.await(PATIENCE);
    }
  }

  private boolean isLarge() {
    return VectorRows.isMuch(weights.config(), 1);
  }

  @Override
  public KeyValueStore allocate(KeyValueLayout layout) {
    rotary.extend(layout.capacity());
    return new VectorStore(layout);
  }

  @Override
  public LatentRows rows(int capacity) {
    return new VectorRows(weights, team, rotary, capacity);
  }

  @Override
  public void close() {
    team.close();
  }
}
