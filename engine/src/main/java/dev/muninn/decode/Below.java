package dev.muninn.decode;

/** A criterion that lets rows leave below a threshold. */
abstract class Below implements ExitCriterion {
  final double threshold;

  Below(double threshold) {
    this.threshold = threshold;
  }

  @Override
  public boolean satisfied(double value) {
    return value < threshold;
  }
}
