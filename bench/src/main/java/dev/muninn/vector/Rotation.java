package dev.muninn.vector;

import dev.muninn.measure.RandomValues;
import dev.muninn.weights.DType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/**
 * Operands that are used in turn. Where they are together far larger than the caches, each has left
 * them when its turn comes again.
 */
final class Rotation<T> {
  private final List<T> operands;
  private int next;

  private Rotation(List<T> operands) {
    this.operands = operands;
  }

  /**
   * As many random operands as reach a size, at least one.
   *
   * @param bytes size of one
   * @param all size of all together
   * @param operand makes an operand of its memory
   */
  static <T> Rotation<T> of(DType dtype, long bytes, long all, Function<MemorySegment, T> operand) {
    long count = Math.ceilDiv(Math.max(all, bytes), bytes);
    MemorySegment memory = Arena.ofAuto().allocate(count * bytes, 64);
    RandomValues.fill(memory, dtype, 1, 0);
    List<T> operands = new ArrayList<>();
    for (long i = 0; i < count; i++) {
      operands.add(operand.apply(memory.asSlice(i * bytes, bytes)));
    }
    return new Rotation<>(operands);
  }

  T next() {
    next = next + 1 == operands.size() ? 0 : next + 1;
    return operands.get(next);
  }
}
