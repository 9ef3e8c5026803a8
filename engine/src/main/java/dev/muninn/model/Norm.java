package dev.muninn.model;

import java.util.Objects;

/**
 * RMSNorm: {@code x / sqrt(mean(x^2) + epsilon) * scale}, with statistics in f32.
 *
 * @param scale one factor a value, widened to f32
 * @param epsilon at least 0 and finite
 */
public record Norm(float[] scale, float epsilon) {
  public Norm {
    Objects.requireNonNull(scale, "scale");
    if (!(epsilon >= 0) || Float.isInfinite(epsilon)) {
      throw new IllegalArgumentException("a norm's epsilon must not be negative, not " + epsilon);
    }
  }

  /** Values that the norm is over. */
  public int size() {
    return scale.length;
  }
}
