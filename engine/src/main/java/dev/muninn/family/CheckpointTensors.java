package dev.muninn.family;

import dev.muninn.model.WeightMatrix;
import dev.muninn.weights.Checkpoint;
import dev.muninn.weights.CheckpointException;
import dev.muninn.weights.DType;
import dev.muninn.weights.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The tensors of a checkpoint, whose matrices stay in the mapped files. */
final class CheckpointTensors implements TensorSource {
  /** Problems that one line names: a wrong width makes one of every tensor. */
  private static final int MOST_NAMED = 8;

  private final Checkpoint checkpoint;
  private final PreparedTensors prepared;
  private final Set<String> unread;
  private final List<String> problems = new ArrayList<>();

  /**
   * Binds nothing yet.
   *
   * @param prepared which tensors lie in panels
   */
  CheckpointTensors(Checkpoint checkpoint, PreparedTensors prepared) {
    this.checkpoint = checkpoint;
    this.prepared = prepared;
    this.unread = new TreeSet<>(prepared.tensors().keySet());
  }

  @Override
  public boolean contains(String name) {
    return checkpoint.contains(name);
  }

  @Override
  public WeightMatrix matrix(String name, int rows, int columns) {
    if (prepared.tensors().containsKey(name)) {
      return stacked(name, columns, rows).getFirst();
    }
    Tensor tensor = tensor(name, rows, columns);
    if (tensor == null) {
      return WeightMatrix.shapeOnly(DType.F32, rows, columns);
    }
    return new WeightMatrix(tensor.dtype(), rows, columns, plain(tensor));
  }

  /**
   * A mapped segment is of another class than other native memory; kernels that saw both would ask
   * at every access which one they have, which costs a quarter of their speed.
   */
  private static MemorySegment plain(Tensor tensor) {
    return tensor.data().reinterpret(tensor.byteSize());
  }

  @Override
  public List<WeightMatrix> stacked(String name, int columns, int... rows) {
    PanelTensor layout = prepared.tensors().get(name);
    if (layout == null) {
      return TensorSource.super.stacked(name, columns, rows);
    }
    List<Integer> parts = Arrays.stream(rows).boxed().toList();
    MemorySegment data = panels(name, layout, parts, columns);
    if (data != null) {
      return layout.matrices(data);
    }
    return parts.stream().map(part -> WeightMatrix.shapeOnly(DType.F32, part, columns)).toList();
  }

  /** The bytes of a tensor in panels, or null after its problem was noted. */
  private MemorySegment panels(String name, PanelTensor panels, List<Integer> rows, int columns) {
    unread.remove(name);
    if (!panels.rowParts().equals(rows) || panels.inputs() != columns) {
      problems.add(
          "%s has rows %s and inputs %s by %s, expected %s and %d"
              .formatted(
                  name,
                  panels.rowParts(),
                  panels.inputParts(),
                  PreparedTensors.KEY,
                  rows,
                  columns));
      return null;
    }
    Tensor tensor = find(name);
    if (tensor == null) {
      return null;
    }
    if (tensor.dtype() != panels.dtype() || !tensor.shape().equals(panels.shape())) {
      problems.add(
          "%s is %s of shape %s, expected %s of shape %s for %s in panels"
              .formatted(
                  name,
                  tensor.dtype(),
                  tensor.shape(),
                  panels.dtype(),
                  panels.shape(),
                  PreparedTensors.name(panels.format())));
      return null;
    }
    MemorySegment data = plain(tensor);
    PanelScales.problem(tensor, data, panels).ifPresent(problems::add);
    return data;
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
    Tensor tensor = find(name);
    if (tensor == null) {
      return null;
    }
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

  private Tensor find(String name) {
    if (!checkpoint.contains(name)) {
      problems.add(name + " is missing");
      return null;
    }
    return checkpoint.tensor(name);
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
    for (String name : unread) {
      problems.add(name + " is no matrix of the model, but " + PreparedTensors.KEY + " names it");
    }
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
