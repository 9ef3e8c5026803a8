package dev.muninn.vector;

import dev.muninn.backend.Backend;
import dev.muninn.backend.ComputeDevice;
import dev.muninn.backend.DeviceLimits;
import dev.muninn.backend.LatentRows;
import dev.muninn.backend.MatrixInputs;
import dev.muninn.cache.KeyValueLayout;
import dev.muninn.cache.KeyValueStore;
import dev.muninn.kernel.Lanes;
import dev.muninn.kernel.RotaryTable;
import dev.muninn.kernel.ThreadTeam;
import dev.muninn.model.Block;
import dev.muninn.model.RecurrentModel;
import dev.muninn.model.Rotary;
import dev.muninn.model.WeightFormat;
import java.time.Duration;
import java.util.IdentityHashMap;
import java.util.Map;

/** One model on the CPU: its weights in place, a thread team, the rotary tables. */
final class VectorBackend implements Backend {
  /** What a small model needs for a few tokens, from a cold start. */
  private static final Duration SHORT_ANSWER = Duration.ofMillis(300);

  /** How long opening a large model waits for kernels; an idle machine is done sooner. */
  private static final Duration PATIENCE = Duration.ofMillis(1400);

  private final ComputeDevice device;
  private final RecurrentModel model;
  private final ThreadTeam team;
  private final MatrixInputs inputs;
  private final Map<Rotary, RotaryTable> rotary = new IdentityHashMap<>();

  /**
   * Takes a model.
   *
   * @param inputs is shown what matrices are multiplied with, or null
   */
  VectorBackend(ComputeDevice device, RecurrentModel model, int threads, MatrixInputs inputs) {
    this.device = device;
    this.model = model;
    this.inputs = inputs;
    for (WeightFormat format : model.matrixFormats()) {
      WarmUp.begin(format, isLarge() ? Duration.ZERO : SHORT_ANSWER);
    }
    for (Block block : model.blocks()) {
      Rotary positions = block.attention().rotary();
      if (!rotary.containsKey(positions)) {
        rotary.put(positions, new RotaryTable(positions));
      }
    }
    this.team = new ThreadTeam(threads);
  }

  @Override
  public ComputeDevice device() {
    return device;
  }

  @Override
  public DeviceLimits measureLimits() {
    return MachineLimits.measure(team.size());
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
    return VectorRows.isLarge(model);
  }

  @Override
  public KeyValueStore allocate(KeyValueLayout layout) {
    for (RotaryTable table : rotary.values()) {
      table.extend(layout.capacity());
    }
    return new VectorStore(layout);
  }

  @Override
  public LatentRows rows(int capacity) {
    return new VectorRows(model, team, rotary, capacity, inputs);
  }

  @Override
  public void close() {
    team.close();
  }
}
