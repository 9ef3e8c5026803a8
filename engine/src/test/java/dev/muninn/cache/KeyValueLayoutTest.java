package dev.muninn.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.family.huginn.HuginnConfig;
import dev.muninn.model.RecurrentModel;
import dev.muninn.model.ShapeOnly;
import dev.muninn.model.WeightFormat;
import java.util.BitSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class KeyValueLayoutTest {
  private static final RecurrentModel HUGINN =
      ShapeOnly.of(
          new HuginnConfig(
              5_280, 55, 17_920, 2, 4, 2, 32, 65_536, 4_096, 50_000, 1e-6, true, true));

  /** Keys and values of h floats: l_P + slots * l_R + l_C of each. */
  @Test
  void bytesPerTokenOfHuginn() {
    long row = 2L * 5_280 * 4;
    assertEquals((2 + 32 * 4 + 2) * row, bytesPerToken(SlotPolicy.full(), 32));
    assertEquals(5_575_680, bytesPerToken(SlotPolicy.full(), 32));
    assertEquals((2 + 4 + 2) * row, bytesPerToken(new SlotPolicy.Budget(1), 32));
    assertEquals(337_920, bytesPerToken(new SlotPolicy.Budget(1), 32));
    assertEquals((2 + 4 * 4 + 2) * row, bytesPerToken(new SlotPolicy.Budget(4), 32));
    assertEquals((2 + 9 * 4 + 2) * row, bytesPerToken(new SlotPolicy.Anchor(8), 32));
  }

  private static long bytesPerToken(SlotPolicy policy, int recurrences) {
    long bytes = new KeyValueLayout(HUGINN, policy, recurrences, 1).bytes();
    assertEquals(
        4_096 * bytes, new KeyValueLayout(HUGINN, policy, recurrences, 4_096).bytes(), "a context");
    return bytes;
  }

  @Test
  void bytesOfFullPolicyByItsShortName() {
    assertEquals(
        new KeyValueLayout(HUGINN, SlotPolicy.full(), 16, 100).bytes(),
        KeyValueLayout.bytes(HUGINN, 16, 100));
  }

  @Test
  void everyBlockAtEverySlotHasPlaneOfItsOwn() {
    for (SlotPolicy policy :
        new SlotPolicy[] {SlotPolicy.full(), new SlotPolicy.Budget(3), new SlotPolicy.Anchor(2)}) {
      KeyValueLayout layout = new KeyValueLayout(HUGINN, policy, 7, 10);
      BitSet planes = new BitSet();
      for (int block = 0; block < 2; block++) {
        take(planes, layout.preludePlane(block));
        take(planes, layout.codaPlane(block));
      }
      for (int slot = 0; slot < policy.slots(7); slot++) {
        for (int block = 0; block < 4; block++) {
          take(planes, layout.recurrentPlane(slot, block));
        }
      }
      assertEquals(layout.planes(), planes.cardinality(), "planes of " + policy);
      assertEquals(layout.planes(), planes.length(), "planes of " + policy);
    }
  }

  private static void take(BitSet planes, int plane) {
    assertTrue(plane >= 0 && !planes.get(plane), () -> "plane " + plane);
    planes.set(plane);
  }

  @ParameterizedTest
  @CsvSource({"0,1", "1,0", "-1,5", "5,-1"})
  void refusals(int recurrences, int capacity) {
    String message =
        assertThrows(
                IllegalArgumentException.class,
                () -> new KeyValueLayout(HUGINN, SlotPolicy.full(), recurrences, capacity))
            .getMessage();
    assertTrue(message.contains(recurrences + " and " + capacity), message);
  }

  /** An overflow would reserve less than is written, or a negative size. */
  @ParameterizedTest
  @CsvSource({"2147483647,1", "536870912,4096", "1073741824,2147483647", "10000000,2147483647"})
  void sizesBeyondAllMemoryAreRefused(int recurrences, int capacity) {
    String message =
        assertThrows(
                IllegalArgumentException.class,
                () -> new KeyValueLayout(HUGINN, SlotPolicy.full(), recurrences, capacity))
            .getMessage();
    assertTrue(message.contains(recurrences + " recurrences and " + capacity), message);
  }

  @Test
  void manyRecurrencesInFewSlots() {
    KeyValueLayout layout =
        new KeyValueLayout(HUGINN, new SlotPolicy.Budget(1), Integer.MAX_VALUE, 4_096);
    assertEquals(8, layout.planes());
  }

  @Test
  void halfTheBytesInBf16() {
    KeyValueLayout layout =
        new KeyValueLayout(HUGINN, SlotPolicy.full(), 32, 10, KeyValueType.BF16);
    assertEquals(27_878_400, layout.bytes());
    assertEquals(KeyValueType.BF16, KeyValueType.forWeights(WeightFormat.Q4));
    assertEquals(KeyValueType.BF16, KeyValueType.forWeights(WeightFormat.BF16));
    assertEquals(KeyValueType.F32, KeyValueType.forWeights(WeightFormat.F32));
    assertEquals(KeyValueType.F32, KeyValueType.forWeights(WeightFormat.F16));
  }
}
