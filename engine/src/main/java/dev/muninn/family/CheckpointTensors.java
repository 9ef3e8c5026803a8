package dev.muninn.family;

import dev.muninn.model.WeightMatrix;
import dev.muninn.weights.Checkpoint;
import dev.muninn.weights.CheckpointException;
import dev.muninn.weights.DType;
import dev.muninn.weights.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The tensors of a checkpoint, whose matrices stay in the mapped files. */
final class CheckpointTensors implements TensorSource {
  /** Problems that one line names: a wrong width makes one of every tensor. */
  private static final int MOST_NAMED = 8;

  private final Checkpoint checkpoint;
  private final List<String> problems = new ArrayList<>();

  CheckpointTensors(Checkpoint checkpoint) {
    this.checkpoint = checkpoint;
  }

  @Override
  public boolean contains(String name) {
    return checkpoint.contains(name);
  }

  @Override
  public WeightMatrix matrix(String name, int rows, int columns) {
    Tensor tensor = tensor(name, rows, columns);
    if (tensor == null) {
      return WeightMatrix.shapeOnly(DType.F32, rows, columns);
    }
    // A mapped segment is of another class than other native memory; kernels that saw both would
    // ask at every access which one they have, which costs a quarter of their speed.
    MemorySegment plain = tensor.data().reinterpret(tensor.byteSize());
    return new WeightMatrix(tensor.dtype(), rows, columns, plain);
  }

  @Override
  public float[] vector(String name, int... shape) {
    int size = 1;
    for (int length : shape) {
      size *= length;
    }
    float[] values = new float[size];
    Tensor tensor = tensor(name, shape);
    if (tensor != null) {
      for (int i = 0; i < size; i++) {
        values[i] = tensor.get(i);
      }
    }
    return values;
  }

  /** The tensor, or null after its problem was noted. */
  private Tensor tensor(String name, int... shape) {
    if (!checkpoint.contains(name)) {
      problems.add(name + " is missing");
      return null;
    }
    Tensor tensor = checkpoint.tensor(name);
    List<Long> expected = new ArrayList<>();
    for (int size : shape) {
      expected.add((long) size);
    }
    if (!tensor.shape().equals(expected)) {
      problems.add(name + " has shape " + tensor.shape() + ", expected " + expected);
      return null;
    }
    if (!tensor.dtype().readable()) {
      problems.add(name + " is " + tensor.dtype() + ", expected F32, F16 or BF16");
      return null;
    }
    return tensor;
  }

  @Override
  public void refuseLayersFrom(Pattern layer, int count) {
    for (String name : checkpoint.tensors().keySet()) {
      Matcher matcher = layer.matcher(name);
      if (matcher.matches() && Integer.parseInt(matcher.group(1)) >= count) {
        problems.add(name + " is beyond the " + count + " blocks of that part");
      }
    }
  }

  @Override
  public void refuse(String name) {
    problems.add(name + " is not supported");
  }

  /**
   * Ends the binding.
   *
   * @throws CheckpointException one line with what is missing, misshapen, of an unreadable type or
   *     of a layer that the configuration does not have
   */
  void requireNoProblems() {
    if (problems.isEmpty()) {
      return;
    }
    int unnamed = problems.size() - MOST_NAMED;
    throw new CheckpointException(
        checkpoint.directory()
            + ": the tensors do not fit config.json: "
            + String.join("; ", problems.subList(0, Math.min(problems.size(), MOST_NAMED)))
            + (unnamed > 0 ? "; and " + unnamed + " more" : ""));
  }
}
