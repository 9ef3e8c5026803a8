package dev.muninn.tornado;

import dev.muninn.tornado.kernel.SlotKernels;
import java.lang.foreign.MemorySegment;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.enums.DataTransferMode;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * What the host writes to row slots, and what it says of the rows of the recurrent block:
 * collected, and sent by a graph of its own.
 */
final class RowWriter {
  /** Vectors of an execution. */
  private static final int CAPACITY = 8;

  final TaskGraph graph = new TaskGraph("rowWriter");
  private final FloatArray staged;
  private final IntArray targets = new IntArray(1 + 2 * CAPACITY);
  private final int width;
  private int count;

  RowWriter(FunctionGraph.Shared shared) {
    width = shared.model().width();
    staged = new FloatArray(CAPACITY * width);
    targets.set(0, 0);
    graph.transferToDevice(
        DataTransferMode.EVERY_EXECUTION, targets, staged, shared.sentRows().data());
    graph.transferToDevice(DataTransferMode.UNDER_DEMAND, shared.onDevice());
    graph.task(
        "write",
        SlotKernels::write,
        new KernelContext(),
        targets,
        staged,
        shared.latents(),
        shared.embeddings(),
        width);
    int lanes = shared.schedule().group();
    graph.task(
        "describe",
        SlotKernels::describe,
        new KernelContext(),
        shared.sentRows().data(),
        shared.coreRows(),
        lanes);
    graph.transferToHost(DataTransferMode.UNDER_DEMAND, shared.latents(), shared.embeddings());
    Schedule.lay(shared.grids(), "rowWriter.write", width, 1, 1);
    Schedule.lay(shared.grids(), "rowWriter.describe", 1, lanes, lanes);
  }

  boolean isEmpty() {
    return count == 0;
  }

  boolean isFull() {
    return count == CAPACITY;
  }

  /** Says how many vectors the next execution writes; then there are none. */
  void finish() {
    targets.set(0, count);
    count = 0;
  }

  /** Adds a vector for a row slot: its e, or its s. */
  void add(int slot, boolean embedding, float[] vector) {
    MemorySegment.copy(
        vector,
        0,
        staged.getSegment(),
        java.lang.foreign.ValueLayout.JAVA_FLOAT,
        4L * count * width,
        width);
    targets.set(1 + 2 * count, slot);
    targets.set(2 + 2 * count, embedding ? 1 : 0);
    count++;
  }
}
