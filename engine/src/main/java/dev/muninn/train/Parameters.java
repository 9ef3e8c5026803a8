package dev.muninn.train;

import dev.muninn.family.huginn.HuginnConfig;
import dev.muninn.weights.Checkpoint;
import dev.muninn.weights.CheckpointException;
import dev.muninn.weights.Tensor;
import java.util.ArrayList;
import java.util.List;

/** The trained tensors of a model, by the names of the public checkpoints, in a fixed order. */
final class Parameters {
  static final String EMBEDDING = "transformer.wte.weight";
  static final String ADAPTER = "transformer.adapter.weight";
  static final String FINAL_NORM = "transformer.ln_f.weight";
  static final String HEAD = "lm_head.weight";

  /** The tensors of one block. */
  record Block(
      Parameter norm1,
      Parameter norm2,
      Parameter norm3,
      Parameter norm4,
      Parameter queryKeyValue,
      Parameter bias,
      Parameter attentionProjection,
      Parameter gateUp,
      Parameter mlpProjection) {}

  private final List<Parameter> all = new ArrayList<>();
  private final HuginnConfig config;
  private final boolean sandwich;
  private final int threads;

  final Parameter embedding;
  final List<Block> prelude;
  final Parameter adapter;
  final List<Block> recurrentBlock;
  final List<Block> coda;
  final Parameter finalNorm;

  /** The head's own matrix; the embedding if they are tied. */
  final Parameter head;

  Parameters(HuginnConfig config, boolean sandwich, int threads) {
    this.config = config;
    this.sandwich = sandwich;
    this.threads = threads;
    long h = config.embeddingSize();
    embedding = parameter(EMBEDDING, config.vocabularySize(), h);
    prelude = blocks("prelude", config.preludeLayers());
    adapter = parameter(ADAPTER, h, 2 * h);
    recurrentBlock = blocks("core_block", config.recurrentLayers());
    coda = blocks("coda", config.codaLayers());
    finalNorm = parameter(FINAL_NORM, h);
    head = config.tiedEmbeddings() ? embedding : parameter(HEAD, config.vocabularySize(), h);
  }

  private List<Block> blocks(String part, int count) {
    List<Block> blocks = new ArrayList<>();
    long h = config.embeddingSize();
    long i = config.intermediateSize();
    for (int index = 0; index < count; index++) {
      String prefix = "transformer." + part + "." + index + ".";
      blocks.add(
          new Block(
              parameter(prefix + "norm_1.weight", h),
              sandwich ? parameter(prefix + "norm_2.weight", h) : null,
              parameter(prefix + "norm_3.weight", h),
              sandwich ? parameter(prefix + "norm_4.weight", h) : null,
              parameter(prefix + "attn.Wqkv.weight", 3 * h, h),
              config.qkBias()
                  ? parameter(prefix + "attn.qk_bias", 2, 1, config.heads(), config.headSize())
                  : null,
              parameter(prefix + "attn.proj.weight", h, h),
              parameter(prefix + "mlp.fc.weight", 2 * i, h),
              parameter(prefix + "mlp.proj.weight", h, i)));
    }
    return blocks;
  }

  private Parameter parameter(String name, long... shape) {
    List<Long> dimensions = new ArrayList<>();
    for (long size : shape) {
      dimensions.add(size);
    }
    Parameter parameter = new Parameter(name, dimensions, threads);
    all.add(parameter);
    return parameter;
  }

  /** All of them, each once. */
  List<Parameter> all() {
    return all;
  }

  /**
   * Takes the values over from a checkpoint, whatever its type. Tensors that the model has no use
   * for are ignored.
   *
   * @throws CheckpointException one line that lists every tensor that is missing, misshapen or of
   *     an unreadable type
   */
  void read(Checkpoint checkpoint) {
    List<String> problems = new ArrayList<>();
    for (Parameter parameter : all) {
      if (!checkpoint.contains(parameter.name)) {
        problems.add(parameter.name + " is missing");
        continue;
      }
      Tensor tensor = checkpoint.tensor(parameter.name);
      if (!tensor.shape().equals(parameter.shape)) {
        problems.add(
            parameter.name + " has shape " + tensor.shape() + ", expected " + parameter.shape);
      } else if (!tensor.dtype().readable()) {
        problems.add(parameter.name + " is " + tensor.dtype() + ", expected F32, F16 or BF16");
      } else {
        parameter.read(tensor, parameter.values);
      }
    }
    if (!problems.isEmpty()) {
      throw new CheckpointException(
          checkpoint.directory()
              + ": the tensors do not fit the configuration: "
              + String.join("; ", problems));
    }
  }

  /** Number of trained values. */
  long count() {
    long count = 0;
    for (Parameter parameter : all) {
      count += parameter.values.length;
    }
    return count;
  }
}
