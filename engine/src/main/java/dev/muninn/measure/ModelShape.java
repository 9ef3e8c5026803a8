package dev.muninn.measure;

import dev.muninn.model.RavenConfig;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/**
 * Models of random weights: what they compute is of no use, what they cost is that of real ones.
 */
public enum ModelShape {
  /** Fits into the caches. */
  TINY(128, 4, 352, 1, 2, 272, 256),
  /** The paper's small model; does not fit. */
  SMALL(1024, 8, 3520, 1, 4, 65_536, 4096),
  /** Between the two. */
  MEDIUM(2048, 16, 7168, 2, 4, 65_536, 4096),
  /** Huginn-0125: 7 GB in 16 bits. */
  HUGINN(5280, 55, 17_920, 2, 4, 65_536, 4096);

  private final RavenConfig config;

  ModelShape(
      int embeddingSize,
      int heads,
      int intermediateSize,
      int outerLayers,
      int recurrentLayers,
      int vocabularySize,
      int contextLength) {
    config =
        new RavenConfig(
            embeddingSize,
            heads,
            intermediateSize,
            outerLayers,
            recurrentLayers,
            outerLayers,
            32,
            vocabularySize,
            contextLength,
            50_000,
            1e-6,
            true,
            true);
  }

  public RavenConfig config() {
    return config;
  }

  /** The shape of this name, in lower case. */
  public static Optional<ModelShape> named(String name) {
    return Arrays.stream(values()).filter(shape -> shape.toString().equals(name)).findFirst();
  }

  /** The name in lower case, as a command line has it. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
