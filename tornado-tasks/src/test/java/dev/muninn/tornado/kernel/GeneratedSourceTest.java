package dev.muninn.tornado.kernel;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.muninn.backend.ComputeDevice;
import dev.muninn.tornado.TestDevices;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import uk.ac.manchester.tornado.api.GridScheduler;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.TornadoExecutionPlan;
import uk.ac.manchester.tornado.api.WorkerGrid;
import uk.ac.manchester.tornado.api.WorkerGrid1D;
import uk.ac.manchester.tornado.api.common.TornadoDevice;
import uk.ac.manchester.tornado.api.enums.DataTransferMode;
import uk.ac.manchester.tornado.api.enums.TornadoVMBackendType;
import uk.ac.manchester.tornado.api.exceptions.TornadoExecutionPlanException;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/** Reads what a kernel is compiled to: local memory is addressed from its start. */
class GeneratedSourceTest extends KernelFixture {
  private static final int LANES = 16;
  private static final int GROUP = Lanes.ITEMS * LANES;

  private static final Pattern LOCAL_ARRAY =
      Pattern.compile("(?:__local|__shared__|threadgroup) float (\\w+)\\[" + GROUP + "\\]");

  @Test
  void localMemoryIsAddressedFromItsStart() throws TornadoExecutionPlanException {
    int devices = 0;
    for (ComputeDevice described : TestDevices.all()) {
      TornadoDevice device = TestDevices.find(described);
      TornadoVMBackendType type = device.getTornadoVMBackend();
      if (type == TornadoVMBackendType.OPENCL || type == TornadoVMBackendType.CUDA) {
        devices++;
        check(source(device));
      }
    }
    assumeTrue(devices > 0, "no device is compiled for in a language like C");
  }

  private static void check(String source) {
    Matcher array = LOCAL_ARRAY.matcher(source);
    assertTrue(array.find(), "no local memory in " + source);
    String name = array.group(1);
    Set<String> indices = new TreeSet<>();
    Matcher use = Pattern.compile(name + "\\[(\\w+)\\]").matcher(source);
    while (use.find()) {
      indices.add(use.group(1));
    }
    assertTrue(indices.size() > 1, source);
    for (String index : indices) {
      // The header's bytes, or an index in bytes.
      Pattern offset = Pattern.compile("\\b" + index + " += .*(\\+ 16\\b|<< 2\\b|\\* 4\\b).*");
      assertFalse(offset.matcher(source).find(), () -> index + " in " + source);
    }
  }

  private String source(TornadoDevice device) throws TornadoExecutionPlanException {
    RowTable rows = rows();
    Weights weights = new Weights(WeightFormat.F32, WIDTH, WIDTH);
    FloatArray floats = weights.floats;
    IntArray packed = weights.packed;
    FloatArray input = FloatArray.fromArray(values(MOST_ROWS * WIDTH));
    FloatArray target = new FloatArray(MOST_ROWS * WIDTH);
    TaskGraph graph = new TaskGraph("source");
    graph.transferToDevice(
        DataTransferMode.EVERY_EXECUTION, rows.data(), input, floats, packed, table, target);
    graph.task(
        "kernel",
        ProductKernels::product,
        new KernelContext(),
        rows.data(),
        input,
        floats,
        packed,
        table,
        target,
        RowTable.ROWS,
        RowTable.identity(MOST_ROWS),
        WIDTH,
        WIDTH,
        WIDTH,
        WeightFormat.F32,
        LANES);
    graph.transferToHost(DataTransferMode.EVERY_EXECUTION, target);
    int items = ProductKernels.items(WIDTH, MOST_ROWS, LANES);
    WorkerGrid grid = new WorkerGrid1D(items * LANES);
    grid.setLocalWork(GROUP, 1, 1);
    PrintStream out = System.out;
    ByteArrayOutputStream printed = new ByteArrayOutputStream();
    System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8));
    try (TornadoExecutionPlan plan = new TornadoExecutionPlan(graph.snapshot())) {
      plan.withDevice(device);
      plan.withGridScheduler(new GridScheduler("source.kernel", grid));
      plan.withPrintKernel();
      plan.withGraph(0).execute();
    } finally {
      System.setOut(out);
    }
    return printed.toString(StandardCharsets.UTF_8);
  }
}
