package dev.muninn.measure;

import dev.muninn.model.RavenConfig;
import dev.muninn.weights.Checkpoint;
import dev.muninn.weights.DType;
import dev.muninn.weights.Tensor;

/**
 * What the matrices of a model's parts cost, as the CPU divides them. A call of a part reads each
 * of its weights once and multiplies it with every row. Norms, biases and exponentials are not
 * counted.
 *
 * @param config the model's shape
 * @param prelude blocks of P, without the embedding, of which a row is copied
 * @param injection the half of the adapter that e passes through, once for all applications of R
 * @param recurrence the half that s passes through, and blocks of R, for one application
 * @param coda blocks of C, but for what follows the last one's attention
 * @param readOut what follows it, for rows whose logits are wanted
 * @param head from the last state to the logits
 */
public record ForwardCost(
    RavenConfig config,
    Part prelude,
    Part injection,
    Part recurrence,
    Part coda,
    Part readOut,
    Part head) {

  /**
   * Matrices that are used together.
   *
   * @param weights their elements
   * @param bytes what they take in memory
   */
  public record Part(long weights, double bytes) {
    /** Multiplications and additions for some rows. */
    public double operations(long rows) {
      return 2.0 * weights * rows;
    }
  }

  /** Of weights of one type. */
  public static ForwardCost of(RavenConfig config, DType dtype) {
    double bytes = (double) dtype.bits() / Byte.SIZE;
    return of(config, bytes, bytes, bytes, bytes);
  }

  /** Of a checkpoint, whose parts may be of different types. */
  public static ForwardCost of(RavenConfig config, Checkpoint checkpoint) {
    String head = config.tiedEmbeddings() ? "transformer.wte.weight" : "lm_head.weight";
    return of(
        config,
        bytesPerWeight(checkpoint, "transformer.prelude."),
        bytesPerWeight(checkpoint, "transformer.core_block."),
        bytesPerWeight(checkpoint, "transformer.coda."),
        bytesPerWeight(checkpoint, head));
  }

  private static ForwardCost of(
      RavenConfig config, double prelude, double recurrence, double coda, double head) {
    long h = config.embeddingSize();
    long attention = 3 * h * h;
    long feedForward = h * h + 3 * h * config.intermediateSize();
    long block = attention + feedForward;
    return new ForwardCost(
        config,
        part(config.preludeLayers() * block, prelude),
        part(h * h, recurrence),
        part(h * h + config.recurrentLayers() * block, recurrence),
        part((config.codaLayers() - 1) * block + attention, coda),
        part(feedForward, coda),
        part(h * config.vocabularySize(), head));
  }

  private static Part part(long weights, double bytesPerWeight) {
    return new Part(weights, weights * bytesPerWeight);
  }

  /** The mean over the tensors whose names begin so: 2 for BF16. */
  private static double bytesPerWeight(Checkpoint checkpoint, String prefix) {
    long bytes = 0;
    long elements = 0;
    for (Tensor tensor : checkpoint.tensors().values()) {
      if (tensor.name().startsWith(prefix)) {
        bytes += tensor.byteSize();
        elements += tensor.elements();
      }
    }
    return (double) bytes / elements;
  }

  /**
   * Keys and values that one block reads for one row or for rows of one call.
   *
   * @param positions how many it may see
   * @param bytes of one number
   */
  public double keyValueBytes(long positions, int bytes) {
    return 2.0 * config.embeddingSize() * positions * bytes;
  }

  /** Multiplications and additions of one block's attention for one row. */
  public double attentionOperations(long positions) {
    return 4.0 * config.embeddingSize() * positions;
  }
}
