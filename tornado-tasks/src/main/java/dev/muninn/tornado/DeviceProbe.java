package dev.muninn.tornado;

import dev.muninn.backend.BackendException;
import dev.muninn.backend.DeviceLimits;
import dev.muninn.kernel.NativeMemory;
import dev.muninn.tornado.kernel.ProbeKernels;
import dev.muninn.tornado.kernel.ProductKernels;
import dev.muninn.tornado.kernel.RowTable;
import dev.muninn.tornado.kernel.WeightFormat;
import java.lang.foreign.Arena;
import uk.ac.manchester.tornado.api.GridScheduler;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.TornadoExecutionPlan;
import uk.ac.manchester.tornado.api.common.TornadoDevice;
import uk.ac.manchester.tornado.api.enums.DataTransferMode;
import uk.ac.manchester.tornado.api.enums.TornadoDeviceType;
import uk.ac.manchester.tornado.api.exceptions.TornadoExecutionPlanException;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;
import uk.ac.manchester.tornado.api.types.arrays.TornadoNativeArray;

/**
 * Measures what a device reaches: in copying floats, each of which is read and written, and in a
 * product of floats by as many rows as an execution takes.
 *
 * @param floats that are copied
 * @param side inputs and outputs of the product
 * @param span nanoseconds that each is timed for
 */
record DeviceProbe(TornadoDevice device, Schedule schedule, int floats, int side, long span) {
  private static final int ROWS = DeviceModel.MOST_ROWS;

  /** In sizes that leave caches behind, if the device allocates as much. */
  static DeviceProbe of(TornadoDevice device, Schedule schedule) {
    boolean slow = device.getDeviceType() == TornadoDeviceType.CPU;
    long most = Math.min(slow ? 1 << 25 : 1 << 27, device.getMaxAllocMemory() / 8);
    return new DeviceProbe(device, schedule, (int) most, slow ? 1024 : 4096, 200_000_000);
  }

  DeviceLimits measure() {
    try (Arena arena = Arena.ofShared()) {
      return new DeviceLimits(
          8.0 * floats / copyNanos(arena) * 1e9,
          2.0 * ROWS * side * side / productNanos(arena) * 1e9);
    }
  }

  private static FloatArray array(long size, Arena arena) {
    return FloatArray.fromSegmentShallow(
        NativeMemory.allocate(TornadoNativeArray.ARRAY_HEADER + 4 * size, arena));
  }

  private double copyNanos(Arena arena) {
    FloatArray source = array(floats, arena);
    FloatArray target = array(floats, arena);
    TaskGraph graph = new TaskGraph("probe");
    graph.transferToDevice(DataTransferMode.UNDER_DEMAND, source, target);
    graph.task("copy", ProbeKernels::copyFloats, new KernelContext(), source, target, floats);
    return nanos(graph, "copy", floats, 1);
  }

  private double productNanos(Arena arena) {
    RowTable rows = new RowTable(ROWS, ROWS);
    rows.clear();
    for (int row = 0; row < ROWS; row++) {
      rows.add(row, 0, 0, 1);
    }
    FloatArray input = array((long) ROWS * side, arena);
    FloatArray target = array((long) ROWS * side, arena);
    FloatArray table = WeightFormat.table();
    // Zeros: whatever the memory held might be numbers that take longer.
    FloatArray weights = array((long) side * side, arena);
    weights.init(0);
    input.init(0);
    IntArray none = new IntArray(1);
    TaskGraph graph = new TaskGraph("probe");
    graph.transferToDevice(
        DataTransferMode.FIRST_EXECUTION, rows.data(), table, weights, none, input);
    graph.transferToDevice(DataTransferMode.UNDER_DEMAND, target);
    ProductTask.add(
        graph,
        "product",
        schedule,
        rows.data(),
        input,
        new DeviceMatrix(side, side, side, WeightFormat.F32, weights, none),
        table,
        target,
        RowTable.ROWS,
        RowTable.identity(ROWS));
    return nanos(
        graph, "product", ProductKernels.items(side, ROWS, schedule.lanes()), schedule.lanes());
  }

  private double nanos(TaskGraph graph, String task, int items, int lanes) {
    GridScheduler grids = new GridScheduler();
    Schedule.lay(grids, "probe." + task, items, lanes, schedule.group());
    try (TornadoExecutionPlan plan = new TornadoExecutionPlan(graph.snapshot())) {
      plan.withDevice(device);
      plan.withGridScheduler(grids);
      plan.withGraph(0).execute();
      device.sync(plan.getId());
      double nanos = new DeviceClock(plan, device, span).nanos(0);
      plan.freeDeviceMemory();
      return nanos;
    } catch (TornadoExecutionPlanException e) {
      throw new BackendException("the device could not be freed after it was measured", e);
    }
  }
}
