package dev.muninn.cli.trace;

import dev.muninn.cli.output.Units;

/**
 * A position's trajectory in the planes of its principal components 1-2, 3-4 and 5-6, from dark
 * (s_0) to bright (s_r). Both axes of a plane have the same scale; each plane has its own.
 */
final class TrajectoryPlanes {
  private static final double GAP = 6;
  private static final double EDGE = 1;
  private static final double SIDE = (Figure.WIDTH - 2 * GAP - 2 * EDGE) / 3;
  private static final double INSET = 7;
  private static final double TOP = 14;
  private static final double SMALL = 9;

  private TrajectoryPlanes() {}

  static Figure draw(TokenTrace token) {
    Figure figure =
        new Figure(
            Units.format("trajectory-%04d", token.position()),
            "Trajectory of position "
                + token.position()
                + " ("
                + token.text()
                + ") in the planes of its principal components: "
                + token.shape().kind().label());
    for (int plane = 0; plane < TokenTrace.COMPONENTS / 2; plane++) {
      drawPlane(figure, token, plane);
    }
    figure.setHeight(TOP + SIDE + 4);
    return figure;
  }

  private static void drawPlane(Figure figure, TokenTrace token, int plane) {
    int first = 2 * plane;
    double left = EDGE + plane * (SIDE + GAP);
    double[][] points = token.components();
    double extent = 0;
    double[] centre = new double[2];
    for (int axis = 0; axis < 2; axis++) {
      double least = Double.POSITIVE_INFINITY;
      double greatest = Double.NEGATIVE_INFINITY;
      for (double[] point : points) {
        least = Math.min(least, point[first + axis]);
        greatest = Math.max(greatest, point[first + axis]);
      }
      centre[axis] = (least + greatest) / 2;
      extent = Math.max(extent, greatest - least);
    }
    figure.text(
        left + SIDE / 2,
        TOP - 5,
        SMALL,
        Figure.Anchor.MIDDLE,
        Units.format(
            "PC%d-%d: %s+%s %%",
            first + 1,
            first + 2,
            percent(token.shares()[first]),
            percent(token.shares()[first + 1])));
    figure.rule(left, TOP, left + SIDE, TOP);
    figure.rule(left, TOP + SIDE, left + SIDE, TOP + SIDE);
    figure.rule(left, TOP, left, TOP + SIDE);
    figure.rule(left + SIDE, TOP, left + SIDE, TOP + SIDE);
    double scale = extent > 0 ? (SIDE - 2 * INSET) / extent : 0;
    double[] x = new double[points.length];
    double[] y = new double[points.length];
    for (int i = 0; i < points.length; i++) {
      x[i] = left + SIDE / 2 + (points[i][first] - centre[0]) * scale;
      y[i] = TOP + SIDE / 2 - (points[i][first + 1] - centre[1]) * scale;
    }
    for (int i = 1; i < points.length; i++) {
      figure.line(x[i - 1], y[i - 1], x[i], y[i], colour(i, points.length), 0.8);
    }
    for (int i = 0; i < points.length; i++) {
      figure.dot(x[i], y[i], 1.5, colour(i, points.length));
    }
    figure.dot(x[0], y[0], 3, false);
    figure.dot(x[points.length - 1], y[points.length - 1], 3, true);
  }

  private static String percent(double share) {
    return share >= 0.005 || share == 0 ? Units.format("%.0f", 100 * share) : "<1";
  }

  /** Neither end of the ramp: both a light and a dark page have to show it. */
  private static String colour(int i, int count) {
    return Ramp.hex(0.2 + 0.6 * Math.log1p(i) / Math.log(count));
  }
}
