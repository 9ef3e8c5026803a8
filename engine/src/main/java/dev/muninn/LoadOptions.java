package dev.muninn;

/**
 * How a model is opened.
 *
 * @param threads threads that compute, the caller's among them, at least 1
 */
public record LoadOptions(int threads) {

  public LoadOptions {
    if (threads < 1) {
      throw new IllegalArgumentException("threads must be at least 1, not " + threads);
    }
  }

  /** One thread per physical core. */
  public static LoadOptions defaults() {
    return new LoadOptions(dev.muninn.vector.PhysicalCores.count());
  }
}
