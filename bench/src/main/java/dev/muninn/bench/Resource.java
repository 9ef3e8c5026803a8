package dev.muninn.bench;

/** The resource that bounds a benchmark, and the unit of its rate. */
public enum Resource {
  /** Bytes that must come from memory, since they are in no cache. */
  MEMORY("memory", "GB/s", 1e9),
  /** Bytes that are in the first caches. */
  CACHE("cache", "GB/s", 1e9),
  /** Multiplications and additions of floats, a fused one counting as two. */
  ARITHMETIC("arithmetic", "GFLOP/s", 1e9),
  /** Tokens of a sequence; no machine limits them directly. */
  TOKENS("tokens", "1/s", 1);

  private final String label;
  private final String unit;
  private final double amountOfUnit;

  Resource(String label, String unit, double amountOfUnit) {
    this.label = label;
    this.unit = unit;
    this.amountOfUnit = amountOfUnit;
  }

  /** The name of the rate among JMH's secondary results. */
  String label() {
    return "rate." + label;
  }

  String unit() {
    return unit;
  }

  /** The heading of its column. */
  String heading() {
    return label + " " + unit;
  }

  /** The rate in this resource's unit. */
  double rate(double amountPerSecond) {
    return amountPerSecond / amountOfUnit;
  }
}
