package dev.muninn.tornado;

import dev.muninn.family.huginn.HuginnConfig;
import dev.muninn.model.RavenWeights;
import dev.muninn.model.SandwichBlock;
import dev.muninn.tornado.kernel.RowTable;
import dev.muninn.tornado.kernel.WeightFormat;
import dev.muninn.vector.NativeMemory;
import dev.muninn.vector.RotaryTable;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import uk.ac.manchester.tornado.api.DataRange;
import uk.ac.manchester.tornado.api.GridScheduler;
import uk.ac.manchester.tornado.api.ImmutableTaskGraph;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.TornadoExecutionPlan;
import uk.ac.manchester.tornado.api.TornadoExecutionResult;
import uk.ac.manchester.tornado.api.common.TornadoDevice;
import uk.ac.manchester.tornado.api.enums.TornadoVMBackendType;
import uk.ac.manchester.tornado.api.exceptions.TornadoExecutionPlanException;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;
import uk.ac.manchester.tornado.api.types.arrays.TornadoNativeArray;

/**
 * A model on a device: its weights, the keys and values of all sequences, the row slots, and the
 * graphs that compute. A graph is built and compiled once.
 */
final class DeviceModel implements AutoCloseable {
  /** Most rows of an execution; a batch goes through in chunks. */
  static final int MOST_ROWS = 32;

  /**
   * OpenCL's compiler may fuse a product with a sum, and nothing else: relaxed math, the runtime's
   * default, lost accuracy and gained no time where it was measured.
   */
  private static final String OPENCL_FLAGS = "-cl-mad-enable -w";

  private static final int WRITER = 0;
  private static final int PRELUDE = 1;
  private static final int RECURRENT_BLOCK = 2;
  private static final int CODA = 3;

  /** What is said of the rows of the next execution. */
  final RowTable rows;

  /** Embedded tokens of the rows of the next prelude, [rows, width]. */
  final FloatArray embedded;

  private final HuginnConfig config;
  private final RowWriter writer;
  private final RecurrentBlockGraph recurrentBlock;
  private final FloatArray latents;
  private final FloatArray embeddings;
  private final FloatArray logits;
  private final TornadoExecutionPlan plan;
  private final long prepareNanos;
  private final TornadoDevice device;
  private final Arena hostTwins = Arena.ofShared();
  private TornadoExecutionResult last;
  private TornadoRows logitsOwner;

  DeviceModel(RavenWeights weights, TornadoDevice device, Schedule schedule, DeviceSizes sizes) {
    final long began = System.nanoTime();
    this.config = weights.config();
    this.device = device;
    int width = config.embeddingSize();
    rows = new RowTable(MOST_ROWS, config.contextLength());
    embedded = new FloatArray(MOST_ROWS * width);
    long slotSize = (long) sizes.rowSlots() * width;
    latents = deviceOnlyFloats(slotSize);
    embeddings = deviceOnlyFloats(slotSize);
    logits = new FloatArray(MOST_ROWS * config.vocabularySize());
    GridScheduler grids = new GridScheduler();
    FunctionGraph.Shared shared =
        new FunctionGraph.Shared(
            config,
            schedule,
            grids,
            MOST_ROWS,
            rows,
            WeightFormat.table(),
            rotary(config),
            latents,
            embeddings);
    writer = new RowWriter(shared);
    try (Staging preludeWeights = new Staging(weights.checkpoint());
        Staging recurrentWeights = new Staging(weights.checkpoint());
        Staging codaWeights = new Staging(weights.checkpoint())) {
      PreludeGraph prelude =
          new PreludeGraph(
              shared,
              Activations.of(config, MOST_ROWS, this::deviceOnlyFloats),
              embedded,
              stage(weights.prelude(), sizes.outerUnits(), preludeWeights));
      recurrentBlock =
          new RecurrentBlockGraph(
              shared,
              Activations.of(config, MOST_ROWS, this::deviceOnlyFloats),
              DeviceMatrix.stage(weights.adapter(), recurrentWeights),
              stage(weights.recurrentBlock(), sizes.recurrentUnits(), recurrentWeights));
      CodaGraph coda =
          new CodaGraph(
              shared,
              Activations.of(config, MOST_ROWS, this::deviceOnlyFloats),
              FloatArray.fromArray(weights.finalNorm()),
              DeviceMatrix.stage(weights.head(), codaWeights),
              logits,
              stage(weights.coda(), sizes.outerUnits(), codaWeights));
      List<TaskGraph> graphs =
          List.of(writer.graph, prelude.graph, recurrentBlock.graph, coda.graph);
      plan =
          new TornadoExecutionPlan(
              graphs.stream().map(TaskGraph::snapshot).toArray(ImmutableTaskGraph[]::new));
      plan.withDevice(device);
      plan.withCompilerFlags(TornadoVMBackendType.OPENCL, OPENCL_FLAGS);
      plan.withGridScheduler(grids);
      // Without rows the graphs compute nothing, but they are compiled and the weights sent. What
      // is on the device is no longer kept mapped.
      rows.clear();
      execute(WRITER);
      execute(PRELUDE);
      preludeWeights.release();
      execute(RECURRENT_BLOCK);
      recurrentWeights.release();
      execute(CODA);
    }
    prepareNanos = System.nanoTime() - began;
  }

  private List<DeviceBlock> stage(List<SandwichBlock> blocks, int units, Staging staging) {
    List<DeviceBlock> staged = new ArrayList<>();
    for (SandwichBlock block : blocks) {
      IntArray cache =
          IntArray.fromSegmentShallow(deviceOnly((long) units * config.embeddingSize()));
      staged.add(DeviceBlock.stage(block, cache, staging));
    }
    return staged;
  }

  /**
   * The twin on the host of an array of the device, of so many floats or ints: where it is not
   * touched it takes no memory.
   */
  private MemorySegment deviceOnly(long size) {
    return NativeMemory.allocate(TornadoNativeArray.ARRAY_HEADER + 4 * size, hostTwins);
  }

  private FloatArray deviceOnlyFloats(long size) {
    return FloatArray.fromSegmentShallow(deviceOnly(size));
  }

  /** Cosine and sine of each pair's angle, [context, head size]. */
  private static FloatArray rotary(HuginnConfig config) {
    RotaryTable angles = new RotaryTable(config);
    angles.extend(config.contextLength());
    int size = config.headSize();
    FloatArray table = new FloatArray(Math.multiplyExact(config.contextLength(), size));
    for (int position = 0; position < config.contextLength(); position++) {
      int from = angles.offset(position);
      for (int i = 0; i < size; i += 2) {
        table.set(position * size + i, angles.cosines()[from + i]);
        table.set(position * size + i + 1, angles.sines()[from + i + 1]);
      }
    }
    return table;
  }

  /** Nanoseconds that building, compiling and the upload took. */
  long prepareNanos() {
    return prepareNanos;
  }

  /** Tasks that one application of the recurrent block is made of. */
  int tasksOfRecurrence() {
    return recurrentBlock.tasks();
  }

  /** Bytes that the model takes on the device. */
  long deviceBytes() {
    plan.withAllGraphs();
    return plan.getCurrentDeviceMemoryUsage();
  }

  /** Executes a graph and waits: what the host sends is read while the device computes. */
  private void execute(int graph) {
    last = plan.withGraph(graph).execute();
    device.sync(plan.getId());
  }

  /** Makes room for the logits of some rows; those of others are fetched. */
  void takeLogits(TornadoRows owner) {
    if (logitsOwner != null && logitsOwner != owner) {
      logitsOwner.keepLogits();
    }
    logitsOwner = owner;
  }

  /** The logits of some rows will not be asked for any more. */
  void dropLogits(TornadoRows owner) {
    if (logitsOwner == owner) {
      logitsOwner = null;
    }
  }

  void prelude() {
    flush();
    execute(PRELUDE);
  }

  void recur() {
    flush();
    execute(RECURRENT_BLOCK);
  }

  void coda() {
    flush();
    execute(CODA);
  }

  /** Sends what was written to row slots. */
  private void flush() {
    if (!writer.isEmpty()) {
      execute(WRITER);
      writer.clear();
    }
  }

  void write(int slot, boolean embedding, float[] vector) {
    if (writer.isFull()) {
      flush();
    }
    writer.add(slot, embedding, vector);
  }

  void readLatent(int slot, float[] target) {
    flush();
    read(WRITER, latents, slot, target);
  }

  void readEmbedding(int slot, float[] target) {
    flush();
    read(WRITER, embeddings, slot, target);
  }

  /** Copies logits of the last coda, by the index that the row table gave. */
  void readLogits(int index, float[] target) {
    read(CODA, logits, index, target);
  }

  /**
   * Copies a row of an array that a graph knows. Asked for one that the selected graph does not
   * know, the runtime copies all that it knows, and writes what it finds over Java's objects.
   */
  private void read(int graph, FloatArray source, int row, float[] target) {
    plan.withGraph(graph);
    long from = (long) row * target.length;
    last.transferToHost(new DataRange(source).withOffset(from).withSize(target.length));
    MemorySegment.copy(
        source.getSegment(), ValueLayout.JAVA_FLOAT, 4 * from, target, 0, target.length);
  }

  @Override
  public void close() {
    try {
      plan.freeDeviceMemory();
      plan.close();
    } catch (TornadoExecutionPlanException e) {
      throw new IllegalStateException(e);
    } finally {
      hostTwins.close();
    }
  }
}
