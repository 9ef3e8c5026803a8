package dev.muninn.tornado;

import dev.muninn.backend.BackendException;
import dev.muninn.backend.KernelTime;
import dev.muninn.kernel.NativeMemory;
import dev.muninn.model.Attention;
import dev.muninn.model.Block;
import dev.muninn.model.RecurrentModel;
import dev.muninn.model.WeightMatrix;
import dev.muninn.tornado.kernel.CacheFormat;
import dev.muninn.tornado.kernel.RowTable;
import dev.muninn.tornado.kernel.WeightFormat;
import dev.muninn.weights.Checkpoint;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import uk.ac.manchester.tornado.api.GridScheduler;
import uk.ac.manchester.tornado.api.TornadoExecutionPlan;
import uk.ac.manchester.tornado.api.common.TornadoDevice;
import uk.ac.manchester.tornado.api.exceptions.TornadoExecutionPlanException;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;
import uk.ac.manchester.tornado.api.types.arrays.TornadoNativeArray;

/**
 * Times each kernel by itself, on the first block of a model's core with its weights, the injection
 * and the head. A kernel is called again on what it has just read, so what fits into the device's
 * caches is fast here.
 */
final class KernelTimer implements AutoCloseable {
  private static final int MOST_ROWS = DeviceModel.MOST_ROWS;

  /** Positions that attention looks back on, if the context has them. */
  private static final int POSITIONS = 1024;

  private final RecurrentModel model;
  private final TornadoDevice device;
  private final Schedule schedule;
  private final boolean capture;
  private final long span;
  private final int positions;
  private final RowTable rows;
  private final Arena arena = Arena.ofShared();
  private final Staging staging;
  private final DeviceBlock block;
  private final FloatArray logits;

  /** What a call costs: bytes whatever its rows, and bytes and operations for each row. */
  private record Cost(double bytes, double rowBytes, double rowOperations) {}

  /** Adds a kernel's copies to a graph. */
  private interface Kernel {
    Cost add(KernelGraph graph);
  }

  /**
   * A timer.
   *
   * @param capture whether graphs are captured
   * @param span nanoseconds that each kernel is timed for
   */
  KernelTimer(
      RecurrentModel model,
      Checkpoint checkpoint,
      TornadoDevice device,
      Schedule schedule,
      boolean capture,
      long span) {
    this.model = model;
    this.device = device;
    this.schedule = schedule;
    this.capture = capture;
    this.span = span;
    positions = Math.min(POSITIONS, model.contextLength());
    rows = new RowTable(MOST_ROWS, MOST_ROWS);
    staging = new Staging(checkpoint, schedule.warps());
    Block first = model.core().blocks().getFirst();
    Attention attention = first.attention();
    IntArray cache =
        IntArray.fromSegmentShallow(
            floats((long) positions * CacheFormat.BF16_UNITS * attention.keyValueWidth()));
    block =
        DeviceBlock.stage(first, DeviceBlock.angles(attention.rotary(), positions), cache, staging);
    logits = FloatArray.fromSegmentShallow(floats((long) MOST_ROWS * model.vocabularySize()));
  }

  private MemorySegment floats(long size) {
    return NativeMemory.allocate(TornadoNativeArray.ARRAY_HEADER + 4 * size, arena);
  }

  private Map<String, Kernel> kernels() {
    Map<String, Kernel> kernels = new LinkedHashMap<>();
    kernels.put(
        "product project",
        graph -> {
          Activations in = graph.activations();
          return product(graph, block.projection(), in.normed(), in.projected());
        });
    kernels.put("turn", this::turn);
    kernels.put("attention", this::attention);
    kernels.put(
        "product output",
        graph -> {
          Activations in = graph.activations();
          return product(graph, block.output(), in.attended(), in.sums());
        });
    kernels.put("join", this::join);
    kernels.put(
        "product gate up",
        graph -> {
          Activations in = graph.activations();
          return product(graph, block.gateUp(), in.normed(), in.both());
        });
    kernels.put("gate", this::gate);
    kernels.put(
        "product down",
        graph -> {
          Activations in = graph.activations();
          return product(graph, block.down(), in.hidden(), in.sums());
        });
    if (model.core().injection().isPresent()) {
      WeightMatrix injection = model.core().injection().get();
      kernels.put("gather", graph -> gather(graph, injection.columns()));
      kernels.put(
          "product inject",
          graph -> {
            Activations in = graph.activations();
            return product(graph, DeviceMatrix.stage(injection, staging), in.both(), in.sums());
          });
    }
    kernels.put(
        "product head",
        graph -> {
          graph.onDevice(logits);
          DeviceMatrix head = DeviceMatrix.stage(model.coda().head(), staging);
          return product(graph, head, graph.activations().normed(), logits);
        });
    return kernels;
  }

  private static Cost product(
      KernelGraph graph, DeviceMatrix matrix, FloatArray input, FloatArray target) {
    graph.once(matrix.arrays());
    graph.repeat(copy -> graph.product(copy, matrix, input, target));
    return new Cost(
        matrix.bytes(),
        4.0 * (matrix.columns() + matrix.rows()),
        2.0 * matrix.columns() * matrix.rows());
  }

  private Cost turn(KernelGraph graph) {
    graph.once(block.turning(), block.rotary());
    graph.onDevice(block.cache());
    graph.repeat(copy -> graph.turn(copy, block));
    Attention attention = block.attention();
    // Read as floats; queries are written as floats, keys and values in halves.
    return new Cost(0, 8.0 * attention.width() + 12.0 * attention.keyValueWidth(), 0);
  }

  private Cost attention(KernelGraph graph) {
    graph.onDevice(block.cache());
    graph.repeat(copy -> graph.attention(copy, block));
    Attention attention = block.attention();
    return new Cost(
        4.0 * positions * attention.keyValueWidth(),
        8.0 * attention.width(),
        4.0 * positions * attention.width());
  }

  private Cost join(KernelGraph graph) {
    DeviceBlock.Norms norms = block.attentionNorms();
    DeviceNorm next = block.mlpNorms().before();
    graph.once(norms.output().array(), norms.stream().array(), next.array());
    graph.repeat(copy -> graph.branch(copy, norms, graph.normed(next)));
    return new Cost(0, 16.0 * model.width(), 0);
  }

  private Cost gate(KernelGraph graph) {
    int width = block.down().columns();
    graph.repeat(copy -> graph.gate(copy, width));
    return new Cost(0, 12.0 * width, 0);
  }

  private static Cost gather(KernelGraph graph, int inputs) {
    graph.repeat(copy -> graph.gather(copy, inputs));
    return new Cost(0, 8.0 * inputs, 0);
  }

  /** Times all kernels with each of these numbers of rows. */
  List<KernelTime> measure(List<Integer> rowCounts) {
    List<KernelTime> times = new ArrayList<>();
    kernels().forEach((name, kernel) -> times.addAll(measure(name, kernel, rowCounts)));
    return times;
  }

  private List<KernelTime> measure(String name, Kernel kernel, List<Integer> rowCounts) {
    GridScheduler grids = new GridScheduler();
    long states = (long) MOST_ROWS * model.width();
    FunctionGraph.Shared shared =
        new FunctionGraph.Shared(
            model,
            schedule,
            grids,
            MOST_ROWS,
            new RowTable(MOST_ROWS, 1),
            new RowTable(MOST_ROWS, 1).data(),
            WeightFormat.table(),
            FloatArray.fromSegmentShallow(floats(states)),
            FloatArray.fromSegmentShallow(floats(states)));
    RowWriter writer = new RowWriter(shared);
    KernelGraph graph =
        new KernelGraph(
            shared,
            Activations.of(model, MOST_ROWS, size -> FloatArray.fromSegmentShallow(floats(size))),
            rows.data());
    final Cost cost = kernel.add(graph);
    List<KernelTime> times = new ArrayList<>();
    try (TornadoExecutionPlan plan =
        new TornadoExecutionPlan(writer.graph.snapshot(), graph.graph.snapshot())) {
      plan.withDevice(device);
      plan.withGridScheduler(grids);
      if (capture) {
        plan.withCUDAGraph();
      }
      rows.clear();
      for (int warmUp = 0; warmUp < 2; warmUp++) {
        plan.withGraph(warmUp).execute();
        device.sync(plan.getId());
      }
      DeviceClock clock = new DeviceClock(plan, device, span);
      for (int count : rowCounts) {
        describe(count);
        double nanos = clock.nanos(1) / KernelGraph.COPIES;
        times.add(
            new KernelTime(
                name,
                count,
                nanos,
                cost.bytes() + count * cost.rowBytes(),
                count * cost.rowOperations()));
      }
      plan.freeDeviceMemory();
    } catch (TornadoExecutionPlanException e) {
      throw new BackendException("the device could not be freed after " + name, e);
    }
    return times;
  }

  /** The last rows of a sequence that fills the positions. */
  private void describe(int count) {
    rows.clear();
    for (int row = 0; row < count; row++) {
      int position = Math.max(0, positions - count + row);
      rows.add(row, position, position * CacheFormat.BF16_UNITS, CacheFormat.BF16_UNITS);
      rows.addRun(0, 0);
      rows.want();
    }
  }

  @Override
  public void close() {
    staging.close();
    arena.close();
  }
}
