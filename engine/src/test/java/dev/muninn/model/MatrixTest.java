package dev.muninn.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.weights.DType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
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
    assertEquals(whole.rowStride(), part.rowStride());
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
                () -> new WeightMatrix(DType.F32, 3, 5, 19, memory(58)))
            .getMessage();
    assertTrue(message.contains("5 F32 do not fit into 19 bytes"), message);
    assertRefused(
        "17179869184 bytes, 262144 from row to row, not 0", DType.F32, 1 << 16, 1 << 16, 0);
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
