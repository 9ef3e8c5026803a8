package dev.muninn.measure;

import dev.muninn.model.RavenConfig;
import dev.muninn.weights.Checkpoint;
import dev.muninn.weights.DType;
import dev.muninn.weights.SafetensorsWriter;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/** Writes models of random weights, which are read through the memory map as real ones are. */
public final class RandomCheckpoint {
  private final RavenConfig config;
  private final DType dtype;
  private final SafetensorsWriter writer;
  private final MemorySegment buffer;

  private RandomCheckpoint(
      RavenConfig config, DType dtype, SafetensorsWriter writer, MemorySegment buffer) {
    this.config = config;
    this.dtype = dtype;
    this.writer = writer;
    this.buffer = buffer;
  }

  /**
   * Writes {@code config.json} and the weights, the same for the same arguments.
   *
   * @param dtype F32, F16 or BF16
   * @param directory exists
   * @throws IOException if the configuration cannot be written
   * @throws dev.muninn.weights.CheckpointException if the weights cannot be written
   */
  public static void write(RavenConfig config, DType dtype, Path directory) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      SafetensorsWriter writer = new SafetensorsWriter(directory.resolve(Checkpoint.SINGLE_FILE));
      MemorySegment buffer = arena.allocate(bytes(dtype, largestMatrix(config)));
      new RandomCheckpoint(config, dtype, writer, buffer).addAll();
      writer.write();
    }
    Files.writeString(directory.resolve("config.json"), json(config));
  }

  /** Bytes that the weights take as a file, but for its header and the norms. */
  public static double bytes(RavenConfig config, DType dtype) {
    ForwardCost cost = ForwardCost.of(config, dtype);
    return cost.prelude().bytes()
        + cost.injection().bytes()
        + cost.recurrence().bytes()
        + cost.coda().bytes()
        + cost.readOut().bytes()
        + (config.tiedEmbeddings() ? 1 : 2) * cost.head().bytes();
  }

  private static String json(RavenConfig config) {
    return """
    {
      "model_type": "%s",
      "n_embd": %d,
      "n_heads": %d,
      "intermediate_size": %d,
      "n_layers_in_prelude": %d,
      "n_layers_in_recurrent_block": %d,
      "n_layers_in_coda": %d,
      "mean_recurrence": %d,
      "vocab_size": %d,
      "block_size": %d,
      "rope_base": %s,
      "norm_eps": %s,
      "qk_bias": %s,
      "tie_embeddings": %s
    }
    """
        .formatted(
            RavenConfig.MODEL_TYPE,
            config.embeddingSize(),
            config.heads(),
            config.intermediateSize(),
            config.preludeLayers(),
            config.recurrentLayers(),
            config.codaLayers(),
            config.meanRecurrence(),
            config.vocabularySize(),
            config.contextLength(),
            config.ropeBase(),
            config.normEpsilon(),
            config.qkBias(),
            config.tiedEmbeddings());
  }

  private static long largestMatrix(RavenConfig config) {
    long rows =
        Math.max(
            config.vocabularySize(),
            Math.max(2 * config.intermediateSize(), 3 * config.embeddingSize()));
    return rows * config.embeddingSize();
  }

  private static long bytes(DType dtype, long elements) {
    return elements * dtype.bits() / Byte.SIZE;
  }

  /** By Takase's initialization, so that activations stay as large as in a real model. */
  private void addAll() {
    long h = config.embeddingSize();
    double deviation = config.standardDeviation();
    addRandom("transformer.wte.weight", deviation, config.vocabularySize(), h);
    addRandom("transformer.adapter.weight", deviation, h, 2 * h);
    addBlocks("prelude", config.preludeLayers());
    addBlocks("core_block", config.recurrentLayers());
    addBlocks("coda", config.codaLayers());
    addOnes("transformer.ln_f.weight", h);
    if (!config.tiedEmbeddings()) {
      addRandom("lm_head.weight", deviation, config.vocabularySize(), h);
    }
  }

  private void addBlocks(String part, int count) {
    long h = config.embeddingSize();
    long i = config.intermediateSize();
    double deviation = config.standardDeviation();
    double output = deviation / Math.sqrt(2.0 * config.effectiveDepth(config.meanRecurrence()));
    for (int block = 0; block < count; block++) {
      String prefix = "transformer." + part + "." + block + ".";
      for (int norm = 1; norm <= 4; norm++) {
        addOnes(prefix + "norm_" + norm + ".weight", h);
      }
      addRandom(prefix + "attn.Wqkv.weight", deviation, 3 * h, h);
      if (config.qkBias()) {
        addRandom(prefix + "attn.qk_bias", 0.1, 2, 1, config.heads(), config.headSize());
      }
      addRandom(prefix + "attn.proj.weight", output, h, h);
      addRandom(prefix + "mlp.fc.weight", deviation, 2 * i, h);
      addRandom(prefix + "mlp.proj.weight", output, h, i);
    }
  }

  private void addOnes(String name, long size) {
    writer.add(
        name,
        dtype,
        List.of(size),
        () -> {
          MemorySegment data = part(size);
          RandomValues.fillWith(data, dtype, 1);
          return data;
        });
  }

  private void addRandom(String name, double standardDeviation, long... shape) {
    List<Long> dimensions = Arrays.stream(shape).boxed().toList();
    long elements = Arrays.stream(shape).reduce(1, Math::multiplyExact);
    writer.add(
        name,
        dtype,
        dimensions,
        () -> {
          MemorySegment data = part(elements);
          // A uniform distribution ends at sqrt(3) standard deviations.
          RandomValues.fill(data, dtype, Math.sqrt(3) * standardDeviation, name.hashCode());
          return data;
        });
  }

  private MemorySegment part(long elements) {
    return buffer.asSlice(0, bytes(dtype, elements));
  }
}
