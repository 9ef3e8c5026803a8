package dev.muninn.cli.trace;

import static dev.muninn.cli.trace.TrajectoryKind.FIXED_POINT;
import static dev.muninn.cli.trace.TrajectoryKind.ORBIT;
import static dev.muninn.cli.trace.TrajectoryKind.SLIDER;
import static dev.muninn.cli.trace.TrajectoryKind.UNCLEAR;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Names of trajectories whose kind is known. */
class TrajectoryShapeTest {
  private static final int SEEDS = 12;
  private static final int[] DIMENSIONS = {5, 64};

  private static TrajectoryShape shape(double[][] points) {
    return TrajectoryShape.of(PrincipalComponents.of(points).coordinates());
  }

  /** All seeds, dimensions and lengths, without noise and with noise at 20 dB. */
  private static void assertKind(
      TrajectoryKind expected, int[] lengths, Function<SyntheticTrajectories, double[][]> make) {
    for (int length : lengths) {
      for (int dimensions : DIMENSIONS) {
        for (int seed = 0; seed < SEEDS; seed++) {
          SyntheticTrajectories synthetic = new SyntheticTrajectories(seed, length, dimensions);
          double[][] clean = synthetic.sum(make.apply(synthetic));
          String which = length + " points, " + dimensions + " dimensions, seed " + seed;
          TrajectoryShape found = shape(clean);
          assertEquals(expected, found.kind(), () -> which + ": " + found);
          TrajectoryShape noisy = shape(synthetic.withNoise(clean, 20));
          assertEquals(expected, noisy.kind(), () -> which + ", 20 dB: " + noisy);
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(doubles = {0.3, 0.6, 0.8, 0.9})
  void fixedPoints(double rate) {
    assertKind(FIXED_POINT, new int[] {33, 65}, synthetic -> synthetic.approach(3, rate));
  }

  @ParameterizedTest
  @ValueSource(doubles = {0.3, 1, 2.5})
  void spiralsInwardsAreFixedPoints(double angle) {
    assertKind(FIXED_POINT, new int[] {33, 65}, synthetic -> synthetic.spiral(1, 0.85, angle));
  }

  @ParameterizedTest
  @ValueSource(doubles = {0.3, 0.7, 1.3, 2.1, 2.8})
  void orbits(double angle) {
    assertKind(ORBIT, new int[] {33, 65}, synthetic -> synthetic.orbit(2, 1, angle));
    assertKind(ORBIT, new int[] {33, 65}, synthetic -> synthetic.orbit(2, 0.4, angle));
  }

  @ParameterizedTest
  @ValueSource(doubles = {0.01, 3})
  void sliders(double step) {
    assertKind(SLIDER, new int[] {17, 33, 65}, synthetic -> synthetic.drift(step));
  }

  /** The way from the random start is not what a trajectory is named after. */
  @Test
  void nameIsOfWhatItEndsIn() {
    assertKind(
        ORBIT,
        new int[] {33, 65},
        synthetic -> synthetic.sum(synthetic.approach(5, 0.5), synthetic.orbit(1, 1, 0.7)));
    assertKind(
        SLIDER,
        new int[] {33, 65},
        synthetic -> synthetic.sum(synthetic.approach(5, 0.5), synthetic.drift(0.1)));
  }

  /** An orbit and a drift of the same power, with and without a way there. */
  @Test
  void mixturesAreUnclear() {
    Function<SyntheticTrajectories, double[][]> mixture =
        synthetic -> {
          int points = synthetic.noise(0).length;
          return synthetic.sum(synthetic.orbit(1, 1, 0.9), synthetic.drift(Math.sqrt(12) / points));
        };
    for (int dimensions : new int[] {64, 257}) {
      for (int seed = 0; seed < SEEDS; seed++) {
        SyntheticTrajectories synthetic = new SyntheticTrajectories(seed, 65, dimensions);
        double[][] mixed = mixture.apply(synthetic);
        assertEquals(UNCLEAR, shape(mixed).kind());
        assertEquals(UNCLEAR, shape(synthetic.withNoise(mixed, 20)).kind());
        double[][] approached = synthetic.sum(synthetic.approach(5, 0.6), mixed);
        TrajectoryShape found = shape(approached);
        assertEquals(UNCLEAR, found.kind(), found::toString);
      }
    }
  }

  /** What is nine tenths of one kind has its name. */
  @Test
  void strongerPartOfAMixtureNamesIt() {
    assertKind(
        ORBIT,
        new int[] {65},
        synthetic ->
            synthetic.sum(synthetic.orbit(1, 1, 0.9), synthetic.drift(0.3 * Math.sqrt(12) / 65)));
    assertKind(
        SLIDER,
        new int[] {65},
        synthetic ->
            synthetic.sum(synthetic.orbit(0.25, 1, 0.9), synthetic.drift(Math.sqrt(12) / 65)));
  }

  @Test
  void noiseAndTwoOrbitsAreUnclear() {
    for (int seed = 0; seed < SEEDS; seed++) {
      SyntheticTrajectories synthetic = new SyntheticTrajectories(seed, 65, 64);
      assertEquals(UNCLEAR, shape(synthetic.noise(1)).kind());
      double[][] two = synthetic.sum(synthetic.orbit(1, 1, 0.7), synthetic.orbit(1, 1, 1.9));
      assertEquals(UNCLEAR, shape(two).kind());
      assertEquals(UNCLEAR, shape(synthetic.spiral(1, 1.03, 0.7)).kind());
    }
  }

  @Test
  void fewRecurrencesAreUnclear() {
    for (int points = 1; points <= TrajectoryShape.LEAST_RECURRENCES; points++) {
      SyntheticTrajectories synthetic = new SyntheticTrajectories(1, points, 8);
      assertEquals(UNCLEAR, shape(synthetic.approach(1, 0.5)).kind());
    }
    int enough = TrajectoryShape.LEAST_RECURRENCES + 1;
    assertEquals(
        FIXED_POINT, shape(new SyntheticTrajectories(1, enough, 8).approach(1, 0.5)).kind());
  }

  @Test
  void restIsAFixedPoint() {
    assertEquals(FIXED_POINT, shape(new double[20][3]).kind());
    double[][] arrived = new double[20][3];
    arrived[0][1] = 4;
    assertEquals(FIXED_POINT, shape(arrived).kind());
  }

  @Test
  void measuresAreThoseOfTheMovement() {
    SyntheticTrajectories synthetic = new SyntheticTrajectories(3, 65, 16);
    TrajectoryShape orbit = shape(synthetic.orbit(1, 1, 0.5));
    // 49 points of the tail are 48 steps.
    assertEquals(48 * 0.5 / (2 * Math.PI), orbit.rotation().turns(), 0.1);
    assertEquals(1, orbit.rotation().coherence(), 1e-9);
    assertEquals(1, orbit.rotation().radiusRatio(), 0.1);
    assertEquals(1, orbit.rotation().share(), 1e-9);
    assertEquals(1, orbit.contraction(), 0.2);
    TrajectoryShape slider = shape(synthetic.drift(0.3));
    assertEquals(1, slider.drift().share(), 1e-9);
    assertEquals(1, slider.drift().speedRatio(), 1e-9);
    assertEquals(1, slider.drift().directionCosine(), 1e-9);
    TrajectoryShape approach = shape(synthetic.approach(1, 0.9));
    // Every quarter of 16 points shrinks the next by the same factor.
    assertEquals(Math.pow(0.9, 49), approach.contraction(), 1e-3);
    assertTrue(approach.rotation().turns() < 1);
  }
}
