package dev.muninn.vector;

import static dev.muninn.kernel.Lanes.COUNT;
import static dev.muninn.kernel.Lanes.INTS;
import static java.nio.ByteOrder.LITTLE_ENDIAN;
import static jdk.incubator.vector.VectorOperators.LSHL;

import dev.muninn.model.WeightFormat;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.IntVector;

/**
 * Products of panels whose weights lie in blocks of 32 inputs, which share a scale. An output is
 * {@code fma(block's sum, scale, sum)}, block by block.
 */
abstract class BlockProducts extends PanelProducts {
  /** Regions that are read in turn, so that memory is ahead of the arithmetic in each. */
  static final int TURNS = 4;

  /** Numbers of 16 bits that stand side by side, by two. */
  static final int PAIRS = 16;

  static final int ROWS = WeightFormat.PANEL_ROWS;
  private static final int INPUTS_OF_BLOCK = WeightFormat.BLOCK_INPUTS;

  /**
   * Bytes from the weights of four inputs to those of the next. Not a constant: where C2 knows the
   * step it makes a nest of counted loops, whose bounds cost as much as a block's arithmetic.
   */
  final long groupBytes;

  private final int blockBytes;

  BlockProducts(WeightFormat format) {
    super(format);
    this.blockBytes = format.blockBytes();
    this.groupBytes = ((long) blockBytes - Short.BYTES * ROWS) / (INPUTS_OF_BLOCK / 4);
  }

  @Override
  final int turns() {
    return ON_THE_WAY ? TURNS : 1;
  }

  @Override
  final void rows(
      MemorySegment weights,
      long offset,
      long far,
      int turns,
      int columns,
      PanelRows x,
      float[] sums,
      float[] widened) {
    int blocks = Math.ceilDiv(columns, INPUTS_OF_BLOCK);
    if (ON_THE_WAY) {
      addOnTheWay(weights, offset, far, turns, blocks, x, sums);
      return;
    }
    int most = INPUTS / INPUTS_OF_BLOCK;
    for (int first = 0; first < blocks; first += most) {
      int count = Math.min(most, blocks - first);
      long at = offset + (long) blockBytes * first;
      widen(weights, at, count, widened);
      for (int block = 1; block <= count; block++) {
        long scales = at + (long) blockBytes * block - Short.BYTES * ROWS;
        widenScales(weights, scales, widened, PanelTiles.SCALES + ROWS * (block - 1));
      }
      addAllBlocks(widened, first, count, x, sums);
    }
  }

  /**
   * Widens the weights of some blocks to [inputs][32 rows], bits where they are.
   *
   * <p>A loop over the groups of one block would be so short that its bounds cost as much as it.
   */
  abstract void widen(MemorySegment weights, long offset, int blocks, float[] widened);

  /** Widens 32 scales. */
  private static void widenScales(MemorySegment weights, long offset, float[] widened, int to) {
    for (int pair = 0; pair < PAIRS; pair += COUNT) {
      IntVector s = IntVector.fromMemorySegment(INTS, weights, offset + 4L * pair, LITTLE_ENDIAN);
      s.lanewise(LSHL, 16).reinterpretAsFloats().intoArray(widened, to + pair);
      s.and(0xFFFF0000).reinterpretAsFloats().intoArray(widened, to + pair + PAIRS);
    }
  }

  /** Adds products of blocks as they are to all rows. */
  private void addOnTheWay(
      MemorySegment weights,
      long offset,
      long far,
      int turns,
      int blocks,
      PanelRows x,
      float[] sums) {
    int apart = ROWS * PanelRows.places(x.rows());
    int group = 0;
    for (; group < x.groups() - 1; group += 2) {
      add8(weights, offset, far, turns, blocks, x, group, sums, apart);
    }
    if (group < x.groups()) {
      add4(weights, offset, far, turns, blocks, x, group, sums, apart);
    }
  }

  /**
   * Adds the products of some panels, as they are, to the sums of 4 rows, on vectors of 16 lanes.
   * Of every panel a block is read, then of every panel the next.
   *
   * @param offset byte offset of the first panel
   * @param far bytes from one panel to the next
   * @param turns how many panels
   * @param group of rows
   * @param sums of a panel's rows, 32 each
   * @param apart from the sums of one panel to those of the next
   */
  abstract void add4(
      MemorySegment weights,
      long offset,
      long far,
      int turns,
      int blocks,
      PanelRows x,
      int group,
      float[] sums,
      int apart);

  /** The same for the 8 rows of a group and the next. */
  abstract void add8(
      MemorySegment weights,
      long offset,
      long far,
      int turns,
      int blocks,
      PanelRows x,
      int group,
      float[] sums,
      int apart);

  /** Adds products of widened blocks to all rows. */
  private static void addAllBlocks(
      float[] widened, int first, int blocks, PanelRows x, float[] sums) {
    for (int group = 0; group < x.groups(); group++) {
      int to = ROWS * PanelRows.GROUP * group;
      for (int i = 0; i < ROWS; i += PanelTiles.STEP) {
        PanelTiles.addBlocks(
            widened,
            i,
            blocks,
            x.values,
            x.offset(group, INPUTS_OF_BLOCK * first),
            x.blockStarts,
            x.blockOffset(group, first),
            sums,
            to + i);
      }
    }
  }
}
