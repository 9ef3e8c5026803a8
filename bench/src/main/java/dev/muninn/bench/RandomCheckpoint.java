package dev.muninn.bench;

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

/**
 * A model's weights as a file: read through the memory map, as in use. Each is written once in a
 * run, by the first benchmark that wants it.
 */
final class RandomCheckpoint {
  /**
   * The run's temporary directory. A property, since it is what {@link Main} can hand to the JVMs
   * that JMH starts without making it a parameter of the results.
   */
  static final String DIRECTORY_PROPERTY = "muninn.bench.checkpoints";

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

  /** Opens the checkpoint of a shape and type, after writing it if this run has not yet. */
  static Checkpoint open(ModelShape shape, DType dtype) {
    String parent = System.getProperty(DIRECTORY_PROPERTY);
    if (parent == null) {
      throw new IllegalStateException("no directory for checkpoints; run " + Main.class.getName());
    }
    Path directory = Path.of(parent, shape + "-" + dtype);
    Path file = directory.resolve(Checkpoint.SINGLE_FILE);
    if (!Files.exists(file)) {
      try (Arena arena = Arena.ofConfined()) {
        Files.createDirectories(directory);
        RavenConfig config = shape.config();
        SafetensorsWriter writer = new SafetensorsWriter(file);
        MemorySegment buffer = arena.allocate(bytes(dtype, largestMatrix(config)));
        new RandomCheckpoint(config, dtype, writer, buffer).addAll();
        writer.write();
      } catch (IOException e) {
        throw new IllegalStateException(directory + " cannot be created", e);
      }
    }
    return Checkpoint.open(directory);
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
      addRandom(prefix + "attn.qk_bias", 0.1, 2, 1, config.heads(), config.headSize());
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
