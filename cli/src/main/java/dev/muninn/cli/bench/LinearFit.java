package dev.muninn.cli.bench;

/**
 * The straight line through points that makes the squares of the vertical distances smallest.
 *
 * @param intercept y at x = 0
 * @param slope y for one x more
 * @param rSquared share of y's variance that the line explains
 * @param residual root mean square of the distances, by the mean of y
 */
record LinearFit(double intercept, double slope, double rSquared, double residual) {
  /** Through two points there always is a line. */
  static final int LEAST_POINTS = 3;

  /** Fits at least {@link #LEAST_POINTS} points that are not all above each other. */
  static LinearFit of(double[] x, double[] y) {
    double meanX = new Sample(x).mean();
    double meanY = new Sample(y).mean();
    double xx = 0;
    double xy = 0;
    double yy = 0;
    for (int i = 0; i < x.length; i++) {
      xx += (x[i] - meanX) * (x[i] - meanX);
      xy += (x[i] - meanX) * (y[i] - meanY);
      yy += (y[i] - meanY) * (y[i] - meanY);
    }
    double slope = xy / xx;
    double intercept = meanY - slope * meanX;
    double squares = 0;
    for (int i = 0; i < x.length; i++) {
      double distance = y[i] - (intercept + slope * x[i]);
      squares += distance * distance;
    }
    return new LinearFit(
        intercept, slope, yy == 0 ? 1 : 1 - squares / yy, Math.sqrt(squares / x.length) / meanY);
  }

  /** The line at a point. */
  double at(double x) {
    return intercept + slope * x;
  }
}
