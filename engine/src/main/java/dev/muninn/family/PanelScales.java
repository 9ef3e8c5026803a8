package dev.muninn.family;

import dev.muninn.model.WeightFormat;
import dev.muninn.weights.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * Looks for scales that are not finite. One of them makes every logit NaN, and nobody would find
 * out which.
 */
final class PanelScales {
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** The exponents of four numbers of BF16, which are all ones where a number is not finite. */
  private static final long EXPONENTS = 0x7F80_7F80_7F80_7F80L;

  private static final long ONES = 0x0080_0080_0080_0080L;
  private static final long CARRIES = 0x8000_8000_8000_8000L;

  private static final int SCALE_BYTES = Short.BYTES * PanelTensor.PANEL;

  /** Smaller tensors are looked through faster than other threads are woken. */
  private static final long LARGE = 1 << 24;

  private PanelScales() {}

  /** What is wrong with a tensor's scales, in words; empty if they are finite. */
  static Optional<String> problem(Tensor tensor, MemorySegment data, PanelTensor panels) {
    if (panels.format() == WeightFormat.BF16_PANELS) {
      return Optional.empty();
    }
    IntStream all = IntStream.range(0, panels.panels());
    return (data.byteSize() > LARGE ? all.parallel() : all)
        .filter(panel -> blockNotFinite(data, panels, panel) >= 0).findFirst().stream()
            .mapToObj(panel ->
                "%s has a scale that is not finite in panel %d, block %d"
                    .formatted(tensor.name(), panel, blockNotFinite(data, panels, panel)))
            .findFirst();
  }

  private static int blockNotFinite(MemorySegment data, PanelTensor panels, int panel) {
    int blocks = panels.blocks();
    int size = panels.format().blockBytes();
    long at = panel * panels.panelBytes() + size - SCALE_BYTES;
    for (int block = 0; block < blocks; block++, at += size) {
      long found = 0;
      for (int i = 0; i < SCALE_BYTES; i += Long.BYTES) {
        found |= (data.get(LONG, at + i) & EXPONENTS) + ONES;
      }
      if ((found & CARRIES) != 0) {
        return block;
      }
    }
    return -1;
  }
}
