package dev.muninn.weights;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DTypeTest {

  @ParameterizedTest
  @CsvSource({
    "BOOL,8",
    "F4,4",
    "F6_E2M3,6",
    "F6_E3M2,6",
    "U8,8",
    "I8,8",
    "F8_E5M2,8",
    "F8_E4M3,8",
    "F8_E8M0,8",
    "F8_E4M3FNUZ,8",
    "F8_E5M2FNUZ,8",
    "I16,16",
    "U16,16",
    "F16,16",
    "BF16,16",
    "I32,32",
    "U32,32",
    "F32,32",
    "C64,64",
    "F64,64",
    "I64,64",
    "U64,64"
  })
  void everyNameOfTheFormatHasItsWidth(String name, int bits) {
    assertEquals(bits, DType.named(name).orElseThrow().bits());
  }

  @Test
  void thereAreNoOthers() {
    assertEquals(22, DType.values().length);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "f32", "F32 ", "FLOAT", "bfloat16", "I4", "\u0000"})
  void otherNamesAreUnknown(String name) {
    assertEquals(Optional.empty(), DType.named(name));
  }

  @Test
  void threeAreReadable() {
    Set<DType> readable = EnumSet.noneOf(DType.class);
    Stream.of(DType.values()).filter(DType::readable).forEach(readable::add);
    assertEquals(EnumSet.of(DType.F32, DType.F16, DType.BF16), readable);
  }

  @Test
  void theOrderIsByRisingAlignment() {
    DType[] types = DType.values();
    for (int i = 1; i < types.length; i++) {
      // Packed elements have no alignment of their own: a byte, like the types around them.
      assertTrue(Math.max(8, types[i - 1].bits()) <= Math.max(8, types[i].bits()));
    }
  }
}
