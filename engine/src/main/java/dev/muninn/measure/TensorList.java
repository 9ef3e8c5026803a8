package dev.muninn.measure;

import dev.muninn.family.TensorSource;
import dev.muninn.model.Norm;
import dev.muninn.model.WeightMatrix;
import dev.muninn.weights.DType;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/** Notes the tensors that a family binds: those that a checkpoint of a configuration would have. */
final class TensorList implements TensorSource {

  /** What a tensor is for, which says how large its random values should be. */
  enum Role {
    MATRIX,
    /** Its product is added to the residual stream. */
    OUTPUT,
    NORM,
    VECTOR
  }

  /**
   * A tensor to write.
   *
   * @param shape its dimensions
   */
  record Entry(String name, List<Long> shape, Role role) {
    long elements() {
      return shape.stream().reduce(1L, Math::multiplyExact);
    }
  }

  private final DType dtype;
  private final Map<String, Entry> entries = new LinkedHashMap<>();

  TensorList(DType dtype) {
    this.dtype = dtype;
  }

  /** The tensors in the order in which they were bound. */
  List<Entry> entries() {
    return List.copyOf(entries.values());
  }

  private void note(String name, Role role, long... shape) {
    entries.put(name, new Entry(name, Arrays.stream(shape).boxed().toList(), role));
  }

  /** What makes a family another's is not there; a learned exit is. */
  @Override
  public boolean contains(String name) {
    return name.contains("early_exit_gate");
  }

  @Override
  public WeightMatrix matrix(String name, int rows, int columns) {
    note(name, Role.MATRIX, rows, columns);
    return WeightMatrix.shapeOnly(dtype, rows, columns);
  }

  @Override
  public WeightMatrix output(String name, int rows, int columns) {
    note(name, Role.OUTPUT, rows, columns);
    return WeightMatrix.shapeOnly(dtype, rows, columns);
  }

  @Override
  public float[] vector(String name, int... shape) {
    note(name, Role.VECTOR, Arrays.stream(shape).asLongStream().toArray());
    return new float[Arrays.stream(shape).reduce(1, Math::multiplyExact)];
  }

  @Override
  public Norm norm(String name, int size, float epsilon) {
    note(name, Role.NORM, size);
    return new Norm(new float[size], epsilon);
  }

  @Override
  public void refuseLayersFrom(Pattern layer, int count) {
    // There are no others.
  }

  @Override
  public void refuse(String name) {
    throw new IllegalStateException(name + " is not in the list");
  }
}
