package dev.muninn.tornado.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.muninn.tornado.TestDevices;
import java.lang.reflect.Field;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;
import uk.ac.manchester.tornado.api.GridScheduler;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.TornadoBackend;
import uk.ac.manchester.tornado.api.TornadoExecutionPlan;
import uk.ac.manchester.tornado.api.WorkerGrid;
import uk.ac.manchester.tornado.api.WorkerGrid1D;
import uk.ac.manchester.tornado.api.common.TornadoDevice;
import uk.ac.manchester.tornado.api.enums.DataTransferMode;
import uk.ac.manchester.tornado.api.enums.TornadoDeviceType;
import uk.ac.manchester.tornado.api.enums.TornadoVMBackendType;
import uk.ac.manchester.tornado.api.exceptions.TornadoExecutionPlanException;
import uk.ac.manchester.tornado.api.runtime.TornadoRuntimeProvider;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/**
 * Runs a kernel as plain Java, and with one lane an item and with several on every device that the
 * runtime has, and compares what it wrote. Devices of OpenCL, PTX and the others run the same code.
 */
final class KernelRun {
  private static final int DEVICE_LANES = TestDevices.lanes(16);
  private static int count;

  private KernelRun() {}

  /**
   * The context of an item that has its work-item to itself. No class of its own: the runtime does
   * not know the methods of a context that a subclass has changed, anywhere in this JVM.
   */
  private static KernelContext context(int index) {
    KernelContext context = new KernelContext();
    try {
      Field field = KernelContext.class.getField("globalIdx");
      field.setAccessible(true);
      field.set(context, index);
    } catch (ReflectiveOperationException e) {
      throw new AssertionError(e);
    }
    return context;
  }

  /** Calls the kernel in a context. */
  interface Call {
    void run(KernelContext context, int lanes);
  }

  /** Adds the kernel as the task "kernel". */
  interface Task {
    void add(TaskGraph graph, KernelContext context, int lanes);
  }

  /**
   * How work is laid on a device.
   *
   * @param items of work
   * @param lanes of an item
   * @param group work-items of a workgroup, or 1 to leave them to the device
   * @param warps whether lanes are warps of CUDA
   */
  record Lay(int items, int lanes, int group, boolean warps) {
    private boolean fits(TornadoDevice device) {
      TornadoVMBackendType type = device.getTornadoVMBackend();
      return !warps || type == TornadoVMBackendType.CUDA || type == TornadoVMBackendType.JAVA;
    }

    private WorkerGrid grid() {
      WorkerGrid grid = new WorkerGrid1D(Math.ceilDiv(items * lanes, group) * group);
      if (group == 1) {
        grid.setLocalWorkToNull();
      } else {
        grid.setLocalWork(group, 1, 1);
      }
      return grid;
    }
  }

  /** Adds kernels in a lay as tasks; returns the lay of each. */
  interface Tasks {
    Map<String, Lay> add(TaskGraph graph, KernelContext context, Lay lay);
  }

  /**
   * Checks a kernel in every way.
   *
   * @param items of work
   * @param arguments its arrays, in any order
   * @param output the array that it writes and that is compared
   * @param expected of each element of the output, or NaN where anything may be
   */
  static void check(
      int items,
      Object[] arguments,
      FloatArray output,
      IntFunction<Float> expected,
      double tolerance,
      Call call,
      Task task) {
    check(items, arguments, Output.of(output), expected, tolerance, call, task);
  }

  /**
   * An array that a kernel writes.
   *
   * @param clear makes all elements something that no kernel writes
   * @param element reads one
   */
  record Output(Object array, int size, Runnable clear, IntFunction<Float> element) {
    static Output of(FloatArray array) {
      return new Output(array, array.getSize(), () -> array.init(Float.NaN), array::get);
    }
  }

  /** The same of an array of any kind. */
  static void check(
      int items,
      Object[] arguments,
      Output output,
      IntFunction<Float> expected,
      double tolerance,
      Call call,
      Task task) {
    inJava(items, output, expected, tolerance, call);
    List<Lay> lays =
        List.of(new Lay(items, 1, 1, false), new Lay(items, DEVICE_LANES, DEVICE_LANES, false));
    onDevices(
        lays,
        arguments,
        output,
        expected,
        tolerance,
        (graph, context, lay) -> {
          task.add(graph, context, lay.lanes());
          return Map.of("kernel", lay);
        });
  }

  /** Checks a kernel as Java, an item after the other. */
  static void inJava(
      int items, Output output, IntFunction<Float> expected, double tolerance, Call call) {
    output.clear().run();
    for (int item = 0; item < items; item++) {
      call.run(context(item), 1);
    }
    compare("Java", output, expected, tolerance);
  }

  /** Checks kernels on all devices, in all lays that these take. */
  static void onDevices(
      List<Lay> lays,
      Object[] arguments,
      Output output,
      IntFunction<Float> expected,
      double tolerance,
      Tasks tasks) {
    for (TornadoDevice device : devices()) {
      for (Lay lay : lays) {
        if (lay.fits(device)) {
          output.clear().run();
          device(device, lay, arguments, output, tasks);
          compare(device.getDeviceName() + ", " + lay, output, expected, tolerance);
        }
      }
    }
  }

  private static List<TornadoDevice> devices() {
    List<TornadoDevice> devices = new ArrayList<>();
    for (int i = 0; i < TornadoRuntimeProvider.getTornadoRuntime().getNumBackends(); i++) {
      TornadoBackend backend = TornadoRuntimeProvider.getTornadoRuntime().getBackend(i);
      for (int j = 0; j < backend.getNumDevices(); j++) {
        devices.add(backend.getDevice(j));
      }
    }
    return devices;
  }

  private static void device(
      TornadoDevice device, Lay lay, Object[] arguments, Output output, Tasks tasks) {
    String name = "kernelTest" + count++;
    TaskGraph graph = new TaskGraph(name);
    graph.transferToDevice(DataTransferMode.EVERY_EXECUTION, arguments);
    GridScheduler grids = new GridScheduler();
    tasks
        .add(graph, new KernelContext(), lay)
        .forEach((task, laid) -> grids.addWorkerGrid(name + "." + task, laid.grid()));
    graph.transferToHost(DataTransferMode.EVERY_EXECUTION, output.array());
    try (TornadoExecutionPlan plan = new TornadoExecutionPlan(graph.snapshot())) {
      plan.withDevice(device);
      plan.withGridScheduler(grids);
      if (lay.lanes() > 1 && device.getDeviceType() == TornadoDeviceType.CPU) {
        // As Schedule.openclFlags has it for PoCL.
        plan.withCompilerFlags(TornadoVMBackendType.OPENCL, "-w -cl-opt-disable");
      }
      plan.withGraph(0).execute();
    } catch (TornadoExecutionPlanException e) {
      throw new AssertionError(e);
    }
  }

  private static void compare(
      String how, Output output, IntFunction<Float> expected, double tolerance) {
    for (int i = 0; i < output.size(); i++) {
      float value = expected.apply(i);
      if (!Float.isNaN(value)) {
        assertEquals(value, output.element().apply(i), tolerance, how + ", element " + i);
      }
    }
  }
}
