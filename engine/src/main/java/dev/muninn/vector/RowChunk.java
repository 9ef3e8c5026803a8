package dev.muninn.vector;

import dev.muninn.backend.RowBatch;
import dev.muninn.cache.KeyValueLayout;
import dev.muninn.cache.SequenceCache;
import java.util.Arrays;

/**
 * The rows of one call that go through a part of the model together, and where each of them finds
 * the keys and values of the positions before it. Written before the team starts; only the coda
 * reduces the count meanwhile, between two barriers.
 */
final class RowChunk {

  /** The part that the rows go through. */
  enum Part {
    PRELUDE,
    CORE,
    CODA
  }

  Part part;
  RowBatch batch;

  /** Index in the batch of the chunk's first row. */
  int first;

  /** Rows that are still computed. */
  int count;

  // The slots where each row finds the positions before it, as runs of positions.
  private final int[] runStart;
  private final int[] runCount;
  private int[] runPosition = new int[0];
  private int[] runSlot = new int[0];

  RowChunk(int rows) {
    runStart = new int[rows];
    runCount = new int[rows];
  }

  void set(Part part, RowBatch batch, int first, int count) {
    this.part = part;
    this.batch = batch;
    this.first = first;
    this.count = count;
    findRuns();
  }

  private void findRuns() {
    int runs = 0;
    for (int row = 0; row < count; row++) {
      int position = position(row);
      if (runPosition.length < runs + position + 1) {
        int length = Math.max(2 * runPosition.length, runs + position + 1);
        runPosition = Arrays.copyOf(runPosition, length);
        runSlot = Arrays.copyOf(runSlot, length);
      }
      runStart[row] = runs;
      if (part == Part.CORE) {
        runCount[row] =
            sequence(row)
                .slotRuns(position, batch.recurrence(first + row), runPosition, runSlot, runs);
      } else {
        runPosition[runs] = 0;
        runSlot[runs] = 0;
        runCount[row] = 1;
      }
      runs += runCount[row];
    }
  }

  int slot(int row) {
    return batch.slot(first + row);
  }

  int token(int row) {
    return batch.token(first + row);
  }

  int position(int row) {
    return batch.position(first + row);
  }

  SequenceCache sequence(int row) {
    return batch.sequence(first + row);
  }

  /** Whether a row is read out. */
  boolean logits(int row) {
    return batch.logits(first + row);
  }

  /** Runs of neighbouring positions whose keys and values a row finds in the same slot. */
  int runs(int row) {
    return runCount[row];
  }

  /** First position of a row's run. */
  int runBegin(int row, int run) {
    return runPosition[runStart[row] + run];
  }

  /** The position behind a row's run. */
  int runEnd(int row, int run) {
    return run + 1 < runCount[row] ? runPosition[runStart[row] + run + 1] : position(row) + 1;
  }

  /** The plane of a block that has the keys and values of a row's run. */
  int runPlane(int row, int run, int block) {
    return plane(sequence(row).layout(), runSlot[runStart[row] + run], block);
  }

  /** The plane of a block that a row stores its keys and values in. */
  int ownPlane(int row, int block) {
    KeyValueLayout layout = sequence(row).layout();
    return plane(layout, layout.policy().slot(batch.recurrence(first + row)), block);
  }

  private int plane(KeyValueLayout layout, int slot, int block) {
    return switch (part) {
      case PRELUDE -> layout.preludePlane(block);
      case CORE -> layout.recurrentPlane(slot, block);
      case CODA -> layout.codaPlane(block);
    };
  }
}
