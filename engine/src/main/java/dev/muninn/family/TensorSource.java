package dev.muninn.family;

import dev.muninn.model.Norm;
import dev.muninn.model.WeightMatrix;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;

/**
 * Where a family takes a model's tensors from, by name and shape: a checkpoint, or a list of those
 * that one would have. A tensor that is missing or wrong is noted and replaced by one of the right
 * shape, so that all problems come out in one line in the end.
 */
public interface TensorSource {

  /** Whether a tensor of this name is there. */
  boolean contains(String name);

  /** A matrix in place, [rows, columns]. */
  WeightMatrix matrix(String name, int rows, int columns);

  /**
   * Matrices that a checkpoint has as one, above each other.
   *
   * @param rows of each
   * @return one for each of them, in place
   */
  default List<WeightMatrix> stacked(String name, int columns, int... rows) {
    WeightMatrix all = matrix(name, Arrays.stream(rows).sum(), columns);
    List<WeightMatrix> parts = new ArrayList<>();
    int from = 0;
    for (int count : rows) {
      parts.add(all.rows(from, count));
      from += count;
    }
    return parts;
  }

  /**
   * A matrix whose product is added to the residual stream; a model of random weights has smaller
   * ones there.
   */
  default WeightMatrix output(String name, int rows, int columns) {
    return matrix(name, rows, columns);
  }

  /** A few numbers, widened to f32. */
  float[] vector(String name, int... shape);

  /** The scale of a norm, with its epsilon. */
  default Norm norm(String name, int size, float epsilon) {
    return new Norm(vector(name, size), epsilon);
  }

  /**
   * Notes tensors of layers that the configuration does not have.
   *
   * @param layer matches the name of a tensor of such a part; its only group is the layer's number
   * @param count layers that there should be
   */
  void refuseLayersFrom(Pattern layer, int count);

  /** Notes a tensor that the family would leave out silently. */
  void refuse(String name);

  /**
   * The embedding, or the one matrix that a tied checkpoint has under the head's name.
   *
   * @param head name of the head's matrix
   * @param tied whether the head is the embedding
   */
  default WeightMatrix embedding(String name, String head, boolean tied, int rows, int columns) {
    boolean underTheHeadsName = tied && !contains(name) && contains(head);
    return matrix(underTheHeadsName ? head : name, rows, columns);
  }
}
