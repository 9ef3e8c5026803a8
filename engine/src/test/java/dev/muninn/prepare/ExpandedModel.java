package dev.muninn.prepare;

import dev.muninn.ModelFiles;
import dev.muninn.family.ConfigReader;
import dev.muninn.family.PanelTensor;
import dev.muninn.family.PreparedTensors;
import dev.muninn.model.WeightMatrix;
import dev.muninn.weights.DType;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;

/** Prepared checkpoints, written row by row again: the same weights in F32. */
public final class ExpandedModel {
  private ExpandedModel() {}

  /**
   * Writes the weights of a prepared checkpoint as F32.
   *
   * @param source what it was made from, for config.json
   * @return the target
   */
  public static Path write(Path prepared, Path source, Path target) throws IOException {
    PreparedTensors panels = PreparedTensors.read(ConfigReader.of(prepared));
    ModelFiles.copy(
        prepared,
        target,
        tensors ->
            panels
                .tensors()
                .forEach((name, layout) ->
                    tensors.put(name, expanded(layout, tensors.get(name).data()))));
    Files.copy(
        source.resolve("config.json"),
        target.resolve("config.json"),
        StandardCopyOption.REPLACE_EXISTING);
    return target;
  }

  /** A tensor in panels as one of rows. */
  private static ModelFiles.Content expanded(PanelTensor layout, MemorySegment data) {
    return ModelFiles.content(
        DType.F32, List.of((long) layout.rows(), (long) layout.inputs()), weights(layout, data));
  }

  /** All weights of a tensor in panels, row by row. */
  static float[] weights(PanelTensor layout, MemorySegment data) {
    float[] weights = new float[layout.rows() * layout.inputs()];
    int next = 0;
    for (WeightMatrix matrix : layout.matrices(data)) {
      for (int row = 0; row < matrix.rows(); row++) {
        int column = 0;
        for (int inputs : layout.inputParts()) {
          for (int i = 0; i < inputs; i++) {
            weights[next++] = matrix.get(row, column + i);
          }
          int block = layout.format().blockInputs();
          column += Math.ceilDiv(inputs, block) * block;
        }
      }
    }
    return weights;
  }

  /** Prepares a model. */
  public static Path prepare(Path source, Path target, Recipe recipe) throws IOException {
    Files.createDirectories(target);
    ModelFiles.copySmallFiles(source, target);
    Preparation.prepare(source, target, recipe, bytes -> {});
    return target;
  }
}
