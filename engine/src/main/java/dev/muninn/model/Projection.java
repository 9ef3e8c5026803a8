package dev.muninn.model;

import java.util.Objects;
import java.util.Optional;

/**
 * How queries or keys are made from a block's input: a product, then perhaps a norm over all heads
 * together (OLMo-2), then perhaps a bias; after that they are turned by their position.
 *
 * @param weights [heads x head size, h]
 * @param norm over all values of a row, before they are split into heads
 * @param bias [heads x head size]
 */
public record Projection(WeightMatrix weights, Optional<Norm> norm, Optional<float[]> bias) {
  public Projection {
    Objects.requireNonNull(weights, "weights");
    if (norm.isPresent()) {
      requireSize("norm", norm.get().size(), weights.rows());
    }
    if (bias.isPresent()) {
      requireSize("bias", bias.get().length, weights.rows());
    }
  }

  /** A product and nothing else. */
  public static Projection of(WeightMatrix weights) {
    return new Projection(weights, Optional.empty(), Optional.empty());
  }

  private static void requireSize(String name, int size, int expected) {
    if (size != expected) {
      throw new IllegalArgumentException(
          "the " + name + " of a projection to " + expected + " values has " + size);
    }
  }
}
