package dev.muninn.tornado;

import dev.muninn.model.Attention;
import dev.muninn.model.RecurrentModel;
import dev.muninn.tornado.kernel.AttentionKernels;
import dev.muninn.tornado.kernel.HeadAttention;
import dev.muninn.tornado.kernel.JoinKernels;
import dev.muninn.tornado.kernel.ProductKernels;
import dev.muninn.tornado.kernel.RowTable;
import dev.muninn.tornado.kernel.SlotKernels;
import dev.muninn.tornado.kernel.TurnKernels;
import java.util.List;
import uk.ac.manchester.tornado.api.GridScheduler;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.enums.DataTransferMode;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * The task graph of one of the model's functions. What they share is here: the stack of blocks,
 * each of ten tasks or so, and the row slots, which stay on the device from one graph to the next.
 */
abstract class FunctionGraph {
  final TaskGraph graph;
  final RecurrentModel model;
  final Shared shared;
  final Activations activations;
  private final String name;
  private final IntArray rows;
  private final List<DeviceBlock> blocks;
  private int tasks;

  /**
   * What all graphs of a model have in common.
   *
   * @param model what is computed
   * @param schedule how work is laid on the device
   * @param grids gets the layout of every task
   * @param mostRows most rows of an execution
   * @param sentRows what the host says of the recurrent block's rows
   * @param coreRows the same on the device, which goes on by itself from recurrence to recurrence
   * @param table what weights of 16 bits are read by
   * @param latents s of every row slot
   * @param embeddings e of every row slot
   */
  record Shared(
      RecurrentModel model,
      Schedule schedule,
      GridScheduler grids,
      int mostRows,
      RowTable sentRows,
      IntArray coreRows,
      FloatArray table,
      FloatArray latents,
      FloatArray embeddings) {
    /** What stays on the device from one graph to the next. */
    Object[] onDevice() {
      return new Object[] {latents, embeddings, coreRows};
    }

    int slots() {
      return RowTable.slots(mostRows);
    }

    int identity() {
      return RowTable.identity(mostRows);
    }
  }

  /**
   * Rows on their way into the stream, or out of it.
   *
   * @param array rows of h values
   * @param section of the row table that finds the rows there
   * @param norm that they pass
   */
  record Rows(FloatArray array, int section, DeviceNorm norm) {}

  /**
   * A graph whose tasks follow.
   *
   * @param rows the row table: that of the recurrent block is on the device already, and any other
   *     travels with every execution
   */
  FunctionGraph(
      String name,
      Shared shared,
      Activations activations,
      IntArray rows,
      List<DeviceBlock> blocks) {
    this.name = name;
    this.rows = rows;
    this.shared = shared;
    this.model = shared.model();
    this.activations = activations;
    this.blocks = blocks;
    this.graph = new TaskGraph(name);
    graph.consumeFromDevice(shared.onDevice());
    if (rows != shared.coreRows()) {
      graph.transferToDevice(DataTransferMode.EVERY_EXECUTION, rows);
    }
    once(shared.table(), DeviceNorm.NONE.array());
    graph.transferToDevice(DataTransferMode.UNDER_DEMAND, activations.arrays());
    for (DeviceBlock block : blocks) {
      once(block.constants().toArray());
      graph.transferToDevice(DataTransferMode.UNDER_DEMAND, block.cache());
    }
  }

  /** Arrays that travel to the device once. */
  final void once(Object... arrays) {
    graph.transferToDevice(DataTransferMode.FIRST_EXECUTION, arrays);
  }

  /** Tasks of an execution. */
  final int tasks() {
    return tasks;
  }

  /** Notes a task and lays it; returns its name. */
  private String task(String task, int items, int lanes, int group) {
    Schedule.lay(shared.grids(), name + "." + task, items, lanes, group);
    tasks++;
    return task;
  }

  /** A task whose items are rows, a workgroup each. */
  final String rowTask(String task) {
    return task(task, shared.mostRows(), group(), group());
  }

  static KernelContext context() {
    return new KernelContext();
  }

  /** Lanes of a row. */
  final int group() {
    return shared.schedule().group();
  }

  /** Rows of the graph's own. */
  final Rows normed(DeviceNorm norm) {
    return new Rows(activations.normed(), shared.identity(), norm);
  }

  /** What a product reads behind a norm: the stream itself where there is none. */
  final FloatArray input(DeviceNorm norm) {
    return norm.present() ? activations.normed() : activations.stream();
  }

  /**
   * All tasks from rows on their way in to rows on their way out.
   *
   * @param source becomes the stream behind its norm
   * @param target gets the stream behind its norm
   */
  final void run(Rows source, Rows target) {
    enter(source, blocks.isEmpty() ? target : normed(blocks.getFirst().attentionNorms().before()));
    for (int index = 0; index < blocks.size(); index++) {
      boolean last = index == blocks.size() - 1;
      block(
          "block" + index,
          blocks.get(index),
          last ? target : normed(blocks.get(index + 1).attentionNorms().before()));
    }
  }

  private void enter(Rows source, Rows target) {
    join(
        "enter",
        source,
        DeviceNorm.NONE,
        source.norm(),
        target,
        source.norm().present() ? JoinKernels.STREAM_NORM : 0);
  }

  /** A branch's output joins the stream; the target gets it for the next product. */
  final void branch(String task, DeviceBlock.Norms norms, Rows target) {
    join(
        task,
        new Rows(activations.sums(), shared.identity(), DeviceNorm.NONE),
        norms.output(),
        norms.stream(),
        target,
        JoinKernels.RESIDUAL
            | (norms.output().present() ? JoinKernels.OUTPUT_NORM : 0)
            | (norms.stream().present() ? JoinKernels.STREAM_NORM : 0));
  }

  private void join(
      String task, Rows source, DeviceNorm output, DeviceNorm stream, Rows target, int flags) {
    int targetFlag = target.array() == activations.normed() ? 0 : JoinKernels.TARGET;
    int normFlag = target.norm().present() ? JoinKernels.TARGET_NORM : 0;
    graph.task(
        rowTask(task),
        JoinKernels::join,
        context(),
        rows,
        source.array(),
        source.section(),
        output.array(),
        stream.array(),
        target.norm().array(),
        activations.stream(),
        target.array(),
        target.section(),
        model.width(),
        flags | targetFlag | normFlag,
        group());
  }

  private void block(String prefix, DeviceBlock block, Rows target) {
    product(
        prefix + "Project",
        block.projection(),
        input(block.attentionNorms().before()),
        activations.projected());
    turn(prefix + "Turn", block);
    attention(prefix, block);
    product(prefix + "Output", block.output(), activations.attended(), activations.sums());
    branch(prefix + "AttentionJoin", block.attentionNorms(), normed(block.mlpNorms().before()));
    product(
        prefix + "GateUp", block.gateUp(), input(block.mlpNorms().before()), activations.both());
    gate(prefix + "Gate", block.down().columns());
    product(prefix + "Down", block.down(), activations.hidden(), activations.sums());
    branch(prefix + "MlpJoin", block.mlpNorms(), target);
  }

  /** Turns queries and keys, and stores keys and values. */
  final void turn(String task, DeviceBlock block) {
    Attention attention = block.attention();
    graph.task(
        rowTask(task),
        TurnKernels::turn,
        context(),
        rows,
        activations.projected(),
        block.turning(),
        block.rotary(),
        shared.table(),
        activations.queries(),
        block.cache(),
        shared.mostRows(),
        attention.width(),
        attention.keyValueWidth(),
        attention.headSize(),
        block.turningFlags(),
        group());
  }

  /** What the gates let through. */
  final void gate(String task, int width) {
    graph.task(
        task(task, width, 1, group()),
        JoinKernels::gateRows,
        context(),
        rows,
        activations.both(),
        activations.hidden(),
        width);
  }

  /** Attention, in one task or two. */
  final void attention(String prefix, DeviceBlock block) {
    Attention attention = block.attention();
    int heads = attention.heads();
    int headSize = attention.headSize();
    int items = shared.mostRows() * heads;
    int workSize = AttentionKernels.workSize(headSize);
    Schedule schedule = shared.schedule();
    if (schedule.lanes() == 1) {
      graph.task(
          task(prefix + "Attention", HeadAttention.items(shared.mostRows(), heads), 1, 1),
          HeadAttention::attend,
          context(),
          rows,
          activations.queries(),
          block.cache(),
          shared.table(),
          activations.work(),
          activations.attended(),
          shared.mostRows(),
          heads,
          attention.keyValueHeads(),
          headSize,
          workSize);
      return;
    }
    int lanes = AttentionKernels.lanes(headSize, schedule.lanes());
    if (schedule.warps() && lanes == schedule.lanes()) {
      graph.task(
          task(prefix + "Attention", items, lanes, group()),
          AttentionKernels::attendPartByWarps,
          context(),
          rows,
          activations.queries(),
          block.cache(),
          shared.table(),
          activations.work(),
          shared.mostRows(),
          heads,
          attention.keyValueHeads(),
          headSize,
          workSize);
    } else {
      graph.task(
          task(prefix + "Attention", items, lanes, lanes),
          AttentionKernels::attendPart,
          context(),
          rows,
          activations.queries(),
          block.cache(),
          shared.table(),
          activations.work(),
          shared.mostRows(),
          heads,
          attention.keyValueHeads(),
          headSize,
          workSize,
          lanes);
    }
    graph.task(
        task(prefix + "Combine", items, schedule.lanes(), group()),
        AttentionKernels::combine,
        context(),
        rows,
        activations.work(),
        activations.attended(),
        shared.mostRows(),
        heads,
        headSize,
        workSize,
        schedule.lanes());
  }

  /** Brings s and e side by side, as inputs of an injection. */
  final void gather(String task, int inputs) {
    graph.task(
        rowTask(task),
        SlotKernels::gather,
        context(),
        rows,
        shared.latents(),
        shared.embeddings(),
        activations.both(),
        shared.mostRows(),
        model.width(),
        inputs,
        group());
  }

  /** Goes on to the rows' next recurrence. */
  final void advance(String task) {
    graph.task(
        task(task, shared.mostRows(), 1, group()),
        SlotKernels::advance,
        context(),
        rows,
        shared.mostRows());
  }

  /** A product of all rows. */
  final void product(String task, DeviceMatrix matrix, FloatArray input, FloatArray target) {
    product(task, matrix, input, target, RowTable.ROWS, shared.identity());
  }

  /** A product of the rows that a section of the row table finds. */
  final void product(
      String task,
      DeviceMatrix matrix,
      FloatArray input,
      FloatArray target,
      int count,
      int section) {
    int items = ProductKernels.items(matrix.rows(), shared.mostRows(), shared.schedule().lanes());
    ProductTask.add(
        graph,
        task(task, items, shared.schedule().lanes(), group()),
        shared.schedule(),
        rows,
        input,
        matrix,
        shared.table(),
        target,
        count,
        section);
  }
}
