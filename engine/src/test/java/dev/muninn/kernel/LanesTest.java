package dev.muninn.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.Arrays;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Sums across lanes against the twin's tree of additions, to the last bit. */
@EveryWidth
@Tag("without-c2")
class LanesTest {

  @Test
  void sixteenSumsAreTheTwins() {
    KernelInputs inputs = new KernelInputs(1);
    for (int repetition = 0; repetition < 200; repetition++) {
      float[] partials = inputs.values(Lanes.PARTIALS);
      // Values of very different size, of which another order of additions loses other bits.
      for (int i = 0; i < partials.length; i++) {
        partials[i] = Math.scalb(partials[i], inputs.integer(40) - 20);
      }
      float[] expected = new float[Lanes.SUMS];
      for (int sum = 0; sum < Lanes.SUMS; sum++) {
        int at = sum * Lanes.COUNT;
        expected[sum] = ScalarKernels.sum(Arrays.copyOfRange(partials, at, at + Lanes.COUNT));
      }
      Lanes.reduce(partials);
      KernelInputs.assertSameBits(expected, partials, "sums of repetition " + repetition);
    }
  }

  @Test
  void everyLaneCountsOnceInItsOwnSum() {
    for (int sum = 0; sum < Lanes.SUMS; sum++) {
      for (int lane = 0; lane < Lanes.COUNT; lane++) {
        float[] partials = new float[Lanes.PARTIALS];
        partials[sum * Lanes.COUNT + lane] = 1;
        Lanes.reduce(partials);
        for (int other = 0; other < Lanes.SUMS; other++) {
          assertEquals(other == sum ? 1 : 0, partials[other], "lane " + lane + " of sum " + sum);
        }
      }
    }
  }

  @Test
  void transposesTheSquareAndNothingBesideIt() {
    assumeTrue(Lanes.COUNT == Lanes.SUMS, "squares are of vectors of 16");
    int at = 3;
    float[] values = new KernelInputs(2).values(at + Lanes.PARTIALS + 2);
    float[] expected = values.clone();
    for (int row = 0; row < Lanes.COUNT; row++) {
      for (int column = 0; column < Lanes.COUNT; column++) {
        expected[at + row * Lanes.COUNT + column] = values[at + column * Lanes.COUNT + row];
      }
    }
    Lanes.transpose(values, at);
    KernelInputs.assertSameBits(expected, values, "transposed");
  }

  @Test
  void copiesUpToAVector() {
    KernelInputs inputs = new KernelInputs(3);
    float[] source = inputs.values(5 + Lanes.COUNT);
    for (int count = 0; count <= Lanes.COUNT; count++) {
      float[] target = inputs.values(9 + Lanes.COUNT);
      float[] expected = target.clone();
      System.arraycopy(source, 5, expected, 7, count);
      Lanes.copy(source, 5, target, 7, count);
      KernelInputs.assertSameBits(expected, target, count + " values");
    }
  }
}
