package dev.muninn.vector;

import dev.muninn.cache.KeyValueType;
import dev.muninn.kernel.Lanes;
import dev.muninn.kernel.NativeMemory;
import dev.muninn.kernel.RowKernels;
import dev.muninn.kernel.WeightedSums;
import dev.muninn.model.WeightFormat;
import dev.muninn.model.WeightMatrix;
import dev.muninn.weights.DType;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/** Every kernel of a part once, on the smallest sizes that use all of it, for {@link WarmUp}. */
final class KernelCalls {
  /**
   * Enough for more than one turn of every loop, for what is compiled here stays; but so few that a
   * kernel is compiled for its calls, and not before that for its loop, which takes the compiler
   * three times as long.
   */
  private static final int COLUMNS = 4 * Lanes.CHUNK;

  private final float[] x = new float[PackedRows.TILE * COLUMNS + Lanes.COUNT];
  private final float[] y =
      new float[Math.max(x.length, PackedRows.WIDE_TILE * MatrixKernels.UNIT)];
  private final MatrixKernels.Scratch scratch = new MatrixKernels.Scratch();
  private int turn;

  // One is packed for weights that come two to a lane, one is not.
  private final PackedRows paired = new PackedRows(1, COLUMNS);
  private final PackedRows plain = new PackedRows(1, COLUMNS);

  private KernelCalls() {
    paired.shape(1, COLUMNS, WeightFormat.BF16);
    plain.shape(1, COLUMNS, WeightFormat.F32);
  }

  /** Calls the kernels of a part. */
  static Runnable of(WarmUp.Part part) {
    KernelCalls calls = new KernelCalls();
    return switch (part) {
      case ROWS -> calls::rows;
      case F32_STORE -> calls.store(DType.F32);
      case BF16_STORE -> calls.store(DType.BF16);
      case BYTE_STORE -> calls.byteStore();
      case F32_ROW -> calls.row(WeightFormat.F32);
      case F16_ROW -> calls.row(WeightFormat.F16);
      case BF16_ROW -> calls.row(WeightFormat.BF16);
      case F32_TILES -> calls.tiles(WeightFormat.F32);
      case F16_TILES -> calls.tiles(WeightFormat.F16);
      case BF16_TILES -> calls.tiles(WeightFormat.BF16);
      case BF16_WIDE -> calls.wide();
      case PACKING -> calls.packing();
      case BF16_PANELS -> calls.panels(WeightFormat.BF16_PANELS);
      case Q8_PANELS -> calls.panels(WeightFormat.Q8);
      case Q4_PANELS -> calls.panels(WeightFormat.Q4);
    };
  }

  private static WeightMatrix matrix(WeightFormat format, int columns) {
    long bytes = MatrixKernels.UNIT * format.bytes(columns);
    return new WeightMatrix(
        format, MatrixKernels.UNIT, columns, NativeMemory.allocateAutomatic(bytes));
  }

  private void multiply(WeightMatrix matrix, PackedRows rows) {
    rows.pack(0, x, 0);
    MatrixKernels.multiply(matrix, 0, MatrixKernels.UNIT, rows, y, 0, MatrixKernels.UNIT, scratch);
  }

  private Runnable row(WeightFormat format) {
    WeightMatrix matrix = matrix(format, COLUMNS);
    PackedRows row = new PackedRows(1, COLUMNS);
    row.shape(1, COLUMNS, format);
    return () -> multiply(matrix, row);
  }

  private Runnable tiles(WeightFormat format) {
    // Whole chunks end otherwise than left-over columns do.
    WeightMatrix whole = matrix(format, COLUMNS);
    WeightMatrix ragged = matrix(format, COLUMNS - Lanes.CHUNK + 3);
    PackedRows rows = new PackedRows(PackedRows.TILE, COLUMNS);
    return () -> {
      WeightMatrix matrix = turn++ % 2 == 0 ? whole : ragged;
      rows.shape(PackedRows.TILE, matrix.columns(), format);
      multiply(matrix, rows);
    };
  }

  private Runnable wide() {
    WeightMatrix matrix = matrix(WeightFormat.BF16, COLUMNS);
    PackedRows rows = new PackedRows(PackedRows.WIDE_TILE, COLUMNS);
    rows.shape(PackedRows.WIDE_TILE, COLUMNS, WeightFormat.BF16, Lanes.CHUNK / 8);
    return () -> {
      multiply(matrix, rows);
      // More outputs have whole vectors of results.
      Lanes.copy(x, 0, y, 0, Lanes.COUNT);
    };
  }

  private Runnable packing() {
    int outputs = WeightFormat.PANEL_ROWS;
    int rows = PackingProducts.LEAST_ROWS;
    float[] values = new float[COLUMNS];
    float[] results = new float[rows * outputs];
    WeightFormat[] formats = {WeightFormat.BF16, WeightFormat.F16, WeightFormat.F32};
    WeightMatrix[] matrices = new WeightMatrix[formats.length];
    PackedRows[] packed = new PackedRows[formats.length];
    for (int i = 0; i < formats.length; i++) {
      MemorySegment data = NativeMemory.allocateAutomatic(outputs * formats[i].bytes(COLUMNS));
      matrices[i] = new WeightMatrix(formats[i], outputs, COLUMNS, data);
      packed[i] = new PackedRows(rows, COLUMNS, formats[i]);
      packed[i].shapeForPacking(rows, COLUMNS, formats[i]);
    }
    return () -> {
      int i = turn++ % formats.length;
      packed[i].pack(0, values, 0);
      MatrixKernels.multiply(matrices[i], 0, outputs, packed[i], results, 0, outputs, scratch);
    };
  }

  /** One row, a few and many. */
  private Runnable panels(WeightFormat format) {
    int outputs = 4 * WeightFormat.PANEL_ROWS;
    int columns = 2 * WeightFormat.BLOCK_INPUTS;
    MemorySegment data =
        NativeMemory.allocateAutomatic(format.strides(outputs) * format.bytes(columns));
    WeightMatrix matrix = new WeightMatrix(format, outputs, columns, data);
    int many = 3 * PanelRows.GROUP;
    PackedRows one = new PackedRows(1, columns, format);
    PackedRows few = new PackedRows(PanelRows.GROUP, columns, format);
    PackedRows more = new PackedRows(many, columns, format);
    one.shape(1, columns, format);
    few.shape(PanelRows.GROUP, columns, format);
    more.shape(many, columns, format);
    float[] values = new float[columns];
    float[] results = new float[many * outputs];
    return () -> {
      one.pack(0, values, 0);
      for (int row = 0; row < many; row++) {
        more.pack(row, values, 0);
      }
      MatrixKernels.multiply(matrix, 0, outputs, one, results, 0, outputs, scratch);
      MatrixKernels.multiply(matrix, 0, outputs, few, results, 0, outputs, scratch);
      MatrixKernels.multiply(matrix, 0, outputs, more, results, 0, outputs, scratch);
    };
  }

  private void rows() {
    paired.pack(0, x, 0);
    plain.pack(0, x, 0);
    RowKernels.add(x, 0, y, 0, COLUMNS);
    RowKernels.norm(x, 0, y, 1, x, 0, COLUMNS);
    RowKernels.gate(x, 0, x, 0, y, 0, COLUMNS);
    RowKernels.rotate(x, 0, y, 0, x, y, 0, x, COLUMNS);
    RowKernels.rotate(x, 0, null, 0, x, y, 0, x, COLUMNS);
    RowKernels.rotateHalves(x, 0, y, 0, x, y, 0, x, COLUMNS);
    RowKernels.rotateHalves(x, 0, null, 0, x, y, 0, x, COLUMNS);
    // Code for a path that was never taken is thrown away when an answer first takes it.
    RowKernels.exponentiate(y, COLUMNS - turn++ % Lanes.COUNT);
    clear();
  }

  private Runnable store(DType type) {
    MemorySegment stored = NativeMemory.allocateAutomatic(4L * MatrixKernels.UNIT * COLUMNS);
    MemorySegment query = NativeMemory.allocateAutomatic(4L * COLUMNS);
    long rowBytes = (long) COLUMNS * type.bits() / 8;
    return () -> {
      RowKernels.store(type, x, 0, stored, 0, COLUMNS);
      MatrixKernels.dot16(
          type, stored, 0, rowBytes, 4 * rowBytes, COLUMNS, query, false, scratch.partials);
      WeightedSums.add(type, stored, 0, COLUMNS, y, 0, 2, x);
      clear();
    };
  }

  private Runnable byteStore() {
    // Eight vectors of columns at a time and four, of whatever width.
    int size = 8 * 16 + 64;
    int rows = ByteKeys.STREAMS * ByteBlocks.SIDE;
    long bytes = (long) rows * KeyValueType.Q8.rowBytes(size);
    MemorySegment head = NativeMemory.allocateAutomatic(bytes);
    float[] query = ByteKeys.query(size);
    float[] scores = new float[rows];
    ByteValues.Scratch values = new ByteValues.Scratch(size);
    float[] mixed = new float[size];
    float[] widened = new float[PanelTiles.OUTPUTS * size];
    return () -> {
      ByteKeys.scores(head, 0, rows, 0, ByteBlocks.SIDE, query, scores);
      ByteValues.add(head, 0, rows, scores, 0, rows, values, mixed);
      ByteTiles.widenKeys(head, 0, size, PanelTiles.OUTPUTS, widened);
      ByteTiles.widenValues(head, 0, rows, PanelTiles.OUTPUTS, rows, widened);
      ByteTiles.finish(widened, 0, rows, 0, head, 0, scores, 0);
    };
  }

  private void clear() {
    Arrays.fill(x, 0);
    Arrays.fill(y, 0);
  }
}
