package dev.muninn.tornado;

import dev.muninn.model.WeightFormat;
import dev.muninn.model.WeightMatrix;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.List;
import java.util.stream.IntStream;
import uk.ac.manchester.tornado.api.types.arrays.TornadoNativeArray;

/** Writes matrices row after row, behind the runtime's header, where they do not lie so already. */
final class RowMajor {
  private static final long HEADER = TornadoNativeArray.ARRAY_HEADER;

  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private RowMajor() {}

  /** Writes a row. */
  private interface RowWriter {
    void write(WeightMatrix matrix, int row, long index);
  }

  private static void eachRow(List<WeightMatrix> matrices, RowWriter writer) {
    long above = 0;
    for (WeightMatrix matrix : matrices) {
      long first = above;
      IntStream.range(0, matrix.rows())
          .parallel()
          .forEach(row -> writer.write(matrix, row, first + row));
      above += matrix.rows();
    }
  }

  /** Numbers of 32 bits, or of 16 where all matrices have the same. */
  static void copy(List<WeightMatrix> matrices, boolean wide, MemorySegment target) {
    eachRow(
        matrices,
        (matrix, row, index) -> {
          long element = wide ? Float.BYTES : Short.BYTES;
          long to = HEADER + index * matrix.columns() * element;
          long bytes = element * matrix.columns();
          if (!matrix.format().inPanels() && matrix.rowBytes() == bytes) {
            MemorySegment.copy(matrix.data(), row * matrix.stride(), target, to, bytes);
            return;
          }
          for (int i = 0; i < matrix.columns(); i++) {
            float value = matrix.get(row, i);
            if (wide) {
              target.set(FLOAT, to + 4L * i, value);
            } else {
              // Only numbers in BF16 lie in panels of 16 bits.
              target.set(SHORT, to + 2L * i, (short) (Float.floatToRawIntBits(value) >> 16));
            }
          }
        });
  }

  /** Whole numbers of 8 or 4 bits, and a scale for each block of a row. */
  static void pack(List<WeightMatrix> matrices, MemorySegment scales, MemorySegment weights) {
    eachRow(
        matrices,
        (matrix, row, index) -> {
          int blocks = Math.ceilDiv(matrix.columns(), WeightFormat.BLOCK_INPUTS);
          int bits = matrix.format() == WeightFormat.Q8 ? 8 : 4;
          int perInt = Integer.SIZE / bits;
          for (int block = 0; block < blocks; block++) {
            int first = block * WeightFormat.BLOCK_INPUTS;
            float scale = matrix.scale(row, first);
            scales.set(FLOAT, HEADER + 4 * (index * blocks + block), scale);
            for (int i = 0; i < WeightFormat.BLOCK_INPUTS; i += perInt) {
              int packed = 0;
              for (int k = 0; k < perInt; k++) {
                int column = first + i + k;
                int number = column < matrix.columns() ? matrix.quantized(row, column) : 0;
                packed |= (number & (1 << bits) - 1) << bits * k;
              }
              long at = (index * blocks * WeightFormat.BLOCK_INPUTS + first + i) / perInt;
              weights.set(ValueLayout.JAVA_INT_UNALIGNED, HEADER + 4 * at, packed);
            }
          }
        });
  }
}
