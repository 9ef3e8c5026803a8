package dev.muninn.prepare;

import dev.muninn.backend.Backend;
import dev.muninn.backend.Backends;
import dev.muninn.decode.SequenceForward;
import dev.muninn.family.ConfigReader;
import dev.muninn.family.PanelTensor;
import dev.muninn.family.PreparedTensors;
import dev.muninn.model.RecurrentModel;
import dev.muninn.model.WeightMatrix;
import dev.muninn.trace.Distribution;
import dev.muninn.weights.CheckpointException;
import dev.muninn.weights.Tensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;

/** Compares a prepared checkpoint with the one that it was made from. */
public final class Verification implements AutoCloseable {
  private final OpenModel source;
  private final OpenModel prepared;
  private final PreparedTensors panels;

  /**
   * How far a tensor's weights are from the original.
   *
   * @param name of the tensor
   * @param format as config.json calls it
   * @param relative the root of the sum of squared errors over the sum of squared weights
   * @param largest the largest error of a weight
   */
  public record TensorError(String name, String format, double relative, double largest) {}

  /**
   * How far next-token distributions are from the original's.
   *
   * @param recurrence applications of the recurrent block
   * @param mean of KL(original || prepared) over the positions, in nats
   * @param largest of the positions
   * @param agreement share of the positions at which both find the same token most likely
   */
  public record Divergence(int recurrence, double mean, double largest, double agreement) {}

  private Verification(OpenModel source, OpenModel prepared, PreparedTensors panels) {
    this.source = source;
    this.prepared = prepared;
    this.panels = panels;
  }

  /**
   * Opens both.
   *
   * @param source the checkpoint as it came
   * @param prepared what was made from it
   * @throws CheckpointException in one line, if one cannot be read, or the second is not prepared
   */
  public static Verification open(Path source, Path prepared) {
    PreparedTensors panels = PreparedTensors.read(ConfigReader.of(prepared));
    if (!panels.isPrepared()) {
      throw new CheckpointException(prepared + ": not a prepared checkpoint");
    }
    OpenModel original = OpenModel.open(source);
    try {
      return new Verification(original, OpenModel.open(prepared), panels);
    } catch (RuntimeException | Error problem) {
      original.close();
      throw problem;
    }
  }

  /** The error of each tensor that lies in panels, by name. */
  public List<TensorError> errors() {
    return source.checkpoint().guard(() -> prepared.checkpoint().guard(this::readErrors));
  }

  private List<TensorError> readErrors() {
    List<TensorError> errors = new ArrayList<>();
    for (Map.Entry<String, PanelTensor> entry : new TreeMap<>(panels.tensors()).entrySet()) {
      errors.add(error(entry.getKey(), entry.getValue()));
    }
    return errors;
  }

  /** Sums over a row of a tensor, or over all. */
  private record Sums(double errors, double weights, double largest) {
    Sums plus(Sums other) {
      return new Sums(
          errors + other.errors, weights + other.weights, Math.max(largest, other.largest));
    }
  }

  private TensorError error(String name, PanelTensor layout) {
    Tensor original = source.checkpoint().tensor(name);
    Sums all = new Sums(0, 0, 0);
    int from = 0;
    for (WeightMatrix part : layout.matrices(prepared.checkpoint().tensor(name).data())) {
      int first = from;
      all =
          IntStream.range(0, part.rows())
              .parallel()
              .mapToObj(row -> sums(original, first + row, part, row, layout))
              .reduce(new Sums(0, 0, 0), Sums::plus)
              .plus(all);
      from += part.rows();
    }
    return new TensorError(
        name,
        PreparedTensors.name(layout.format()),
        all.weights == 0 ? 0 : Math.sqrt(all.errors / all.weights),
        all.largest);
  }

  private static Sums sums(
      Tensor original, long originalRow, WeightMatrix found, int row, PanelTensor layout) {
    double errors = 0;
    double weights = 0;
    double largest = 0;
    long at = originalRow * layout.inputs();
    int column = 0;
    for (int inputs : layout.inputParts()) {
      for (int i = 0; i < inputs; i++) {
        double weight = original.get(at++);
        double error = Math.abs(found.get(row, column + i) - weight);
        errors += error * error;
        weights += weight * weight;
        largest = Math.max(largest, error);
      }
      column += Math.ceilDiv(inputs, layout.format().blockInputs()) * layout.format().blockInputs();
    }
    return new Sums(errors, weights, largest);
  }

  /**
   * Compares the distributions of the next token behind each token of a text, on the CPU.
   *
   * @param tokens at least one, and no more than the model's context has
   * @param recurrences to compare at
   * @param threads that compute
   * @param cancelled asked before each application of the recurrent block
   * @return a line a recurrence; fewer if it was cancelled
   */
  public List<Divergence> divergences(
      int[] tokens, List<Integer> recurrences, int threads, BooleanSupplier cancelled) {
    List<Divergence> divergences = new ArrayList<>();
    try (Backend first = open(source, threads);
        Backend second = open(prepared, threads)) {
      for (int recurrence : recurrences) {
        float[][] expected = distributions(source, first, tokens, recurrence, cancelled);
        float[][] found =
            expected == null
                ? null
                : distributions(prepared, second, tokens, recurrence, cancelled);
        if (found == null) {
          break;
        }
        divergences.add(divergence(recurrence, expected, found));
      }
    }
    return divergences;
  }

  private static Backend open(OpenModel model, int threads) {
    return Backends.open(
        model.model(), model.checkpoint(), threads, Backends.VECTOR, Optional.empty());
  }

  /** Logarithms of the distributions behind each token; null if it was cancelled. */
  private static float[][] distributions(
      OpenModel model, Backend backend, int[] tokens, int recurrence, BooleanSupplier cancelled) {
    return model.checkpoint().guard(() -> compute(model, backend, tokens, recurrence, cancelled));
  }

  private static float[][] compute(
      OpenModel model, Backend backend, int[] tokens, int recurrence, BooleanSupplier cancelled) {
    float[][] found = new float[tokens.length][];
    try (SequenceForward sequence =
        model.sequence(backend, recurrence, tokens.length, tokens.length, cancelled)) {
      boolean complete =
          sequence.append(
              tokens,
              0,
              (position, logits) -> {
                found[position] = logits.clone();
                Distribution.logSoftmax(found[position], 0, logits.length);
              });
      return complete ? found : null;
    }
  }

  private static Divergence divergence(int recurrence, float[][] expected, float[][] found) {
    double sum = 0;
    double largest = 0;
    int same = 0;
    for (int i = 0; i < expected.length; i++) {
      double divergence = Distribution.divergence(expected[i], 0, found[i], 0, expected[i].length);
      sum += divergence;
      largest = Math.max(largest, divergence);
      same += likeliest(expected[i]) == likeliest(found[i]) ? 1 : 0;
    }
    return new Divergence(
        recurrence, sum / expected.length, largest, (double) same / expected.length);
  }

  private static int likeliest(float[] values) {
    int best = 0;
    for (int i = 1; i < values.length; i++) {
      best = values[i] > values[best] ? i : best;
    }
    return best;
  }

  /** The model as it came: its shape, its default of recurrences. */
  public RecurrentModel model() {
    return source.model();
  }

  @Override
  public void close() {
    source.close();
    prepared.close();
  }
}
