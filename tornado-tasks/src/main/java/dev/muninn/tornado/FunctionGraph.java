package dev.muninn.tornado;

import dev.muninn.family.huginn.HuginnConfig;
import dev.muninn.tornado.kernel.AttentionKernels;
import dev.muninn.tornado.kernel.MlpKernels;
import dev.muninn.tornado.kernel.NormKernels;
import dev.muninn.tornado.kernel.RowTable;
import java.util.List;
import uk.ac.manchester.tornado.api.GridScheduler;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.enums.DataTransferMode;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * The task graph of one of the model's functions. What they share is here: the stack of sandwich
 * blocks, each of seven tasks, and the row slots, which stay on the device from one graph to the
 * next.
 */
abstract class FunctionGraph {
  final TaskGraph graph;
  final HuginnConfig config;
  final Shared shared;
  final Activations activations;
  private final String name;
  private int tasks;

  /**
   * What all graphs of a model have in common.
   *
   * @param config the model's shape
   * @param schedule how work is laid on the device
   * @param grids gets the layout of every task
   * @param mostRows most rows of an execution
   * @param rows what is said of the rows
   * @param table what 16-bit weights are read by
   * @param rotary cosines and sines, [context, head size]
   * @param latents s of every row slot
   * @param embeddings e of every row slot
   */
  record Shared(
      HuginnConfig config,
      Schedule schedule,
      GridScheduler grids,
      int mostRows,
      RowTable rows,
      FloatArray table,
      FloatArray rotary,
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

  FunctionGraph(String name, Shared shared, Activations activations, List<DeviceBlock> blocks) {
    this.name = name;
    this.shared = shared;
    this.config = shared.config();
    this.activations = activations;
    this.graph = new TaskGraph(name);
    graph.consumeFromDevice(shared.latents(), shared.embeddings());
    graph.transferToDevice(DataTransferMode.EVERY_EXECUTION, shared.rowData());
    graph.transferToDevice(DataTransferMode.FIRST_EXECUTION, shared.table(), shared.rotary());
    graph.transferToDevice(DataTransferMode.UNDER_DEMAND, activations.arrays());
    for (DeviceBlock block : blocks) {
      graph.transferToDevice(DataTransferMode.FIRST_EXECUTION, block.vectors());
      for (DeviceMatrix matrix :
          List.of(
              block.queryKeyValue(),
              block.attentionProjection(),
              block.gateUp(),
              block.mlpProjection())) {
        graph.transferToDevice(DataTransferMode.FIRST_EXECUTION, matrix.arrays());
      }
      graph.transferToDevice(DataTransferMode.UNDER_DEMAND, block.cache());
    }
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

  final float epsilon() {
    return (float) config.normEpsilon();
  }

  /**
   * The blocks one after the other, from the stream and its factors.
   *
   * @param target gets the rows of the last one
   * @param targetRows section of the row table that finds them there
   */
  final void stack(List<DeviceBlock> blocks, FloatArray target, int targetRows) {
    for (int index = 0; index < blocks.size(); index++) {
      boolean last = index == blocks.size() - 1;
      sandwich(
          "block" + index,
          blocks.get(index),
          last ? target : activations.stream(),
          last ? targetRows : shared.identity());
    }
  }

  /** {@code x = norm2(x + attention(norm1(x)))}, {@code x = norm4(x + mlp(norm3(x)))}. */
  private void sandwich(String prefix, DeviceBlock block, FloatArray target, int targetRows) {
    int width = config.embeddingSize();
    int intermediate = config.intermediateSize();
    int mostRows = shared.mostRows();
    DeviceMatrix queryKeyValue = block.queryKeyValue();
    graph.task(
        task(prefix + "QueriesKeysValues", 3 * width / 2),
        AttentionKernels::queriesKeysValues,
        context(),
        shared.rowData(),
        activations.stream(),
        activations.factors(),
        block.vectors(),
        queryKeyValue.floats(),
        queryKeyValue.halves(),
        shared.table(),
        shared.rotary(),
        activations.queries(),
        block.cache(),
        mostRows,
        width,
        config.headSize(),
        queryKeyValue.format(),
        lanes());
    graph.task(
        task(prefix + "Attention", mostRows * config.heads()),
        AttentionKernels::attend,
        context(),
        shared.rowData(),
        activations.queries(),
        block.cache(),
        shared.table(),
        activations.scores(),
        activations.attended(),
        mostRows,
        width,
        config.headSize(),
        config.contextLength(),
        lanes());
    project(
        prefix + "AttentionProjection", block.attentionProjection(), activations.attended(), width);
    norm(prefix + "Norm2", block, 1, activations.stream(), shared.identity());
    DeviceMatrix gateUp = block.gateUp();
    graph.task(
        task(prefix + "GateUp", intermediate),
        MlpKernels::gateUp,
        context(),
        shared.rowData(),
        activations.stream(),
        activations.factors(),
        block.vectors(),
        gateUp.floats(),
        gateUp.halves(),
        shared.table(),
        activations.hidden(),
        width,
        intermediate,
        gateUp.format(),
        lanes());
    project(prefix + "MlpProjection", block.mlpProjection(), activations.hidden(), intermediate);
    norm(prefix + "Norm4", block, 3, target, targetRows);
  }

  private void project(String task, DeviceMatrix matrix, FloatArray input, int inputs) {
    int width = config.embeddingSize();
    graph.task(
        task(task, width),
        MlpKernels::project,
        context(),
        shared.rowData(),
        input,
        matrix.floats(),
        matrix.halves(),
        shared.table(),
        activations.stream(),
        activations.sums(),
        inputs,
        width,
        matrix.format(),
        lanes());
  }

  private void norm(String task, DeviceBlock block, int norm, FloatArray target, int targetRows) {
    int width = config.embeddingSize();
    graph.task(
        task(task, shared.mostRows()),
        NormKernels::norm,
        context(),
        shared.rowData(),
        activations.sums(),
        shared.identity(),
        block.vectors(),
        norm * width,
        target,
        targetRows,
        activations.factors(),
        width,
        epsilon(),
        lanes());
  }

  /** The stream and its factors from rows as they are. */
  final void measure(String task, FloatArray source) {
    graph.task(
        task(task, shared.mostRows()),
        NormKernels::measure,
        context(),
        shared.rowData(),
        source,
        activations.stream(),
        activations.factors(),
        config.embeddingSize(),
        epsilon(),
        lanes());
  }
}
