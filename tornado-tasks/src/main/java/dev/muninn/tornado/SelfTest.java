package dev.muninn.tornado;

import dev.muninn.backend.BackendException;
import dev.muninn.tornado.kernel.ProductKernels;
import dev.muninn.tornado.kernel.RowTable;
import dev.muninn.tornado.kernel.WeightFormat;
import java.util.SplittableRandom;
import uk.ac.manchester.tornado.api.GridScheduler;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.TornadoExecutionPlan;
import uk.ac.manchester.tornado.api.common.TornadoDevice;
import uk.ac.manchester.tornado.api.enums.DataTransferMode;
import uk.ac.manchester.tornado.api.exceptions.TornadoExecutionPlanException;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * Holds the product on the device to its result in Java before a model is trusted to it: a runtime
 * that compiles wrongly, or computes in Java what it could not compile, says nothing.
 */
final class SelfTest {
  private static final double TOLERANCE = 1e-3;

  private SelfTest() {}

  /**
   * What the device may be used for.
   *
   * @param schedule the one that was asked for, or the same without tensor cores
   * @param limits why it is without, for people, or nothing
   */
  record Outcome(Schedule schedule, String limits) {}

  /**
   * Runs the test: of one row, and of many on tensor cores if the schedule has them.
   *
   * @throws BackendException if the device computes something else than Java; tensor cores that do
   *     are left out
   */
  static Outcome run(TornadoDevice device, Schedule schedule) {
    check(device, schedule.withoutTensors(), 1, 66, 19);
    // Rows and outputs that fill no tile, some of them in a second one.
    return withTensors(schedule, () -> check(device, schedule, 73, 48, 136));
  }

  /** Runs a test of tensor cores, if the schedule has them, and leaves them out where it fails. */
  static Outcome withTensors(Schedule schedule, Runnable test) {
    if (schedule.tensors()) {
      try {
        test.run();
      } catch (VirtualMachineError e) {
        throw e;
      } catch (RuntimeException | Error e) {
        return new Outcome(
            schedule.withoutTensors(),
            ", without tensor cores (" + DeviceThread.firstLine(e) + ")");
      }
    }
    return new Outcome(schedule, "");
  }

  private static void check(
      TornadoDevice device, Schedule schedule, int count, int inputs, int outputs) {
    SplittableRandom random = new SplittableRandom(1);
    int mostRows = Math.ceilDiv(count, 16) * 16;
    RowTable rows = new RowTable(mostRows, mostRows);
    rows.clear();
    for (int row = 0; row < count; row++) {
      rows.add(row, 0, 0, 1);
    }
    FloatArray input = new FloatArray(mostRows * inputs);
    IntArray weights = new IntArray(inputs * outputs / 2);
    FloatArray sums = new FloatArray(mostRows * outputs);
    sums.init(Float.NaN);
    for (int i = 0; i < count * inputs; i++) {
      input.set(i, (float) random.nextDouble(-1, 1));
    }
    for (int i = 0; i < inputs * outputs / 2; i++) {
      int even = Float.floatToRawIntBits((float) random.nextDouble(-1, 1));
      int odd = Float.floatToRawIntBits((float) random.nextDouble(-1, 1));
      weights.set(i, even >>> 16 | odd & 0xFFFF0000);
    }
    FloatArray table = WeightFormat.table();
    FloatArray noFloats = new FloatArray(1);
    TaskGraph graph = new TaskGraph("selfTest");
    graph.transferToDevice(
        DataTransferMode.FIRST_EXECUTION, rows.data(), input, noFloats, weights, table, sums);
    DeviceMatrix matrix =
        new DeviceMatrix(outputs, inputs, inputs, WeightFormat.BF16, noFloats, weights);
    ProductTask.add(
        graph,
        "product",
        schedule,
        rows.data(),
        input,
        matrix,
        table,
        sums,
        RowTable.ROWS,
        RowTable.identity(mostRows));
    graph.transferToHost(DataTransferMode.EVERY_EXECUTION, sums);
    GridScheduler grids = new GridScheduler();
    int lanes = schedule.lanes();
    int items = ProductKernels.items(outputs, mostRows, lanes);
    Schedule.lay(grids, "selfTest.product", items, lanes, schedule.group());
    try (TornadoExecutionPlan plan = new TornadoExecutionPlan(graph.snapshot())) {
      plan.withDevice(device);
      plan.withGridScheduler(grids);
      plan.withGraph(0).execute();
    } catch (TornadoExecutionPlanException e) {
      throw new BackendException("the device could not be freed after its self-test", e);
    }
    for (int i = 0; i < count * outputs; i++) {
      double expected = 0;
      for (int k = 0; k < inputs; k++) {
        int at = i % outputs * inputs + k;
        expected +=
            WeightFormat.weight(WeightFormat.BF16, noFloats, weights, table, at)
                * input.get(i / outputs * inputs + k);
      }
      if (!(Math.abs(expected - sums.get(i)) <= TOLERANCE)) {
        throw new BackendException(
            "the device "
                + device.getDeviceName()
                + " fails its self-test: output "
                + i % outputs
                + " of a product is "
                + sums.get(i)
                + ", not "
                + (float) expected
                + "; --backend vector computes on the CPU");
      }
    }
  }
}
