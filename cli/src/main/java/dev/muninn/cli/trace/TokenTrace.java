package dev.muninn.cli.trace;

import dev.muninn.trace.Convergence;
import java.util.OptionalInt;

/**
 * The trajectory of one position, and its readouts.
 *
 * @param position from 0
 * @param token the token's id
 * @param text the token, fit for a line
 * @param convergence its distances and changes, by recurrence
 * @param settled the recurrence at which it settles; empty if it does not
 * @param shape the name of its trajectory, and why
 * @param components the first {@value #COMPONENTS} principal components of s_0 to s_r
 * @param shares the share of the variance that each of them has, [components]
 */
public record TokenTrace(
    int position,
    int token,
    String text,
    Convergence convergence,
    OptionalInt settled,
    TrajectoryShape shape,
    double[][] components,
    double[] shares) {
  /** Principal components that are kept. */
  public static final int COMPONENTS = 6;
}
