package dev.muninn.weights;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class TensorTest {
  private static final Path FILE = Path.of("dir", "model.safetensors");

  private static final float[] VALUES = {
    0f, -0f, 1f, -2.5f, 65504f, 6e-8f, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, Float.NaN
  };

  private static Tensor tensor(DType dtype, List<Long> shape, long bytes) {
    return new Tensor("a", dtype, shape, MemorySegment.ofArray(new byte[(int) bytes]), FILE);
  }

  /** The values as stored, little-endian, behind one byte so that nothing is aligned. */
  private static Tensor unaligned(DType dtype) {
    int width = dtype.bits() / 8;
    ByteBuffer bytes =
        ByteBuffer.allocate(1 + VALUES.length * width).order(ByteOrder.LITTLE_ENDIAN).position(1);
    for (float value : VALUES) {
      switch (dtype) {
        case F32 -> bytes.putFloat(value);
        case F16 -> bytes.putShort(Float.floatToFloat16(value));
        default -> bytes.putShort((short) (Float.floatToRawIntBits(value) >>> 16));
      }
    }
    return new Tensor(
        "a",
        dtype,
        List.of((long) VALUES.length),
        MemorySegment.ofArray(bytes.array()).asSlice(1),
        FILE);
  }

  @Test
  void singlePrecisionIsReadAsItIs() {
    Tensor tensor = unaligned(DType.F32);
    for (int i = 0; i < VALUES.length; i++) {
      assertEquals(VALUES[i], tensor.get(i));
    }
  }

  @Test
  void halfPrecisionIsWidened() {
    Tensor tensor = unaligned(DType.F16);
    for (int i = 0; i < VALUES.length; i++) {
      assertEquals(Float.float16ToFloat(Float.floatToFloat16(VALUES[i])), tensor.get(i));
    }
  }

  @Test
  void bfloat16IsWidened() {
    Tensor tensor = unaligned(DType.BF16);
    for (int i = 0; i < VALUES.length; i++) {
      int kept = Float.floatToRawIntBits(VALUES[i]) & 0xffff0000;
      assertEquals(Float.intBitsToFloat(kept), tensor.get(i));
    }
  }

  @ParameterizedTest
  @EnumSource(DType.class)
  void onlyReadableTypesAreRead(DType dtype) {
    Tensor tensor = tensor(dtype, List.of(8L), dtype.bits());
    if (dtype.readable()) {
      assertSame(tensor, tensor.requireReadable());
      assertEquals(0f, tensor.get(7));
    } else {
      String[] texts = {FILE + ": tensor \"a\": found dtype " + dtype, "F32, F16 and BF16"};
      Bytes.refusal(tensor::requireReadable, texts);
      Bytes.refusal(() -> tensor.get(0), texts);
    }
  }

  @Test
  void elementsOutsideAreNotRead() {
    Tensor tensor = tensor(DType.F32, List.of(2L, 3L), 24);
    for (long index : new long[] {-1, 6, 1L << 32, Long.MAX_VALUE, Long.MIN_VALUE}) {
      assertThrows(IndexOutOfBoundsException.class, () -> tensor.get(index));
    }
    Tensor empty = tensor(DType.F32, List.of(2L, 0L), 0);
    assertThrows(IndexOutOfBoundsException.class, () -> empty.get(0));
  }

  @Test
  void sizesFollowFromTheShape() {
    Tensor matrix = tensor(DType.BF16, List.of(3L, 5L), 30);
    assertEquals(15, matrix.elements());
    assertEquals(30, matrix.byteSize());
    Tensor scalar = tensor(DType.F32, List.of(), 4);
    assertEquals(1, scalar.elements());
    assertEquals(0f, scalar.get(0));
    Tensor packed = tensor(DType.F6_E2M3, List.of(4L), 3);
    assertEquals(4, packed.elements());
    assertEquals(3, packed.byteSize());
  }

  @Test
  void theShapeCannotBeModified() {
    List<Long> dimensions = new ArrayList<>(List.of(2L));
    Tensor tensor = tensor(DType.F32, dimensions, 8);
    dimensions.set(0, 100L);
    assertEquals(List.of(2L), tensor.shape());
    assertThrows(UnsupportedOperationException.class, () -> tensor.shape().add(1L));
  }

  @Test
  void unsoundTensorsCannotBeMade() {
    Bytes.refusal(
        () -> tensor(DType.F32, List.of(2L), 7),
        FILE + ": tensor \"a\": found 7 bytes of data, expected 8 bytes for shape [2] of F32");
    Bytes.refusal(() -> tensor(DType.F32, List.of(-1L), 0), "found dimension -1, expected 0 to");
    Bytes.refusal(() -> tensor(DType.U8, List.of(1L << 48), 0), "found dimension 281474976710656");
    Bytes.refusal(() -> tensor(DType.F4, List.of(3L), 1), "found 12 bits", "whole number of bytes");
    Bytes.refusal(
        () -> tensor(DType.F32, List.of(1L << 47, 1L << 47), 0), "whose size overflows", "2^63");
    Bytes.refusal(() -> tensor(DType.F64, List.of(1L << 47, 1L << 12), 0), "overflows");
    assertThrows(NullPointerException.class, () -> tensor(null, List.of(), 0));
  }

  @Test
  void readsEndWithTheArena() {
    Tensor tensor;
    try (Arena arena = Arena.ofShared()) {
      tensor = new Tensor("a", DType.F32, List.of(1L), arena.allocate(4), FILE);
      assertEquals(0f, tensor.get(0));
    }
    assertThrows(IllegalStateException.class, () -> tensor.get(0));
  }
}
