package dev.muninn.tornado.kernel;

import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/** What moves rows to and from their slots. */
public final class SlotKernels {
  private SlotKernels() {}

  /**
   * Writes vectors of the host to row slots. An item is a column.
   *
   * @param staged the vectors, [vectors, width]
   * @param targets their number, then for each its row slot, and 0 for s or 1 for e
   */
  public static void write(
      KernelContext context,
      IntArray targets,
      FloatArray staged,
      FloatArray latents,
      FloatArray embeddings,
      int width) {
    int column = context.globalIdx;
    int count = targets.get(0);
    for (int vector = 0; vector < count; vector++) {
      int to = targets.get(1 + 2 * vector) * width + column;
      float value = staged.get(vector * width + column);
      if (targets.get(2 + 2 * vector) == 0) {
        latents.set(to, value);
      } else {
        embeddings.set(to, value);
      }
    }
  }

  /**
   * Copies what a table of rows says. All lanes are those of one item.
   *
   * @param sent a {@link RowTable} that has come from the host
   * @param rows the table that the recurrent block reads
   */
  public static void describe(KernelContext context, IntArray sent, IntArray rows, int lanes) {
    int length = sent.get(RowTable.LENGTH);
    for (int i = context.globalIdx; i < length; i += lanes) {
      rows.set(i, sent.get(i));
    }
  }

  /** Takes each row's steps to its next recurrence. An item is a row. */
  public static void advance(KernelContext context, IntArray rows, int mostRows) {
    int row = context.globalIdx;
    if (row < rows.get(RowTable.ROWS)) {
      int unit = RowTable.cacheUnits(mostRows) + row;
      rows.set(unit, rows.get(unit) + rows.get(RowTable.steps(mostRows) + row));
      int begin = rows.get(RowTable.runBegins(mostRows) + row);
      int end = rows.get(RowTable.runEnds(mostRows) + row);
      for (int run = begin; run < end; run++) {
        int base = RowTable.runs(mostRows) + RowTable.RUN * run + 1;
        rows.set(base, rows.get(base) + rows.get(base + 1));
      }
    }
  }

  /**
   * Brings s and e of each row's slot side by side. An item is a row.
   *
   * @param latents s of every row slot, [slots, width]
   * @param embeddings e of every row slot, [slots, width]
   * @param target zeros between s and e, if it is wider than both, [rows, columns]
   */
  public static void gather(
      KernelContext context,
      IntArray rows,
      FloatArray latents,
      FloatArray embeddings,
      FloatArray target,
      int mostRows,
      int width,
      int columns,
      int lanes) {
    int row = context.globalIdx / lanes;
    int lane = context.globalIdx % lanes;
    if (row < rows.get(RowTable.ROWS)) {
      int from = rows.get(RowTable.slots(mostRows) + row) * width;
      int to = row * columns;
      for (int i = lane; i < width; i += lanes) {
        target.set(to + i, latents.get(from + i));
        target.set(to + columns - width + i, embeddings.get(from + i));
      }
      for (int i = width + lane; i < columns - width; i += lanes) {
        target.set(to + i, 0);
      }
    }
  }
}
