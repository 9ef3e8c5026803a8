package dev.muninn.model;

import dev.muninn.family.huginn.HuginnConfig;
import dev.muninn.measure.RandomCheckpoint;
import dev.muninn.weights.DType;

/** Models whose matrices have no elements, for tests that only ask for shapes. */
public final class ShapeOnly {
  private ShapeOnly() {}

  /** A model of Huginn's family. */
  public static RecurrentModel of(HuginnConfig config) {
    return RandomCheckpoint.of(config, DType.F32).model();
  }
}
