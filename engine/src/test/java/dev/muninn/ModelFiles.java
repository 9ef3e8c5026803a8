package dev.muninn;

import dev.muninn.weights.Checkpoint;
import dev.muninn.weights.DType;
import dev.muninn.weights.SafetensorsWriter;
import dev.muninn.weights.Tensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.URISyntaxException;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/** Model directories that tests use, and changed copies of them. */
public final class ModelFiles {
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final List<String> SMALL_FILES =
      List.of("config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json");

  private ModelFiles() {}

  /** A trained model of bytes: check digits and sums of two numbers. */
  public static Path ravenTiny() {
    return resource("/dev/muninn/models/raven-tiny");
  }

  static Path resource(String name) {
    try {
      return Path.of(ModelFiles.class.getResource(name).toURI());
    } catch (URISyntaxException e) {
      throw new AssertionError(e);
    }
  }

  /** The elements of a tensor to be written. */
  public record Content(DType dtype, List<Long> shape, MemorySegment data) {}

  /**
   * Copies a model directory and changes its tensors on the way.
   *
   * @param target a directory, made if it is not there
   * @param change gets the tensors by name and may replace, remove and add some
   * @return the target
   */
  public static Path copy(Path source, Path target, Consumer<Map<String, Content>> change) {
    copySmallFiles(source, target);
    try (Checkpoint checkpoint = Checkpoint.open(source)) {
      Map<String, Content> contents = new LinkedHashMap<>();
      for (Tensor tensor : checkpoint.tensors().values()) {
        contents.put(tensor.name(), new Content(tensor.dtype(), tensor.shape(), tensor.data()));
      }
      change.accept(contents);
      SafetensorsWriter writer = new SafetensorsWriter(target.resolve(Checkpoint.SINGLE_FILE));
      contents.forEach(
          (name, content) -> writer.add(name, content.dtype, content.shape, content.data));
      writer.write();
    }
    return target;
  }

  /** Copies what a model directory has beside its weights. */
  public static void copySmallFiles(Path source, Path target) {
    try {
      Files.createDirectories(target);
      for (String name : SMALL_FILES) {
        if (Files.exists(source.resolve(name))) {
          Files.copy(source.resolve(name), target.resolve(name));
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The elements as floats. */
  public static float[] floats(Content content) {
    int count = Math.toIntExact(content.data.byteSize() * 8 / content.dtype.bits());
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] =
          switch (content.dtype) {
            case F32 -> content.data.get(FLOAT, 4L * i);
            case F16 -> Float.float16ToFloat(content.data.get(SHORT, 2L * i));
            case BF16 -> Float.intBitsToFloat(content.data.get(SHORT, 2L * i) << 16);
            default -> throw new AssertionError(content.dtype);
          };
    }
    return values;
  }

  /** A tensor of values, which BF16 gets by cutting them and F16 by rounding. */
  public static Content content(DType dtype, List<Long> shape, float[] values) {
    MemorySegment data =
        Arena.ofAuto().allocate((long) values.length * dtype.bits() / 8, Float.BYTES);
    for (int i = 0; i < values.length; i++) {
      switch (dtype) {
        case F32 -> data.set(FLOAT, 4L * i, values[i]);
        case F16 -> data.set(SHORT, 2L * i, Float.floatToFloat16(values[i]));
        case BF16 -> data.set(SHORT, 2L * i, (short) (Float.floatToRawIntBits(values[i]) >>> 16));
        default -> throw new AssertionError(dtype);
      }
    }
    return new Content(dtype, shape, data);
  }

  /** The same values in another type. */
  public static Content converted(Content content, DType dtype) {
    return content(dtype, content.shape, floats(content));
  }

  /** A tensor of zeros, of any type. */
  public static Content zeros(DType dtype, Long... shape) {
    long elements = 1;
    for (long size : shape) {
      elements *= size;
    }
    return new Content(
        dtype, List.of(shape), Arena.ofAuto().allocate(elements * dtype.bits() / 8, 8));
  }
}
