package dev.muninn.family;

import dev.muninn.model.WeightFormat;
import dev.muninn.model.WeightMatrix;
import dev.muninn.weights.DType;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * The shape of a matrix that lies in panels of {@value #PANEL} rows. Each part of the rows begins
 * on a panel of its own, whose last rows may be padding; in formats of few bits each part of the
 * inputs begins on a block of its own.
 *
 * @param format one of {@link #FORMATS}
 * @param rowParts rows of the matrices that are stacked here, such as queries, keys and values
 * @param inputParts inputs by what they are taken from, such as the two halves of an injection
 */
public record PanelTensor(WeightFormat format, List<Integer> rowParts, List<Integer> inputParts) {
  /** Rows of a panel. */
  public static final int PANEL = WeightFormat.PANEL_ROWS;

  /** Inputs that share a scale. */
  public static final int BLOCK = WeightFormat.BLOCK_INPUTS;

  /** The formats that lie in panels. */
  public static final List<WeightFormat> FORMATS =
      List.of(WeightFormat.BF16_PANELS, WeightFormat.Q8, WeightFormat.Q4);

  public PanelTensor {
    if (!FORMATS.contains(format)) {
      throw new IllegalArgumentException(format + " does not lie in panels");
    }
    rowParts = List.copyOf(rowParts);
    inputParts = List.copyOf(inputParts);
  }

  /** Rows of the matrix, without padding. */
  public int rows() {
    return rowParts.stream().mapToInt(rows -> rows).sum();
  }

  /** Inputs of the matrix, without padding. */
  public int inputs() {
    return inputParts.stream().mapToInt(inputs -> inputs).sum();
  }

  /**
   * Inputs with the padding between parts: what the last part's begin is counted from. Formats
   * without blocks have no padding.
   */
  public int paddedInputs() {
    int padded = 0;
    for (int inputs : inputParts.subList(0, inputParts.size() - 1)) {
      padded += Math.ceilDiv(inputs, format.blockInputs()) * format.blockInputs();
    }
    return padded + inputParts.getLast();
  }

  /** Panels of all parts. */
  public int panels() {
    return rowParts.stream().mapToInt(rows -> Math.ceilDiv(rows, PANEL)).sum();
  }

  /** Blocks of the inputs in a panel. */
  public int blocks() {
    return inputParts.stream().mapToInt(inputs -> Math.ceilDiv(inputs, BLOCK)).sum();
  }

  /** Bytes of a panel. */
  public long panelBytes() {
    return format.bytes(paddedInputs());
  }

  /** The type that the file gives the tensor. */
  public DType dtype() {
    return format == WeightFormat.BF16_PANELS ? DType.BF16 : DType.U8;
  }

  /** The shape that the file gives the tensor. */
  public List<Long> shape() {
    return format == WeightFormat.BF16_PANELS
        ? List.of((long) panels(), (long) inputs(), (long) PANEL)
        : List.of((long) panels(), (long) blocks(), (long) format.blockBytes());
  }

  /**
   * The matrices that are stacked in a tensor, in place. Their columns are {@link #paddedInputs}.
   *
   * @param data all panels
   */
  public List<WeightMatrix> matrices(MemorySegment data) {
    List<WeightMatrix> matrices = new ArrayList<>();
    long from = 0;
    for (int rows : rowParts) {
      long size = Math.ceilDiv(rows, PANEL) * panelBytes();
      matrices.add(new WeightMatrix(format, rows, paddedInputs(), data.asSlice(from, size)));
      from += size;
    }
    return matrices;
  }
}
