package dev.muninn.tornado;

import dev.muninn.model.Attention;
import dev.muninn.model.RecurrentModel;
import dev.muninn.tornado.kernel.AttentionKernels;
import dev.muninn.tornado.kernel.JoinKernels;
import dev.muninn.tornado.kernel.ProductKernels;
import dev.muninn.tornado.kernel.RowTable;
import java.util.List;
import uk.ac.manchester.tornado.api.GridScheduler;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.enums.DataTransferMode;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * The task graph of one of the model's functions. What they share is here: the stack of blocks,
 * each of eight tasks, and the row slots, which stay on the device from one graph to the next.
 */
abstract class FunctionGraph {
  final TaskGraph graph;
  final RecurrentModel model;
  final Shared shared;
  final Activations activations;
  private final String name;
  private final List<DeviceBlock> blocks;
  private int tasks;

  /**
   * What all graphs of a model have in common.
   *
   * @param model what is computed
   * @param schedule how work is laid on the device
   * @param grids gets the layout of every task
   * @param mostRows most rows of an execution
   * @param context most positions of a sequence
   * @param rows what is said of the rows
   * @param table what 16-bit weights are read by
   * @param latents s of every row slot
   * @param embeddings e of every row slot
   */
  record Shared(
      RecurrentModel model,
      Schedule schedule,
      GridScheduler grids,
      int mostRows,
      int context,
      RowTable rows,
      FloatArray table,
      FloatArray latents,
      FloatArray embeddings) {
    /** The numbers of the row table. */
    IntArray rowData() {
      return rows.data();
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

  FunctionGraph(String name, Shared shared, Activations activations, List<DeviceBlock> blocks) {
    this.name = name;
    this.shared = shared;
    this.model = shared.model();
    this.activations = activations;
    this.blocks = blocks;
    this.graph = new TaskGraph(name);
    graph.consumeFromDevice(shared.latents(), shared.embeddings());
    graph.transferToDevice(DataTransferMode.EVERY_EXECUTION, shared.rowData());
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
  final String task(String task, int items) {
    shared.schedule().lay(shared.grids(), name + "." + task, items);
    tasks++;
    return task;
  }

  static KernelContext context() {
    return new KernelContext();
  }

  final int lanes() {
    return shared.schedule().lanes();
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
  private void branch(String task, DeviceBlock.Norms norms, Rows target) {
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
        task(task, shared.mostRows()),
        JoinKernels::join,
        context(),
        shared.rowData(),
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
        lanes());
  }

  private void block(String prefix, DeviceBlock block, Rows target) {
    final int mostRows = shared.mostRows();
    Attention attention = block.attention();
    queriesKeysValues(prefix, block);
    graph.task(
        task(prefix + "Turn", mostRows),
        AttentionKernels::turn,
        context(),
        shared.rowData(),
        activations.projected(),
        block.turning(),
        block.rotary(),
        shared.table(),
        activations.queries(),
        block.cache(),
        mostRows,
        attention.width(),
        attention.keyValueWidth(),
        attention.headSize(),
        block.turningFlags(),
        lanes());
    graph.task(
        task(prefix + "Attention", mostRows * attention.heads()),
        AttentionKernels::attend,
        context(),
        shared.rowData(),
        activations.queries(),
        block.cache(),
        shared.table(),
        activations.scores(),
        activations.attended(),
        mostRows,
        attention.heads(),
        attention.keyValueHeads(),
        attention.headSize(),
        shared.context(),
        lanes());
    product(prefix + "Output", block.output(), activations.attended(), activations.sums());
    branch(prefix + "AttentionJoin", block.attentionNorms(), normed(block.mlpNorms().before()));
    gateUp(prefix, block);
    product(prefix + "Down", block.down(), activations.hidden(), activations.sums());
    branch(prefix + "MlpJoin", block.mlpNorms(), target);
  }

  private void queriesKeysValues(String prefix, DeviceBlock block) {
    Attention attention = block.attention();
    DeviceMatrix query = block.query();
    DeviceMatrix key = block.key();
    DeviceMatrix value = block.value();
    graph.task(
        task(prefix + "QueriesKeysValues", attention.width() + 2 * attention.keyValueWidth()),
        ProductKernels::queriesKeysValues,
        context(),
        shared.rowData(),
        input(block.attentionNorms().before()),
        query.floats(),
        query.halves(),
        key.floats(),
        key.halves(),
        value.floats(),
        value.halves(),
        shared.table(),
        activations.projected(),
        model.width(),
        attention.width(),
        attention.keyValueWidth(),
        query.format(),
        key.format(),
        value.format(),
        lanes());
  }

  private void gateUp(String prefix, DeviceBlock block) {
    DeviceMatrix gate = block.gate();
    DeviceMatrix up = block.up();
    graph.task(
        task(prefix + "GateUp", gate.rows()),
        ProductKernels::gateUp,
        context(),
        shared.rowData(),
        input(block.mlpNorms().before()),
        gate.floats(),
        gate.halves(),
        up.floats(),
        up.halves(),
        shared.table(),
        activations.hidden(),
        model.width(),
        gate.rows(),
        gate.format(),
        up.format(),
        lanes());
  }

  private void product(String task, DeviceMatrix matrix, FloatArray input, FloatArray target) {
    graph.task(
        task(task, matrix.rows()),
        ProductKernels::product,
        context(),
        shared.rowData(),
        input,
        matrix.floats(),
        matrix.halves(),
        shared.table(),
        target,
        matrix.columns(),
        matrix.rows(),
        matrix.format(),
        lanes());
  }
}
