package dev.muninn.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.weights.DType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class MatrixTest {

  @Test
  void bytesOfRow() {
    assertEquals(20, new WeightMatrix(DType.F32, 3, 5, memory(60)).rowBytes());
    assertEquals(10, new WeightMatrix(DType.F16, 3, 5, memory(30)).rowBytes());
    assertEquals(10, new WeightMatrix(DType.BF16, 3, 5, memory(30)).rowBytes());
  }

  @ParameterizedTest
  @EnumSource(names = {"F32", "F16", "BF16"})
  void partHasSomeColumnsOfEveryRowInPlace(DType dtype) {
    int bytes = dtype.bits() / 8;
    MemorySegment data = memory(15L * bytes);
    for (int i = 0; i < 15; i++) {
      data.set(ValueLayout.JAVA_BYTE, (i + 1L) * bytes - 1, (byte) i);
    }
    WeightMatrix whole = new WeightMatrix(dtype, 3, 5, data);
    WeightMatrix part = whole.part(2, 2);
    assertEquals(3, part.rows());
    assertEquals(2, part.columns());
    assertEquals(2L * bytes, part.rowBytes());
    assertEquals(whole.stride(), part.stride());
    for (int row = 0; row < 3; row++) {
      assertEquals(whole.get(row, 2), part.get(row, 0));
      assertEquals(whole.get(row, 3), part.get(row, 1));
    }
    assertEquals(whole.get(2, 3), part.part(1, 1).get(2, 0));
    assertThrows(IndexOutOfBoundsException.class, () -> whole.part(3, 3));
    assertThrows(IndexOutOfBoundsException.class, () -> part.part(-1, 2));
    assertThrows(IllegalArgumentException.class, () -> whole.part(0, 0));
  }

  @Test
  void sizesMustFit() {
    assertRefused("60 bytes, 20 from row to row, not 61", DType.F32, 3, 5, 61);
    assertRefused("30 bytes, 10 from row to row, not 28", DType.BF16, 3, 5, 28);
    assertRefused("0 x 5", DType.F32, 0, 5, 0);
    assertRefused("3 x -1", DType.F32, 3, -1, 0);
    String message =
        assertThrows(
                IllegalArgumentException.class,
                () -> new WeightMatrix(WeightFormat.F32, 3, 5, 19, memory(58)))
            .getMessage();
    assertTrue(message.contains("5 F32 do not fit into 19 bytes"), message);
    assertRefused(
        "17179869184 bytes, 262144 from row to row, not 0", DType.F32, 1 << 16, 1 << 16, 0);
  }

  /** Each element alone has a value: it is found where the layout has it, and nowhere else. */
  @ParameterizedTest
  @EnumSource(names = {"BF16_PANELS", "Q8", "Q4"})
  void elementsOfPanels(WeightFormat format) {
    int rows = 70;
    int columns = 75;
    MemorySegment data = memory(3 * format.bytes(columns));
    WeightMatrix matrix = new WeightMatrix(format, rows, columns, data);
    short one = (short) 0x3F80;
    for (int row : new int[] {0, 15, 16, 31, 32, 69}) {
      for (int column : new int[] {0, 1, 31, 32, 63, 74}) {
        data.fill((byte) 0);
        int place = 2 * (row % 16) + row % 32 / 16;
        long panel = row / 32 * format.bytes(columns);
        long block = panel + column / 32 * (long) format.blockBytes();
        int input = column % 32;
        switch (format) {
          case BF16_PANELS -> set(data, panel + 64L * column + 2L * place, one);
          case Q8 -> {
            long at = block + 128L * (input / 4) + 4L * (row % 32) + input % 4;
            data.set(ValueLayout.JAVA_BYTE, at, (byte) 125);
            set(data, block + 1024 + 2L * place, one);
          }
          default -> {
            set(data, block + 64L * (input / 4) + 2L * place, (short) (5 << 4 * (input % 4)));
            set(data, block + 512 + 2L * place, one);
          }
        }
        float expected = format == WeightFormat.BF16_PANELS ? 1 : -3;
        assertEquals(expected, matrix.get(row, column), row + " " + column);
        if (row >= 32) {
          assertEquals(expected, matrix.rows(32, rows - 32).get(row - 32, column));
        }
        if (column >= 32) {
          assertEquals(expected, matrix.part(32, columns - 32).get(row, column - 32));
        }
      }
    }
    assertThrows(IllegalArgumentException.class, () -> matrix.rows(16, 32));
    assertThrows(IllegalArgumentException.class, () -> matrix.rows(32, 16));
  }

  private static void set(MemorySegment data, long at, short value) {
    data.set(ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), at, value);
  }

  @Test
  void onlyReadableTypes() {
    for (DType dtype : DType.values()) {
      if (!dtype.readable()) {
        assertRefused(dtype.name(), dtype, 8, 8, 8L * dtype.bits());
      }
    }
  }

  private static void assertRefused(String said, DType dtype, int rows, int columns, long bytes) {
    MemorySegment data = memory(bytes);
    String message =
        assertThrows(
                IllegalArgumentException.class, () -> new WeightMatrix(dtype, rows, columns, data))
            .getMessage();
    assertTrue(message.contains(said), message);
  }

  private static MemorySegment memory(long bytes) {
    return Arena.ofAuto().allocate(bytes, 8);
  }
}
