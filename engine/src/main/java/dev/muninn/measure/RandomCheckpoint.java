package dev.muninn.measure;

import dev.muninn.family.ConfigReader;
import dev.muninn.family.ModelFamilies;
import dev.muninn.family.ModelFamily;
import dev.muninn.family.huginn.HuginnConfig;
import dev.muninn.family.huginn.HuginnFamily;
import dev.muninn.model.RecurrentModel;
import dev.muninn.weights.Checkpoint;
import dev.muninn.weights.DType;
import dev.muninn.weights.SafetensorsWriter;
import java.io.IOException;
import java.io.StringWriter;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/** Models of random weights, which are read through the memory map as real ones are. */
public final class RandomCheckpoint {
  private final Map<String, Object> config;
  private final DType dtype;
  private final TensorList tensors;
  private final RecurrentModel model;

  private RandomCheckpoint(ModelFamily family, Map<String, Object> config, DType dtype) {
    this.config = config;
    this.dtype = dtype;
    this.tensors = new TensorList(dtype);
    this.model =
        ModelFamilies.bind(
            family, ConfigReader.of(Path.of("a shape's config.json"), config), tensors);
  }

  /**
   * A checkpoint to be written.
   *
   * @param dtype F32, F16 or BF16
   */
  public static RandomCheckpoint of(ModelShape shape, DType dtype) {
    return of(shape.family(), shape.config(), dtype);
  }

  /** A checkpoint of Huginn's family to be written. */
  public static RandomCheckpoint of(HuginnConfig shape, DType dtype) {
    return of(new HuginnFamily(), ModelShape.config(shape), dtype);
  }

  /**
   * A checkpoint of any family to be written.
   *
   * @param config what its config.json says: text, whole numbers as Long, other numbers as Double,
   *     truth values and objects of these
   */
  public static RandomCheckpoint of(ModelFamily family, Map<String, Object> config, DType dtype) {
    return new RandomCheckpoint(family, config, dtype);
  }

  /** The model's shape; its matrices have no elements yet. */
  public RecurrentModel model() {
    return model;
  }

  /** Bytes that the weights take as a file, but for its header. */
  public long bytes() {
    return tensors.entries().stream()
        .mapToLong(entry -> entry.elements() * dtype.bits() / Byte.SIZE)
        .sum();
  }

  /**
   * Writes {@code config.json} and the weights, the same for the same arguments. Values are of the
   * size of Takase's initialization, so that activations stay as large as in a real model.
   *
   * @param directory exists
   * @throws IOException if the configuration cannot be written
   * @throws dev.muninn.weights.CheckpointException if the weights cannot be written
   */
  public void write(Path directory) throws IOException {
    double deviation = Math.sqrt(2.0 / (5.0 * model.width()));
    double output = deviation / Math.sqrt(2.0 * model.effectiveDepth(model.defaultRecurrence()));
    long largest =
        tensors.entries().stream().mapToLong(TensorList.Entry::elements).max().orElseThrow();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocate(largest * dtype.bits() / Byte.SIZE);
      SafetensorsWriter writer = new SafetensorsWriter(directory.resolve(Checkpoint.SINGLE_FILE));
      for (TensorList.Entry entry : tensors.entries()) {
        writer.add(
            entry.name(),
            dtype,
            entry.shape(),
            () -> {
              MemorySegment data = buffer.asSlice(0, entry.elements() * dtype.bits() / Byte.SIZE);
              switch (entry.role()) {
                case NORM -> RandomValues.fillWith(data, dtype, 1);
                case MATRIX -> fill(data, deviation, entry.name());
                case OUTPUT -> fill(data, output, entry.name());
                case VECTOR -> fill(data, 0.1, entry.name());
              }
              return data;
            });
      }
      writer.write();
    }
    Files.writeString(directory.resolve("config.json"), json());
  }

  /** A uniform distribution ends at sqrt(3) standard deviations. */
  private void fill(MemorySegment data, double deviation, String name) {
    RandomValues.fill(data, dtype, Math.sqrt(3) * deviation, name.hashCode());
  }

  private String json() {
    StringWriter text = new StringWriter();
    try (JsonGenerator json = new JsonFactory().createGenerator(ObjectWriteContext.empty(), text)) {
      write(json, config);
    }
    return text.append('\n').toString();
  }

  private static void write(JsonGenerator json, Object value) {
    switch (value) {
      case Map<?, ?> object -> {
        json.writeStartObject();
        object.forEach((name, member) -> {
          json.writeName((String) name);
          write(json, member);
        });
        json.writeEndObject();
      }
      case Long number -> json.writeNumber(number);
      case Double number -> json.writeNumber(number);
      case Boolean flag -> json.writeBoolean(flag);
      default -> json.writeString(String.valueOf(value));
    }
  }
}
