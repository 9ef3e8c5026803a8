package uk.ac.manchester.tornado.api;

import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import uk.ac.manchester.tornado.api.common.TornadoDevice;
import uk.ac.manchester.tornado.api.enums.DataTransferMode;
import uk.ac.manchester.tornado.api.enums.TornadoVMBackendType;
import uk.ac.manchester.tornado.api.exceptions.TornadoExecutionPlanException;

/** Executes graphs, which share the device's arrays. */
public class TornadoExecutionPlan implements AutoCloseable {
  private static final AtomicLong PLANS = new AtomicLong();

  private final long id = PLANS.incrementAndGet();
  private final TaskGraph[] graphs;
  private final DeviceArrays arrays = new DeviceArrays();
  private final Set<TaskGraph> executed = new HashSet<>();
  private GridScheduler grids = new GridScheduler();
  private int selected;
  private boolean captures;
  private boolean compiledAhead;
  private TornadoDevice device;

  /** A plan of graphs. */
  public TornadoExecutionPlan(ImmutableTaskGraph... graphs) {
    this.graphs = Arrays.stream(graphs).map(one -> one.graph).toArray(TaskGraph[]::new);
  }

  /** The plan's number. */
  public long getId() {
    return id;
  }

  /** Chooses the device. */
  public TornadoExecutionPlan withDevice(TornadoDevice device) {
    this.device = device;
    return this;
  }

  /** Sets the tasks' grids. */
  public TornadoExecutionPlan withGridScheduler(GridScheduler gridScheduler) {
    grids = gridScheduler;
    return this;
  }

  /** Sets the flags of a driver's compiler. */
  public TornadoExecutionPlan withCompilerFlags(TornadoVMBackendType backend, String flags) {
    return this;
  }

  /** Graphs are captured and replayed by a device of CUDA, which this one is not. */
  public TornadoExecutionPlan withCUDAGraph() {
    captures = true;
    return this;
  }

  /** Kernels are compiled before the first execution; these are Java's. */
  public TornadoExecutionPlan withPreCompilation() {
    compiledAhead = true;
    device.getDeviceContext().setResetToFalse();
    return this;
  }

  /** What kernels are compiled to is printed; here they stay Java. */
  public TornadoExecutionPlan withPrintKernel() {
    return this;
  }

  /** Selects a graph. */
  public TornadoExecutionPlan withGraph(int graphIndex) {
    selected = graphIndex;
    return this;
  }

  /** Selects all graphs. */
  public TornadoExecutionPlan withAllGraphs() {
    return this;
  }

  /** Executes the selected graph. */
  public TornadoExecutionResult execute() {
    if (captures) {
      throw new UnsupportedOperationException("Java captures no graphs");
    }
    if (compiledAhead && device.getDeviceContext().wasReset()) {
      // As TornadoVM does, whichever plan was freed.
      throw new IllegalStateException("reset() was called after warmup() on device");
    }
    TaskGraph graph = graphs[selected];
    boolean first = executed.add(graph);
    for (TaskGraph.Transfer transfer : graph.toDevice) {
      if (transfer.mode() == DataTransferMode.EVERY_EXECUTION
          || first && transfer.mode() == DataTransferMode.FIRST_EXECUTION) {
        arrays.toDevice(transfer.array());
      }
    }
    for (TaskGraph.Task task : graph.tasks) {
      execute(task, grids.get(graph.name + "." + task.id()));
    }
    for (TaskGraph.Transfer transfer : graph.toHost) {
      if (transfer.mode() == DataTransferMode.EVERY_EXECUTION) {
        arrays.toHost(transfer.array());
      }
    }
    return new TornadoExecutionResult(arrays);
  }

  private void execute(TaskGraph.Task task, WorkerGrid grid) {
    int items = Math.toIntExact(grid.getGlobalWork()[0]);
    int size = grid.getLocalWork() == null ? 1 : Math.toIntExact(grid.getLocalWork()[0]);
    if (items % size != 0) {
      throw new IllegalArgumentException(items + " work-items are no multiple of " + size);
    }
    Object[] arguments = Arrays.stream(task.arguments()).map(arrays::onDevice).toArray();
    for (int group = 0; group < items / size; group++) {
      int index = group;
      if (size == 1) {
        call(task, arguments, new KernelContext(group, 0, group, null));
      } else {
        Workgroup workgroup = new Workgroup(size);
        workgroup.run(item ->
            call(task, arguments, new KernelContext(index * size + item, item, index, workgroup)));
      }
    }
  }

  private static void call(TaskGraph.Task task, Object[] arguments, KernelContext context) {
    Object[] own = arguments.clone();
    own[0] = context;
    task.kernel().accept(own);
  }

  /** Bytes on the device. */
  public long getCurrentDeviceMemoryUsage() {
    return arrays.bytes();
  }

  /** Frees the device's arrays. */
  public TornadoExecutionPlan freeDeviceMemory() {
    arrays.free();
    if (device != null) {
      device.getDeviceContext().reset(id);
    }
    return this;
  }

  @Override
  public void close() throws TornadoExecutionPlanException {
    arrays.free();
  }
}
