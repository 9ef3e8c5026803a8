package dev.muninn.cache;

import dev.muninn.model.RavenConfig;
import java.util.Objects;

/**
 * What a sequence's keys and values are stored for. A plane holds the keys, or the values, of one
 * block at one slot: prelude blocks first, then (slot, recurrent block), then coda blocks.
 *
 * @param config the model's shape
 * @param policy maps recurrences to slots
 * @param recurrences most recurrences a position may have
 * @param capacity most positions
 * @param type how the numbers are stored
 */
public record KeyValueLayout(
    RavenConfig config, SlotPolicy policy, int recurrences, int capacity, KeyValueType type) {

  /** Both halves of a plane are counted in an int. */
  private static final int MOST_PLANES = Integer.MAX_VALUE / 2;

  private static final double MOST_BYTES = 0x1p62;

  public KeyValueLayout {
    Objects.requireNonNull(config, "config");
    Objects.requireNonNull(policy, "policy");
    Objects.requireNonNull(type, "type");
    if (recurrences < 1 || capacity < 1) {
      throw new IllegalArgumentException(
          "a cache needs recurrences and positions, not " + recurrences + " and " + capacity);
    }
    long planes = countPlanes(config, policy, recurrences);
    if (planes > MOST_PLANES
        || 2.0 * planes * capacity * config.embeddingSize() * type.bytes() > MOST_BYTES) {
      throw new IllegalArgumentException(
          "a cache of "
              + recurrences
              + " recurrences and "
              + capacity
              + " positions is larger than any memory");
    }
  }

  /** Keys and values in F32. */
  public KeyValueLayout(RavenConfig config, SlotPolicy policy, int recurrences, int capacity) {
    this(config, policy, recurrences, capacity, KeyValueType.F32);
  }

  /** Number of planes. */
  public int planes() {
    return (int) countPlanes(config, policy, recurrences);
  }

  private static long countPlanes(RavenConfig config, SlotPolicy policy, int recurrences) {
    return config.preludeLayers()
        + (long) policy.slots(recurrences) * config.recurrentLayers()
        + config.codaLayers();
  }

  /** Plane of a prelude block. */
  public int preludePlane(int block) {
    return block;
  }

  /** Plane of a recurrent block at a slot. */
  public int recurrentPlane(int slot, int block) {
    return config.preludeLayers() + slot * config.recurrentLayers() + block;
  }

  /** Plane of a coda block. */
  public int codaPlane(int block) {
    return planes() - config.codaLayers() + block;
  }

  /** Bytes of the keys and values of all positions. */
  public long bytes() {
    return 2L * planes() * capacity * config.embeddingSize() * type.bytes();
  }

  /** Bytes for r recurrences and a context length, every recurrence kept, in F32. */
  public static long bytes(RavenConfig config, int recurrence, int contextLength) {
    return new KeyValueLayout(config, SlotPolicy.full(), recurrence, contextLength).bytes();
  }
}
