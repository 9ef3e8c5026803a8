package dev.muninn.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Products against their scalar twins to the last bit, and those against a product in doubles. */
class ProductsTest {
  private static final int[] ROWS = {1, 7, 8, 9, 24, 33};
  private static final int[] INNER = {1, 5, 127, 128, 129, 300};

  private final Products products = new Products();

  @ParameterizedTest
  @ValueSource(ints = {1, 8, 15, 16, 17, 31, 32, 33, 64, 72, 100})
  void productsAreTheTwins(int columns) {
    SplittableRandom random = new SplittableRandom(columns);
    for (int rows : ROWS) {
      for (int inner : INNER) {
        Rows a = random(random, rows, inner);
        Rows turned = random(random, inner, rows);
        Rows b = random(random, inner, columns);
        Rows c = random(random, rows, columns);
        Products.Panels panels = Products.Panels.of(inner, columns);
        panels.pack(b);

        Rows expected = copy(c);
        ScalarProducts.multiply(a, b, expected, false);
        assertCloseToDoubles(a, b, expected);
        assertSame(expected, c, actual -> products.multiply(a, b, actual));
        assertSame(expected, c, actual -> products.multiply(a, panels, actual));

        Rows added = copy(c);
        ScalarProducts.multiply(a, b, added, true);
        assertSame(added, c, actual -> products.multiplyAdd(a, b, actual));
        assertSame(added, c, actual -> products.multiplyAdd(a, panels, actual));

        Rows transposed = copy(c);
        ScalarProducts.multiplyTransposed(turned, b, transposed, false);
        assertSame(transposed, c, actual -> products.multiplyTransposed(turned, b, actual));
        Rows transposedAdded = copy(c);
        ScalarProducts.multiplyTransposed(turned, b, transposedAdded, true);
        assertSame(transposedAdded, c, actual -> products.multiplyTransposedAdd(turned, b, actual));
      }
    }
  }

  @Test
  void panelsOfATransposeAreThoseOfTheMatrixTurned() {
    SplittableRandom random = new SplittableRandom(1);
    Rows weights = random(random, 41, 19);
    Rows turned = Rows.of(new float[19 * 41], 19, 41);
    for (int row = 0; row < 41; row++) {
      for (int column = 0; column < 19; column++) {
        turned.data()[column * 41 + row] =
            weights.data()[weights.from() + row * weights.stride() + column];
      }
    }
    Products.Panels expected = Products.Panels.of(19, 41);
    expected.pack(turned);
    Products.Panels actual = Products.Panels.of(19, 41);
    actual.packTransposed(weights);
    assertArrayEquals(expected.data(), actual.data());
  }

  @Test
  void shapesThatDoNotFitAreRefused() {
    Rows a = Rows.of(new float[6], 2, 3);
    Rows b = Rows.of(new float[8], 4, 2);
    IllegalArgumentException thrown =
        assertThrows(
            IllegalArgumentException.class,
            () -> products.multiply(a, b, Rows.of(new float[4], 2, 2)));
    assertEquals("a product of 2 x 3 and 4 x 2 is not 2 x 2", thrown.getMessage());
    assertThrows(IllegalArgumentException.class, () -> Rows.of(new float[5], 2, 3));
  }

  private interface Product {
    void compute(Rows result);
  }

  /** The whole array is compared: nothing beside the result may be touched. */
  private static void assertSame(Rows expected, Rows before, Product product) {
    Rows actual = copy(before);
    product.compute(actual);
    assertArrayEquals(expected.data(), actual.data());
  }

  private static Rows copy(Rows rows) {
    return new Rows(rows.data().clone(), rows.from(), rows.rows(), rows.columns(), rows.stride());
  }

  /** Rows with something before, between and behind them. */
  private static Rows random(SplittableRandom random, int rows, int columns) {
    int stride = columns + random.nextInt(4);
    int from = random.nextInt(3);
    float[] data = new float[from + rows * stride + 2];
    for (int i = 0; i < data.length; i++) {
      data[i] = (float) (2 * random.nextDouble() - 1);
    }
    return new Rows(data, from, rows, columns, stride);
  }

  private static void assertCloseToDoubles(Rows a, Rows b, Rows c) {
    for (int row = 0; row < c.rows(); row++) {
      double[] sums = new double[c.columns()];
      Arrays.fill(sums, 0);
      for (int k = 0; k < b.rows(); k++) {
        for (int column = 0; column < sums.length; column++) {
          sums[column] +=
              (double) a.data()[a.from() + row * a.stride() + k]
                  * b.data()[b.from() + k * b.stride() + column];
        }
      }
      for (int column = 0; column < sums.length; column++) {
        assertEquals(
            sums[column], c.data()[c.from() + row * c.stride() + column], 1e-6 * b.rows() + 1e-7);
      }
    }
  }
}
