package dev.muninn.tornado;

import dev.muninn.tornado.kernel.SlotKernels;
import java.lang.foreign.MemorySegment;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.enums.DataTransferMode;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/** The host's writes to row slots: collected, and sent by a graph of its own. */
final class RowWriter {
  /** Vectors of an execution. */
  private static final int CAPACITY = 8;

  final TaskGraph graph = new TaskGraph("rowWriter");
  private final FloatArray staged;
  private final IntArray targets = new IntArray(1 + 2 * CAPACITY);
  private final int width;

  RowWriter(FunctionGraph.Shared shared) {
    width = shared.model().width();
    staged = new FloatArray(CAPACITY * width);
    targets.set(0, 0);
    graph.transferToDevice(DataTransferMode.EVERY_EXECUTION, targets, staged);
    graph.transferToDevice(DataTransferMode.UNDER_DEMAND, shared.latents(), shared.embeddings());
    graph.task(
        "write",
        SlotKernels::write,
        new KernelContext(),
        targets,
        staged,
        shared.latents(),
        shared.embeddings(),
        width);
    graph.transferToHost(DataTransferMode.UNDER_DEMAND, shared.latents(), shared.embeddings());
    Schedule.lay(shared.grids(), "rowWriter.write", width, 1, 1);
  }

  boolean isEmpty() {
    return targets.get(0) == 0;
  }

  boolean isFull() {
    return targets.get(0) == CAPACITY;
  }

  void clear() {
    targets.set(0, 0);
  }

  /** Adds a vector for a row slot: its e, or its s. */
  void add(int slot, boolean embedding, float[] vector) {
    int index = targets.get(0);
    MemorySegment.copy(
        vector,
        0,
        staged.getSegment(),
        java.lang.foreign.ValueLayout.JAVA_FLOAT,
        4L * index * width,
        width);
    targets.set(1 + 2 * index, slot);
    targets.set(2 + 2 * index, embedding ? 1 : 0);
    targets.set(0, index + 1);
  }
}
