package dev.muninn.cli.trace;

/**
 * The shape of a trajectory of latent states s_0 to s_r, by measures that can be checked.
 *
 * <p>The first quarter of the points is the way from the random start and says nothing about what
 * the trajectory ends in; the other three are its tail. The rules, the first that holds:
 *
 * <ol>
 *   <li>Fewer than {@value #LEAST_RECURRENCES} recurrences: unclear.
 *   <li>Contraction below {@value #REST}: fixed point. Whatever so small a rest of the movement
 *       does is rounding.
 *   <li>A plane that holds at least {@value #SHARE} of the tail's variance, in which the tail turns
 *       at least once, keeps its sense (coherence at least {@value #COHERENT}) and its radius
 *       (ratio between {@value #KEPT} and its inverse), while a drift as the next rule has it
 *       explains no more than the rest: orbit.
 *   <li>A straight line of constant speed that explains at least {@value #SHARE} of the tail's
 *       variance, with direction (cosine at least {@value #KEPT}) and speed (ratio between {@value
 *       #KEPT} and its inverse) kept: slider.
 *   <li>A tail that keeps drifting and, less the drift, keeps turning, both together at least
 *       {@value #SHARE}: a mixture of the two, unclear.
 *   <li>Contraction below {@value #CONTRACTED}: fixed point.
 *   <li>Unclear.
 * </ol>
 *
 * @param kind what these rules make of the measures below
 * @param contraction how far the points of the last quarter are from their mean, in the root mean
 *     square, over the same of the first quarter: how much shorter the way has become
 * @param rotation how the tail turns
 * @param drift how the tail drifts
 */
public record TrajectoryShape(
    TrajectoryKind kind, double contraction, Rotation rotation, Drift drift) {
  /** Below this number of recurrences no rule is applied. */
  public static final int LEAST_RECURRENCES = 8;

  /** Contraction of a trajectory that has come to rest. */
  public static final double REST = 0.01;

  /** Contraction of a trajectory that is coming to rest. */
  public static final double CONTRACTED = 0.5;

  /** Share of the tail's variance that makes a movement the trajectory's own. */
  public static final double SHARE = 0.7;

  /** Coherence of a rotation that keeps its sense. */
  public static final double COHERENT = 0.8;

  /** What counts as kept of radius, direction and speed. */
  public static final double KEPT = 0.7;

  /** Planes are looked for among so many principal components of the tail. */
  private static final int PLANE_COMPONENTS = 4;

  /** A second axis with less of the first one's variance is noise: a line has no sense. */
  private static final double LEAST_AXIS_RATIO = 0.03;

  /** Two principal components, counted from 1. */
  public record Plane(int first, int second) {}

  /**
   * How the tail turns in a plane: that of greatest variance in which it keeps turning, or else the
   * first. Not a number where nothing was measured.
   *
   * @param plane the plane
   * @param share of the tail's variance that the plane holds
   * @param turns full turns about the mean, both axes scaled to the same variance
   * @param coherence the angle turned over the sum of all angles' amounts: 1 if the sense never
   *     changes
   * @param radiusRatio the mean radius in the tail's second half over that in its first
   */
  public record Rotation(
      Plane plane, double share, double turns, double coherence, double radiusRatio) {
    boolean kept() {
      return turns >= 1 && coherence >= COHERENT && isKept(radiusRatio);
    }
  }

  /**
   * How the tail drifts: the straight line of constant speed that is nearest to it, by least
   * squares. Not a number where nothing was measured.
   *
   * @param share of the tail's variance that the line explains
   * @param speedRatio the speed along it in the tail's second half over that in its first; negative
   *     if one of them goes back
   * @param directionCosine the cosine between the directions of the two halves
   */
  public record Drift(double share, double speedRatio, double directionCosine) {
    boolean kept() {
      return directionCosine >= KEPT && isKept(speedRatio);
    }
  }

  private static boolean isKept(double ratio) {
    return ratio >= KEPT && ratio <= 1 / KEPT;
  }

  /**
   * Names a trajectory.
   *
   * @param points of s_0 to s_r, in axes of any kind that keep distances, [r + 1][axes]
   */
  public static TrajectoryShape of(double[][] points) {
    int count = points.length;
    if (count <= LEAST_RECURRENCES) {
      return unmeasured(TrajectoryKind.UNCLEAR);
    }
    int quarter = count / 4;
    double early = spread(points, 0, quarter);
    double late = spread(points, count - quarter, count);
    if (spread(points, 0, count) == 0) {
      return unmeasured(TrajectoryKind.FIXED_POINT);
    }
    double contraction = late / early;
    double[][] tail = new double[count - quarter][];
    for (int i = 0; i < tail.length; i++) {
      tail[i] = points[quarter + i].clone();
    }
    double spread = spread(tail, 0, tail.length);
    double variance = spread * spread;
    if (variance == 0) {
      return unmeasured(TrajectoryKind.FIXED_POINT);
    }
    Rotation rotation = rotation(tail, variance);
    Drift drift = drift(tail, variance);
    boolean drifts = drift.share > 1 - SHARE;
    TrajectoryKind kind;
    if (contraction < REST) {
      kind = TrajectoryKind.FIXED_POINT;
    } else if (rotation.kept() && rotation.share >= SHARE && !(drift.kept() && drifts)) {
      kind = TrajectoryKind.ORBIT;
    } else if (drift.kept() && drift.share >= SHARE) {
      kind = TrajectoryKind.SLIDER;
    } else if (drift.kept() && turnsBesideDrift(tail, variance, drift)) {
      kind = TrajectoryKind.UNCLEAR;
    } else if (contraction < CONTRACTED) {
      kind = TrajectoryKind.FIXED_POINT;
    } else {
      kind = TrajectoryKind.UNCLEAR;
    }
    return new TrajectoryShape(kind, contraction, rotation, drift);
  }

  private static TrajectoryShape unmeasured(TrajectoryKind kind) {
    double none = Double.NaN;
    return new TrajectoryShape(
        kind,
        none,
        new Rotation(new Plane(1, 2), none, none, none, none),
        new Drift(none, none, none));
  }

  /** Root mean square distance of some points from their mean. */
  private static double spread(double[][] points, int from, int to) {
    double squares = 0;
    for (int axis = 0; axis < points[0].length; axis++) {
      double mean = 0;
      for (int i = from; i < to; i++) {
        mean += points[i][axis];
      }
      mean /= to - from;
      for (int i = from; i < to; i++) {
        squares += (points[i][axis] - mean) * (points[i][axis] - mean);
      }
    }
    return Math.sqrt(squares / (to - from));
  }

  private static Rotation rotation(double[][] points, double variance) {
    PrincipalComponents components = PrincipalComponents.of(points);
    int most = Math.min(PLANE_COMPONENTS, components.variances().length);
    Rotation best = null;
    for (int first = 0; first < most; first++) {
      for (int second = first + 1; second < most; second++) {
        Rotation rotation = rotation(components, first, second, variance);
        if (best == null || rotation.kept() && !(best.kept() && best.share >= rotation.share)) {
          best = rotation;
        }
      }
    }
    return best == null ? new Rotation(new Plane(1, 2), 0, 0, 0, Double.NaN) : best;
  }

  private static Rotation rotation(
      PrincipalComponents components, int first, int second, double variance) {
    double[] variances = components.variances();
    Plane plane = new Plane(first + 1, second + 1);
    double share = (variances[first] + variances[second]) / variance;
    if (!(variances[second] > LEAST_AXIS_RATIO * variances[first])) {
      return new Rotation(plane, share, 0, 0, Double.NaN);
    }
    double firstScale = 1 / Math.sqrt(variances[first]);
    double secondScale = 1 / Math.sqrt(variances[second]);
    double turned = 0;
    double amounts = 0;
    double[] radii = new double[2];
    int count = components.coordinates().length;
    double previous = 0;
    for (int i = 0; i < count; i++) {
      double x = components.coordinates()[i][first] * firstScale;
      double y = components.coordinates()[i][second] * secondScale;
      double angle = Math.atan2(y, x);
      if (i > 0) {
        double step = Math.IEEEremainder(angle - previous, 2 * Math.PI);
        turned += step;
        amounts += Math.abs(step);
      }
      previous = angle;
      if (i < count / 2) {
        radii[0] += Math.hypot(x, y) / (count / 2);
      } else if (i >= count - count / 2) {
        radii[1] += Math.hypot(x, y) / (count / 2);
      }
    }
    return new Rotation(
        plane,
        share,
        Math.abs(turned) / (2 * Math.PI),
        amounts == 0 ? 0 : Math.abs(turned) / amounts,
        radii[1] / radii[0]);
  }

  private static Drift drift(double[][] points, double variance) {
    int count = points.length;
    int half = count / 2;
    double[] whole = velocity(points, 0, count);
    double[] early = velocity(points, 0, half);
    double[] late = velocity(points, count - half, count);
    double speed = product(whole, whole);
    // The mean square of the time, less its mean, of equally spaced points.
    double time = ((double) count * count - 1) / 12;
    return new Drift(
        speed * time / variance,
        product(late, whole) / product(early, whole),
        product(early, late) / Math.sqrt(product(early, early) * product(late, late)));
  }

  /** Movement a recurrence, by least squares over some of the points. */
  private static double[] velocity(double[][] points, int from, int to) {
    double middle = (from + to - 1) / 2.0;
    double[] velocity = new double[points[0].length];
    double times = 0;
    for (int i = from; i < to; i++) {
      times += (i - middle) * (i - middle);
      for (int axis = 0; axis < velocity.length; axis++) {
        velocity[axis] += (i - middle) * points[i][axis];
      }
    }
    for (int axis = 0; axis < velocity.length; axis++) {
      velocity[axis] /= times;
    }
    return velocity;
  }

  /** Overwrites the points. */
  private static boolean turnsBesideDrift(double[][] points, double variance, Drift drift) {
    double[] velocity = velocity(points, 0, points.length);
    for (int i = 0; i < points.length; i++) {
      for (int axis = 0; axis < velocity.length; axis++) {
        points[i][axis] -= i * velocity[axis];
      }
    }
    Rotation rotation = rotation(points, variance);
    return rotation.kept() && rotation.share + drift.share >= SHARE;
  }

  private static double product(double[] x, double[] y) {
    double sum = 0;
    for (int i = 0; i < x.length; i++) {
      sum += x[i] * y[i];
    }
    return sum;
  }
}
