package dev.muninn.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.weights.DType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;

class MatrixTest {

  @Test
  void bytesOfRow() {
    assertEquals(20, new Matrix(DType.F32, 3, 5, memory(60)).rowBytes());
    assertEquals(10, new Matrix(DType.F16, 3, 5, memory(30)).rowBytes());
    assertEquals(10, new Matrix(DType.BF16, 3, 5, memory(30)).rowBytes());
  }

  @Test
  void sizesMustFit() {
    assertRefused("60 bytes, not 61", DType.F32, 3, 5, 61);
    assertRefused("30 bytes, not 28", DType.BF16, 3, 5, 28);
    assertRefused("0 x 5", DType.F32, 0, 5, 0);
    assertRefused("3 x -1", DType.F32, 3, -1, 0);
    assertRefused("17179869184 bytes, not 0", DType.F32, 1 << 16, 1 << 16, 0);
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
        assertThrows(IllegalArgumentException.class, () -> new Matrix(dtype, rows, columns, data))
            .getMessage();
    assertTrue(message.contains(said), message);
  }

  private static MemorySegment memory(long bytes) {
    return Arena.ofAuto().allocate(bytes, 8);
  }
}
