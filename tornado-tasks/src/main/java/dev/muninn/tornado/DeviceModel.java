package dev.muninn.tornado;

import dev.muninn.backend.LatentComparison;
import dev.muninn.backend.OpeningTimes;
import dev.muninn.kernel.NativeMemory;
import dev.muninn.model.Block;
import dev.muninn.model.RecurrentModel;
import dev.muninn.model.Rotary;
import dev.muninn.tornado.kernel.RowTable;
import dev.muninn.tornado.kernel.WeightFormat;
import dev.muninn.weights.Checkpoint;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
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
  /** Most rows of an execution, but for a few schedules; a batch goes through in chunks. */
  static final int MOST_ROWS = 256;

  /** Runs of a row for which there is room in all rows, beside those of a single long row. */
  private static final int RUNS = 4;

  private static final int WRITER = 0;
  private static final int PRELUDE = 1;
  private static final int RECURRENT_BLOCK = 2;
  private static final int CODA = 3;
  private static final int COMPARER = 4;

  private static final int GRAPHS = 5;

  /** Executions that the host may be ahead of the device. */
  private static final int MOST_AHEAD = 128;

  private final RowTable preludeRows;
  private final RowTable codaRows;

  /** The rows of the next recurrence. */
  private final RowTable coreRows;

  /** What was sent of them. */
  private final RowTable sentRows;

  /** What the device makes of what was sent, from recurrence to recurrence. */
  private final RowTable expectedRows;

  /** Embedded tokens of the rows of the next prelude, [rows, width]. */
  final FloatArray embedded;

  private final int mostRows;
  private final int keyValueWidth;
  private final int context;
  private final RowWriter writer;
  private final StateComparer comparer;
  private final LogitComparer logitComparer;
  private final RecurrentBlockGraph recurrentBlock;
  private final FloatArray latents;
  private final FloatArray embeddings;
  private final FloatArray logits;
  private final TornadoExecutionPlan plan;
  private final OpeningTimes openingTimes;
  private final TornadoDevice device;
  private final Arena hostTwins = Arena.ofShared();
  private final Map<Rotary, FloatArray> rotary = new IdentityHashMap<>();
  private final boolean[] underWay = new boolean[GRAPHS];
  private int ahead;
  private long executions;
  private TornadoExecutionResult last;
  private TornadoRows logitsOwner;

  /**
   * Builds and compiles the graphs, and sends the weights.
   *
   * @param capture whether the device captures each graph and replays it, which takes one call of
   *     the driver in the place of one a task
   * @throws RuntimeException if the runtime fails, as it likes; nothing is left behind
   */
  DeviceModel(
      RecurrentModel model,
      Checkpoint checkpoint,
      TornadoDevice device,
      Schedule schedule,
      DeviceSizes sizes,
      boolean capture) {
    this.device = device;
    mostRows = sizes.mostRows();
    keyValueWidth = model.keyValueHeads() * model.headSize();
    context = sizes.context();
    int width = model.width();
    int runs = Math.max(context, RUNS * mostRows);
    preludeRows = new RowTable(mostRows, mostRows);
    codaRows = new RowTable(mostRows, mostRows);
    coreRows = new RowTable(mostRows, runs);
    sentRows = new RowTable(mostRows, runs);
    expectedRows = new RowTable(mostRows, runs);
    embedded = new FloatArray(mostRows * width);
    long slotSize = (long) sizes.rowSlots() * width;
    latents = deviceOnlyFloats(slotSize);
    embeddings = deviceOnlyFloats(slotSize);
    logits = deviceOnlyFloats((long) mostRows * model.vocabularySize());
    GridScheduler grids = new GridScheduler();
    FunctionGraph.Shared shared =
        new FunctionGraph.Shared(
            model,
            schedule,
            grids,
            mostRows,
            sentRows,
            new RowTable(mostRows, runs).data(),
            WeightFormat.table(),
            latents,
            embeddings);
    writer = new RowWriter(shared);
    comparer = new StateComparer(shared, deviceOnlyFloats(slotSize));
    logitComparer =
        new LogitComparer(
            mostRows, deviceOnlyFloats((long) LogitComparer.PLACES * model.vocabularySize()));
    try (Staging preludeWeights = new Staging(checkpoint, schedule.warps());
        Staging recurrentWeights = new Staging(checkpoint, schedule.warps());
        Staging codaWeights = new Staging(checkpoint, schedule.warps())) {
      PreludeGraph prelude =
          new PreludeGraph(
              shared,
              activations(model),
              preludeRows.data(),
              embedded,
              stage(model.prelude(), sizes.outerUnits(), preludeWeights));
      recurrentBlock =
          new RecurrentBlockGraph(
              shared,
              activations(model),
              model.core().injection().map(matrix -> DeviceMatrix.stage(matrix, recurrentWeights)),
              stage(model.core().blocks(), sizes.recurrentUnits(), recurrentWeights),
              DeviceNorm.of(model.core().norm()));
      CodaGraph coda =
          new CodaGraph(
              shared,
              activations(model),
              codaRows.data(),
              model.coda(),
              DeviceMatrix.stage(model.coda().head(), codaWeights),
              logits,
              logitComparer,
              stage(model.coda().blocks(), sizes.outerUnits(), codaWeights));
      List<TaskGraph> graphs =
          List.of(writer.graph, prelude.graph, recurrentBlock.graph, coda.graph, comparer.graph);
      plan =
          new TornadoExecutionPlan(
              graphs.stream().map(TaskGraph::snapshot).toArray(ImmutableTaskGraph[]::new));
      plan.withDevice(device);
      plan.withCompilerFlags(TornadoVMBackendType.OPENCL, schedule.openclFlags(device));
      plan.withGridScheduler(grids);
      if (capture) {
        plan.withCUDAGraph();
      }
      // Without rows the graphs compute nothing, but the weights are sent. What is on the device is
      // no longer kept mapped.
      try {
        final long began = System.nanoTime();
        plan.withPreCompilation();
        final long compiled = System.nanoTime();
        execute(WRITER);
        execute(PRELUDE);
        preludeWeights.release();
        execute(RECURRENT_BLOCK);
        recurrentWeights.release();
        execute(CODA);
        execute(COMPARER);
        openingTimes = new OpeningTimes(compiled - began, System.nanoTime() - compiled);
      } catch (RuntimeException | Error e) {
        closeAfter(e);
        throw e;
      }
    }
  }

  private void closeAfter(Throwable failure) {
    try {
      close();
    } catch (RuntimeException | Error e) {
      failure.addSuppressed(e);
    }
  }

  private Activations activations(RecurrentModel model) {
    return Activations.of(model, mostRows, this::deviceOnlyFloats);
  }

  private List<DeviceBlock> stage(List<Block> blocks, int units, Staging staging) {
    List<DeviceBlock> staged = new ArrayList<>();
    for (Block block : blocks) {
      IntArray cache = IntArray.fromSegmentShallow(deviceOnly((long) units * keyValueWidth));
      FloatArray angles =
          rotary.computeIfAbsent(
              block.attention().rotary(), one -> DeviceBlock.angles(one, context));
      staged.add(DeviceBlock.stage(block, angles, cache, staging));
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

  /** What compiling the graphs and the upload took. */
  OpeningTimes openingTimes() {
    return openingTimes;
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

  /** Executes a graph and waits. */
  private void execute(int graph) {
    launch(graph);
    settle();
  }

  /**
   * Has the device execute a graph behind what it was told before. What the host sends is read
   * while the device computes, so it must stay as it is until {@link #await}.
   */
  private void launch(int graph) {
    if (ahead == MOST_AHEAD) {
      settle();
    }
    // The runtime refuses plans that were compiled ahead once any other on the device was freed,
    // that of a measurement or of another model. Their code is still there.
    device.getDeviceContext().setResetToFalse();
    last = plan.withGraph(graph).execute();
    underWay[graph] = true;
    ahead++;
    executions++;
  }

  /** Waits until what a graph sends may be changed. */
  private void await(int graph) {
    if (underWay[graph]) {
      settle();
    }
  }

  /** Waits for the device. */
  private void settle() {
    device.sync(plan.getId());
    Arrays.fill(underWay, false);
    ahead = 0;
  }

  /** Executions of graphs so far. */
  long executions() {
    return executions;
  }

  /** Makes room for the logits of some rows; those of others are fetched. */
  void takeLogits(TornadoRows owner) {
    if (logitsOwner != null && logitsOwner != owner) {
      logitsOwner.keepLogits();
    }
    logitsOwner = owner;
  }

  /** The logits of some rows are no longer needed. */
  void dropLogits(TornadoRows owner) {
    if (logitsOwner == owner) {
      logitsOwner = null;
    }
  }

  /** An empty table for the rows of the next prelude. */
  RowTable beginPrelude() {
    await(PRELUDE);
    preludeRows.clear();
    return preludeRows;
  }

  void prelude() {
    flush();
    launch(PRELUDE);
  }

  /** An empty table for the rows of the next recurrence. */
  RowTable beginRecurrence() {
    coreRows.clear();
    return coreRows;
  }

  /** Sends the rows, unless the device has come to them by itself, and applies R. */
  void recur() {
    if (!writer.isEmpty() || !expectedRows.describes(coreRows)) {
      await(WRITER);
      sentRows.copyFrom(coreRows);
      send();
    }
    launch(RECURRENT_BLOCK);
    expectedRows.advance();
  }

  /** An empty table for the rows of the next coda. */
  RowTable beginCoda() {
    await(CODA);
    codaRows.clear();
    logitComparer.clear();
    return codaRows;
  }

  void coda() {
    flush();
    launch(CODA);
  }

  /** Sends what was written to row slots. */
  private void flush() {
    if (!writer.isEmpty()) {
      send();
    }
  }

  private void send() {
    writer.finish();
    launch(WRITER);
    expectedRows.copyFrom(sentRows);
  }

  void write(int slot, boolean embedding, float[] vector) {
    if (writer.isFull()) {
      flush();
    }
    await(WRITER);
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

  /**
   * Compares the states of slots with what was kept of them, and keeps them.
   *
   * @param chosen slots, relative to a first one
   * @param sums gets {@link LatentComparison#SUMS} of each, if not null
   */
  void compare(int[] chosen, int count, int firstSlot, float[] sums) {
    flush();
    for (int from = 0; from < count; from += mostRows) {
      int part = Math.min(mostRows, count - from);
      await(COMPARER);
      comparer.choose(chosen, from, part, firstSlot);
      launch(COMPARER);
      if (sums != null) {
        settle();
        int floats = part * LatentComparison.SUMS;
        last.transferToHost(new DataRange(comparer.sums).withSize(floats));
        MemorySegment.copy(
            comparer.sums.getSegment(),
            ValueLayout.JAVA_FLOAT,
            0,
            sums,
            from * LatentComparison.SUMS,
            floats);
      }
    }
  }

  /** Copies the state that was kept of a slot. */
  void readKept(int slot, float[] target) {
    read(COMPARER, comparer.kept, slot, target);
  }

  /** Copies logits of the last coda, by the index that the row table gave. */
  void readLogits(int index, float[] target) {
    read(CODA, logits, index, target);
  }

  /** What the coda compares logits with. */
  LogitComparer logitComparer() {
    return logitComparer;
  }

  /** Copies what the last coda found of logits, by the index that the row table gave. */
  void readLogitSums(int index, float[] target) {
    read(CODA, logitComparer.sums, index, target);
  }

  /**
   * Copies a row of an array that a graph knows. Asked for one that the selected graph does not
   * know, the runtime copies all that it knows, and writes what it finds over Java's objects.
   */
  private void read(int graph, FloatArray source, int row, float[] target) {
    settle();
    plan.withGraph(graph);
    long from = (long) row * target.length;
    last.transferToHost(new DataRange(source).withOffset(from).withSize(target.length));
    MemorySegment.copy(
        source.getSegment(), ValueLayout.JAVA_FLOAT, 4 * from, target, 0, target.length);
  }

  @Override
  public void close() {
    try {
      settle();
      plan.freeDeviceMemory();
      plan.close();
    } catch (TornadoExecutionPlanException e) {
      throw new IllegalStateException(e);
    } finally {
      hostTwins.close();
    }
  }
}
