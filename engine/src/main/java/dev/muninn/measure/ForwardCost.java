package dev.muninn.measure;

import dev.muninn.model.Attention;
import dev.muninn.model.Block;
import dev.muninn.model.RecurrentModel;
import dev.muninn.model.WeightMatrix;
import java.util.ArrayList;
import java.util.List;

/**
 * The cost of the matrices of a model's parts, as the CPU divides them. A call of a part reads each
 * of its weights once and multiplies it with every row. Norms, biases and exponentials are not
 * counted.
 *
 * @param model the model
 * @param prelude blocks of P, without the embedding, of which a row is copied
 * @param injection the half of the adapter that e passes through, once for all applications of R
 * @param recurrence the half that s passes through, and blocks of R, for one application
 * @param coda blocks of C, but for what follows the last one's attention
 * @param readOut what follows it, for rows whose logits are wanted
 * @param head from the last state to the logits
 */
public record ForwardCost(
    RecurrentModel model,
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

    private static Part of(List<WeightMatrix> matrices) {
      return new Part(
          matrices.stream().mapToLong(WeightMatrix::elements).sum(),
          matrices.stream().mapToLong(WeightMatrix::bytes).sum());
    }
  }

  /** Of a model, whose parts may be of different types. */
  public static ForwardCost of(RecurrentModel model) {
    int width = model.width();
    List<WeightMatrix> injection = new ArrayList<>();
    List<WeightMatrix> recurrence = new ArrayList<>();
    model
        .core()
        .injection()
        .ifPresent(matrix -> {
          recurrence.add(matrix.part(0, width));
          injection.add(matrix.part(width, width));
        });
    model.core().blocks().forEach(block -> recurrence.addAll(block.matrices()));
    List<WeightMatrix> prelude = new ArrayList<>();
    model.prelude().forEach(block -> prelude.addAll(block.matrices()));
    List<WeightMatrix> coda = new ArrayList<>();
    List<WeightMatrix> readOut = new ArrayList<>();
    List<Block> blocks = model.coda().blocks();
    for (int i = 0; i < blocks.size(); i++) {
      coda.addAll(blocks.get(i).queryKeyValue());
      (i < blocks.size() - 1 ? coda : readOut).addAll(blocks.get(i).feedForward());
    }
    return new ForwardCost(
        model,
        Part.of(prelude),
        Part.of(injection),
        Part.of(recurrence),
        Part.of(coda),
        Part.of(readOut),
        Part.of(List.of(model.coda().head())));
  }

  /**
   * Keys and values that one block reads for one row or for rows of one call.
   *
   * @param positions how many it may see
   * @param bytes of one number
   */
  public double keyValueBytes(long positions, int bytes) {
    return 2.0 * model.keyValueHeads() * model.headSize() * positions * bytes;
  }

  /** Multiplications and additions of one block's attention for one row. */
  public double attentionOperations(long positions) {
    Attention attention = model.core().blocks().getFirst().attention();
    return 4.0 * attention.width() * positions;
  }
}
