package dev.muninn.cache;

import dev.muninn.model.RecurrentModel;
import java.util.Objects;

/**
 * The layout of a sequence's keys and values. A plane holds the keys, or the values, of one block
 * at one slot: prelude blocks first, then (slot, recurrent block), then coda blocks.
 *
 * @param model whose keys and values they are
 * @param policy maps recurrences to slots
 * @param recurrences most recurrences a position may have
 * @param capacity most positions
 * @param type how the numbers are stored
 */
public record KeyValueLayout(
    RecurrentModel model, SlotPolicy policy, int recurrences, int capacity, KeyValueType type) {

  /** Both halves of a plane are counted in an int. */
  private static final int MOST_PLANES = Integer.MAX_VALUE / 2;

  private static final double MOST_BYTES = 0x1p62;

  public KeyValueLayout {
    Objects.requireNonNull(model, "model");
    Objects.requireNonNull(policy, "policy");
    Objects.requireNonNull(type, "type");
    if (recurrences < 1 || capacity < 1) {
      throw new IllegalArgumentException(
          "a cache needs recurrences and positions, not " + recurrences + " and " + capacity);
    }
    long planes = countPlanes(model, policy, recurrences);
    if (planes > MOST_PLANES
        || 2.0
                * planes
                * type.rows(capacity)
                * model.keyValueHeads()
                * type.rowBytes(model.headSize())
            > MOST_BYTES) {
      throw new IllegalArgumentException(
          "a cache of "
              + recurrences
              + " recurrences and "
              + capacity
              + " positions is larger than any memory");
    }
  }

  /** Keys and values in F32. */
  public KeyValueLayout(RecurrentModel model, SlotPolicy policy, int recurrences, int capacity) {
    this(model, policy, recurrences, capacity, KeyValueType.F32);
  }

  /** Number of planes. */
  public int planes() {
    return (int) countPlanes(model, policy, recurrences);
  }

  private static long countPlanes(RecurrentModel model, SlotPolicy policy, int recurrences) {
    return model.prelude().size()
        + (long) policy.slots(recurrences) * model.core().blocks().size()
        + model.coda().blocks().size();
  }

  /** Plane of a prelude block. */
  public int preludePlane(int block) {
    return block;
  }

  /** Plane of a recurrent block at a slot. */
  public int recurrentPlane(int slot, int block) {
    return model.prelude().size() + slot * model.core().blocks().size() + block;
  }

  /** Plane of a coda block. */
  public int codaPlane(int block) {
    return planes() - model.coda().blocks().size() + block;
  }

  /** Bytes of the keys, or the values, of one position in one plane. */
  public long rowBytes() {
    return (long) model.keyValueHeads() * type.rowBytes(model.headSize());
  }

  /** Bytes of the keys and values of all positions. */
  public long bytes() {
    return bytes(capacity);
  }

  /** Bytes of the keys and values of some positions. */
  public long bytes(int positions) {
    return 2L * planes() * type.rows(positions) * rowBytes();
  }

  /** Bytes for r recurrences and a context length, every recurrence kept, in F32. */
  public static long bytes(RecurrentModel model, int recurrence, int contextLength) {
    return new KeyValueLayout(model, SlotPolicy.full(), recurrence, contextLength).bytes();
  }
}
