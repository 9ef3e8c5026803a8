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
 * Holds one kernel on the device to its result in Java before a model is trusted to it: a runtime
 * that compiles wrongly, or computes in Java what it could not compile, says nothing.
 */
final class SelfTest {
  private static final int INPUTS = 66;
  private static final int OUTPUTS = 19;
  private static final double TOLERANCE = 1e-3;

  private SelfTest() {}

  /**
   * Runs the test.
   *
   * @throws BackendException if the device computes something else than Java
   */
  static void run(TornadoDevice device, Schedule schedule) {
    SplittableRandom random = new SplittableRandom(1);
    RowTable rows = new RowTable(1, 1);
    rows.clear();
    rows.add(0, 0, 0, 1);
    FloatArray input = new FloatArray(INPUTS);
    IntArray weights = new IntArray(INPUTS * OUTPUTS / 2);
    FloatArray sums = new FloatArray(OUTPUTS);
    sums.init(Float.NaN);
    for (int i = 0; i < INPUTS; i++) {
      input.set(i, (float) random.nextDouble(-1, 1));
    }
    for (int i = 0; i < INPUTS * OUTPUTS / 2; i++) {
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
        new DeviceMatrix(OUTPUTS, INPUTS, INPUTS, WeightFormat.BF16, noFloats, weights);
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
        RowTable.identity(1));
    graph.transferToHost(DataTransferMode.EVERY_EXECUTION, sums);
    GridScheduler grids = new GridScheduler();
    int lanes = schedule.lanes();
    int items = ProductKernels.items(OUTPUTS, 1, lanes);
    Schedule.lay(grids, "selfTest.product", items, lanes, schedule.group());
    try (TornadoExecutionPlan plan = new TornadoExecutionPlan(graph.snapshot())) {
      plan.withDevice(device);
      plan.withGridScheduler(grids);
      plan.withGraph(0).execute();
    } catch (TornadoExecutionPlanException e) {
      throw new BackendException("the device could not be freed after its self-test", e);
    }
    for (int output = 0; output < OUTPUTS; output++) {
      double expected = 0;
      for (int i = 0; i < INPUTS; i++) {
        expected +=
            WeightFormat.weight(WeightFormat.BF16, noFloats, weights, table, output * INPUTS + i)
                * input.get(i);
      }
      if (!(Math.abs(expected - sums.get(output)) <= TOLERANCE)) {
        throw new BackendException(
            "the device "
                + device.getDeviceName()
                + " fails its self-test: output "
                + output
                + " of a product is "
                + sums.get(output)
                + ", not "
                + (float) expected
                + "; --backend vector computes on the CPU");
      }
    }
  }
}
