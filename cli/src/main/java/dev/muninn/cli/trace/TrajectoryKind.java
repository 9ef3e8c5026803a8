package dev.muninn.cli.trace;

/** How a latent trajectory ends (arXiv 2502.05171, section 6). */
public enum TrajectoryKind {
  /** It comes to rest. */
  FIXED_POINT("fixed point"),
  /** It goes round and round. */
  ORBIT("orbit"),
  /** It drifts on in one direction. */
  SLIDER("slider"),
  /** None of these, or more than one, or too few recurrences to tell. */
  UNCLEAR("unclear");

  private final String label;

  TrajectoryKind(String label) {
    this.label = label;
  }

  /** The name, for people. */
  public String label() {
    return label;
  }
}
