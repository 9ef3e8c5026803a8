package dev.muninn.prepare;

import dev.muninn.backend.Backend;
import dev.muninn.decode.Sampler;
import dev.muninn.decode.SamplingOptions;
import dev.muninn.decode.SequenceForward;
import dev.muninn.family.ConfigReader;
import dev.muninn.family.PanelTensor;
import dev.muninn.model.Block;
import dev.muninn.model.RecurrentModel;
import dev.muninn.model.WeightMatrix;
import dev.muninn.vector.VectorBackendProvider;
import dev.muninn.weights.CheckpointException;
import dev.muninn.weights.Tensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import java.util.function.IntPredicate;

/**
 * Sees what a model's matrices are multiplied with, on a text or on what the model itself writes.
 * With that, weights of few bits are rounded so that outputs change little, rather than weights:
 * {@link ErrorFeedback}. Computes on one thread, so that a model is prepared the same each time.
 */
public final class Calibration implements AutoCloseable {
  /** Most tokens that are looked at: enough for the moments of the inputs of a band. */
  public static final int TOKENS = 2048;

  /** Most tokens of a sequence, so that there are some of them. */
  private static final int SEQUENCE = 128;

  /** Products of weights that take some seconds, at one row after another. */
  private static final double SECONDS = 2e10;

  private final OpenModel source;
  private final Backend backend;

  /** By the address of its first element. */
  private final TreeMap<Long, Tensor> tensors = new TreeMap<>();

  /** By the address of the first of the matrices that read them. */
  private final Map<Long, InputMoments> moments = new HashMap<>();

  /** By tensor, the moments of its inputs by the first column. */
  private final Map<String, TreeMap<Long, InputMoments>> byTensor = new HashMap<>();

  private Calibration(OpenModel source) {
    this.source = source;
    for (Tensor tensor : source.checkpoint().tensors().values()) {
      if (tensor.shape().size() == 2 && tensor.byteSize() > 0) {
        tensors.put(tensor.data().address(), tensor);
      }
    }
    this.backend = new VectorBackendProvider().open(source.model(), this::see);
  }

  /**
   * Opens a model.
   *
   * @param directory of a checkpoint as it came
   * @throws CheckpointException in one line, if it cannot be read
   */
  public static Calibration open(Path directory) {
    Preparation.requireAsItCame(ConfigReader.of(directory));
    OpenModel source = OpenModel.open(directory);
    try {
      return new Calibration(source);
    } catch (RuntimeException | Error problem) {
      source.close();
      throw problem;
    }
  }

  /** The model: its context, its vocabulary. */
  public RecurrentModel model() {
    return source.model();
  }

  /** Whether {@link #write} takes no more than some seconds. */
  public boolean writesQuickly() {
    double once = weights(model().prelude()) + weights(model().coda().blocks());
    double core = weights(model().core().blocks());
    double all = once + model().defaultRecurrence() * core + model().coda().head().elements();
    return TOKENS * all < SECONDS;
  }

  private static double weights(List<Block> blocks) {
    return blocks.stream().mapToDouble(Block::weights).sum();
  }

  /**
   * Looks at what the model writes, at its default of recurrences.
   *
   * @param start the tokens that each sequence begins with, at least one
   * @param end whether a token ends a sequence
   * @param cancelled asked before each application of the recurrent block
   * @return false if it was cancelled
   */
  public boolean write(int[] start, IntPredicate end, BooleanSupplier cancelled) {
    return source.checkpoint().guard(() -> writeSequences(start, end, cancelled));
  }

  private boolean writeSequences(int[] start, IntPredicate end, BooleanSupplier cancelled) {
    int most = Math.min(Math.max(SEQUENCE, 2 * start.length), model().contextLength());
    int left = TOKENS;
    for (long seed = 0; left > 0; seed++) {
      Sampler sampler =
          new Sampler(new SamplingOptions(1, 0, 1, 0, 1, seed), model().vocabularySize());
      try (SequenceForward sequence = sequence(most, start.length, cancelled)) {
        if (!sequence.append(start)) {
          return false;
        }
        left -= start.length;
        for (int length = start.length; length < most && left > 0; length++, left--) {
          int token = sampler.sample(sequence.logits());
          if (end.test(token)) {
            break;
          }
          if (!sequence.append(token)) {
            return false;
          }
        }
      }
    }
    return true;
  }

  /**
   * Looks at a text, at the model's default of recurrences.
   *
   * @param tokens of which the first {@link #TOKENS} count
   * @param cancelled asked before each application of the recurrent block
   * @return false if it was cancelled
   */
  public boolean read(int[] tokens, BooleanSupplier cancelled) {
    return source.checkpoint().guard(() -> readSequences(tokens, cancelled));
  }

  private boolean readSequences(int[] tokens, BooleanSupplier cancelled) {
    int count = Math.min(tokens.length, TOKENS);
    int most = Math.min(count, model().contextLength());
    for (int from = 0; from < count; from += most) {
      int to = Math.min(count, from + most);
      try (SequenceForward sequence = sequence(most, most, cancelled)) {
        if (!sequence.append(Arrays.copyOfRange(tokens, from, to))) {
          return false;
        }
      }
    }
    return true;
  }

  private SequenceForward sequence(int tokens, int mostRows, BooleanSupplier cancelled) {
    return source.sequence(backend, model().defaultRecurrence(), tokens, mostRows, cancelled);
  }

  private void see(List<WeightMatrix> matrices, float[] values, int from) {
    WeightMatrix first = matrices.getFirst();
    InputMoments found = moments.get(first.data().address());
    if (found == null) {
      found = new InputMoments(first.columns());
      moments.put(first.data().address(), found);
      for (WeightMatrix matrix : matrices) {
        Tensor tensor = tensors.floorEntry(matrix.data().address()).getValue();
        long element = (matrix.data().address() - tensor.data().address()) * 8;
        long column = element / tensor.dtype().bits() % tensor.shape().get(1);
        byTensor.computeIfAbsent(tensor.name(), name -> new TreeMap<>()).put(column, found);
      }
    }
    found.add(values, from);
  }

  /** What rounding a tensor's weights is to know; null if its inputs were not seen. */
  ErrorFeedback feedback(Tensor tensor, PanelTensor layout) {
    Map<Long, InputMoments> parts = byTensor.getOrDefault(tensor.name(), new TreeMap<>());
    List<InputMoments> seen = new ArrayList<>();
    long column = 0;
    for (int inputs : layout.inputParts()) {
      InputMoments part = parts.get(column);
      if (part == null || part.inputs() != inputs) {
        return null;
      }
      seen.add(part);
      column += inputs;
    }
    return new ErrorFeedback(seen);
  }

  @Override
  public void close() {
    backend.close();
    source.close();
  }
}
