package dev.muninn.prepare;

import dev.muninn.family.TensorSource;
import dev.muninn.model.Block;
import dev.muninn.model.RecurrentModel;
import dev.muninn.model.WeightMatrix;
import dev.muninn.weights.DType;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Learns from a family how it uses a checkpoint's tensors, by names and shapes alone: each matrix
 * gets a range of addresses that nothing is at, and the matrices of the bound model tell by theirs
 * which rows of which tensor they are.
 */
final class BoundTensors implements TensorSource {
  private static final DType ELEMENT = DType.F32;

  private final Set<String> names;
  private final TreeMap<Long, Matrix> byAddress = new TreeMap<>();
  private final Map<String, Matrix> matrices = new LinkedHashMap<>();
  private final Set<String> bound = new HashSet<>();
  private final List<String> problems = new ArrayList<>();
  private long nextAddress = 1L << 32;

  /** A tensor of two dimensions, and how the model uses it. */
  static final class Matrix {
    final String name;
    final int rows;
    final int columns;
    private final long address;
    private final Set<Part> parts = EnumSet.noneOf(Part.class);
    private final TreeMap<Integer, Integer> pieces = new TreeMap<>();
    private List<Integer> inputParts;
    private boolean stacked;

    private Matrix(String name, int rows, int columns, long address) {
      this.name = name;
      this.rows = rows;
      this.columns = columns;
      this.address = address;
      this.inputParts = List.of(columns);
    }

    /**
     * Where the matrix is used: the first of its parts, and the head where that is the embedding.
     */
    Part part() {
      return parts.contains(Part.HEAD) ? Part.HEAD : parts.iterator().next();
    }

    /** Rows of the matrices that are stacked in it. */
    List<Integer> rowParts() {
      return List.copyOf(pieces.values());
    }

    List<Integer> inputParts() {
      return inputParts;
    }

    /** Whether the model uses it, all of its rows, in parts that it asks for by name. */
    private boolean isCovered() {
      int next = 0;
      for (Map.Entry<Integer, Integer> piece : pieces.entrySet()) {
        if (piece.getKey() != next) {
          return false;
        }
        next += piece.getValue();
      }
      return next == rows && (stacked || pieces.size() == 1);
    }
  }

  /**
   * Binds nothing yet.
   *
   * @param names of all tensors of the checkpoint
   */
  BoundTensors(Set<String> names) {
    this.names = names;
  }

  @Override
  public boolean contains(String name) {
    return names.contains(name);
  }

  /** Matrices that a model uses whole, by name. */
  Map<String, Matrix> matrices() {
    return matrices;
  }

  /** What a family took: the names of matrices and of vectors. */
  Set<String> used() {
    return bound;
  }

  /** What is missing or refused. */
  List<String> problems() {
    return problems;
  }

  @Override
  public WeightMatrix matrix(String name, int rows, int columns) {
    note(name);
    Matrix matrix = matrices.get(name);
    if (matrix == null) {
      matrix = new Matrix(name, rows, columns, nextAddress);
      matrices.put(name, matrix);
      byAddress.put(nextAddress, matrix);
      nextAddress += bytes(rows, columns) + (1 << 20);
    }
    MemorySegment nothing =
        MemorySegment.ofAddress(matrix.address).reinterpret(bytes(rows, columns));
    return new WeightMatrix(ELEMENT, rows, columns, nothing);
  }

  @Override
  public List<WeightMatrix> stacked(String name, int columns, int... rows) {
    List<WeightMatrix> parts = TensorSource.super.stacked(name, columns, rows);
    matrices.get(name).stacked = true;
    return parts;
  }

  private static long bytes(long rows, long columns) {
    return rows * columns * Float.BYTES;
  }

  @Override
  public float[] vector(String name, int... shape) {
    note(name);
    int size = 1;
    for (int length : shape) {
      size = Math.multiplyExact(size, length);
    }
    return new float[size];
  }

  private void note(String name) {
    bound.add(name);
    if (!contains(name)) {
      problems.add(name + " is missing");
    }
  }

  @Override
  public void refuseLayersFrom(Pattern layer, int count) {
    for (String name : names) {
      Matcher matcher = layer.matcher(name);
      if (matcher.matches() && Integer.parseInt(matcher.group(1)) >= count) {
        refuse(name);
      }
    }
  }

  @Override
  public void refuse(String name) {
    problems.add(name + " is not supported");
  }

  /** Looks where a bound model's matrices lie. */
  void observe(RecurrentModel model) {
    observe(model.embedding().matrix(), Part.EMBEDDING);
    observe(model.prelude(), Part.PRELUDE);
    model
        .core()
        .injection()
        .ifPresent(matrix -> {
          Matrix tensor = observe(matrix, Part.ADAPTER);
          int width = model.width();
          // It reads [s ; e], and the two are multiplied at different times.
          tensor.inputParts = List.of(width, tensor.columns - width);
        });
    observe(model.core().blocks(), Part.CORE);
    observe(model.coda().blocks(), Part.CODA);
    observe(model.coda().head(), Part.HEAD);
    matrices.values().removeIf(matrix -> !matrix.isCovered());
  }

  private void observe(List<Block> blocks, Part part) {
    for (Block block : blocks) {
      for (WeightMatrix matrix : block.matrices()) {
        observe(matrix, part);
      }
    }
  }

  private Matrix observe(WeightMatrix matrix, Part part) {
    long address = matrix.data().address();
    Matrix tensor = byAddress.floorEntry(address).getValue();
    int from = Math.toIntExact((address - tensor.address) / bytes(1, tensor.columns));
    tensor.parts.add(part);
    // Some columns of it only: then it stays as it is.
    tensor.pieces.put(matrix.columns() == tensor.columns ? from : -1, matrix.rows());
    return tensor;
  }
}
