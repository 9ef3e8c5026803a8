package dev.muninn.tornado.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/** How rows go on from recurrence to recurrence, on the device as on the host. */
class SlotKernelsTest extends KernelFixture {
  private static final int SIZE = new RowTable(MOST_ROWS, CONTEXT).data().getSize();

  /** Three rows of one to three runs. */
  private static RowTable stepping() {
    RowTable rows = new RowTable(MOST_ROWS, CONTEXT);
    for (int row = 0; row < ROWS; row++) {
      rows.add(row, 5 + row, 100 * row, CacheFormat.BF16_UNITS, 7 + row);
      for (int run = 0; run <= row; run++) {
        rows.addRun(2 * run, 1000 * run, run == 0 ? -3 : 11 * run);
      }
    }
    return rows;
  }

  private static KernelRun.Output output(RowTable table, RowTable before) {
    return new KernelRun.Output(
        table.data(), SIZE, () -> table.copyFrom(before), i -> (float) table.data().get(i));
  }

  @Test
  void theDeviceTakesTheStepsOfTheHost() {
    RowTable before = stepping();
    RowTable after = stepping();
    after.advance();
    RowTable table = stepping();
    KernelRun.check(
        MOST_ROWS,
        new Object[] {table.data()},
        output(table, before),
        i -> (float) after.data().get(i),
        0,
        (context, lanes) -> SlotKernels.advance(context, table.data(), MOST_ROWS),
        (graph, context, lanes) ->
            graph.task("kernel", SlotKernels::advance, context, table.data(), MOST_ROWS));
  }

  @Test
  void whatIsSentOfRowsIsCopied() {
    RowTable before = new RowTable(MOST_ROWS, CONTEXT);
    RowTable table = new RowTable(MOST_ROWS, CONTEXT);
    RowTable sent = stepping();
    IntArray data = sent.data();
    KernelRun.check(
        1,
        new Object[] {data, table.data()},
        output(table, before),
        i -> i < data.get(RowTable.LENGTH) ? (float) data.get(i) : 0f,
        0,
        (context, lanes) -> SlotKernels.describe(context, data, table.data(), lanes),
        (graph, context, lanes) ->
            graph.task("kernel", SlotKernels::describe, context, data, table.data(), lanes));
  }

  @Test
  void stepsAreWorkedOutAsTheNextRecurrenceWouldBeDescribed() {
    RowTable table = stepping();
    assertTrue(table.describes(stepping()));
    table.advance();
    assertFalse(table.describes(stepping()));
    assertEquals(7, table.data().get(RowTable.cacheUnits(MOST_ROWS)));
    assertEquals(1000 + 11, table.data().get(RowTable.runs(MOST_ROWS) + 2 * RowTable.RUN + 1));
    RowTable copy = new RowTable(MOST_ROWS, CONTEXT);
    copy.copyFrom(table);
    assertTrue(copy.describes(table));
  }

  /** Whatever is said of rows but their steps tells them from others. */
  @ParameterizedTest
  @ValueSource(strings = {"slot", "position", "unit", "units", "run", "base", "runs", "rows"})
  void otherRowsAreFound(String what) {
    RowTable one = row(1, 5, 40, 2, 0, 3, rows -> {});
    assertTrue(one.describes(row(1, 5, 40, 2, 0, 3, rows -> {})));
    RowTable other =
        switch (what) {
          case "slot" -> row(2, 5, 40, 2, 0, 3, rows -> {});
          case "position" -> row(1, 6, 40, 2, 0, 3, rows -> {});
          case "unit" -> row(1, 5, 41, 2, 0, 3, rows -> {});
          case "units" -> row(1, 5, 40, 1, 0, 3, rows -> {});
          case "run" -> row(1, 5, 40, 2, 1, 3, rows -> {});
          case "base" -> row(1, 5, 40, 2, 0, 4, rows -> {});
          case "runs" -> row(1, 5, 40, 2, 0, 3, rows -> rows.addRun(2, 3));
          default -> row(1, 5, 40, 2, 0, 3, rows -> rows.add(1, 5, 40, 2));
        };
    assertFalse(one.describes(other));
    assertFalse(other.describes(one));
  }

  private static RowTable row(
      int slot, int position, int unit, int units, int start, int base, Consumer<RowTable> more) {
    RowTable rows = new RowTable(MOST_ROWS, CONTEXT);
    rows.add(slot, position, unit, units, 9);
    rows.addRun(start, base, 9);
    more.accept(rows);
    return rows;
  }
}
