package dev.muninn.family;

import dev.muninn.model.WeightFormat;
import dev.muninn.weights.CheckpointException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * What config.json says of a prepared checkpoint: which tensors lie in panels, in which format, and
 * of which parts they are stacked. The layout is described in {@code FORMAT.md} of the loader.
 *
 * @param recipe how people call the choice of formats, such as "q4"
 * @param tensors what is in panels, by name; empty for a checkpoint as it came
 */
public record PreparedTensors(String recipe, Map<String, PanelTensor> tensors) {
  /** The key in config.json. Other tools use it too. */
  public static final String KEY = "quantization_config";

  private static final String METHOD_KEY = "quant_method";
  private static final String METHOD = "muninn";
  private static final int VERSION = 1;
  private static final int MOST = 1 << 24;

  /** Nothing is prepared. */
  public static final PreparedTensors NONE = new PreparedTensors("", Map.of());

  public PreparedTensors {
    tensors = Map.copyOf(tensors);
  }

  /** Whether any tensor lies in panels. */
  public boolean isPrepared() {
    return !tensors.isEmpty();
  }

  /**
   * Reads the configuration's part about panels.
   *
   * @throws CheckpointException in one line, if another tool has quantized the weights, or if the
   *     version is not known or the text is not sound
   */
  public static PreparedTensors read(ConfigReader config) {
    if (isOff(config.value(KEY))) {
      return NONE;
    }
    Path file = config.file();
    if (!(config.value(KEY) instanceof Map<?, ?> values)) {
      throw refusal(file, "", config.value(KEY), "an object");
    }
    Object method = values.get(METHOD_KEY);
    if (!METHOD.equals(method)) {
      throw refusal(
          file,
          "." + METHOD_KEY,
          method,
          '"' + METHOD + "\": weights that other tools have quantized are not supported");
    }
    requireNumber(file, values, "version", VERSION);
    requireNumber(file, values, "block_inputs", PanelTensor.BLOCK);
    requireNumber(file, values, "panel_rows", PanelTensor.PANEL);
    if (!(values.get("tensors") instanceof Map<?, ?> named) || named.isEmpty()) {
      throw refusal(file, ".tensors", values.get("tensors"), "an object with a tensor or more");
    }
    Map<String, PanelTensor> tensors = new LinkedHashMap<>();
    named.forEach((name, value) -> tensors.put((String) name, panels(file, (String) name, value)));
    Object recipe = values.get("recipe");
    return new PreparedTensors(recipe instanceof String text ? text : "", tensors);
  }

  private static boolean isOff(Object value) {
    return value == null
        || value.equals(false)
        || value instanceof Map<?, ?> object && object.isEmpty();
  }

  private static PanelTensor panels(Path file, String name, Object value) {
    String key = ".tensors." + name;
    if (!(value instanceof Map<?, ?> values)) {
      throw refusal(file, key, value, "an object");
    }
    WeightFormat format = null;
    for (WeightFormat known : PanelTensor.FORMATS) {
      if (name(known).equals(values.get("format"))) {
        format = known;
      }
    }
    if (format == null) {
      throw refusal(file, key + ".format", values.get("format"), "bf16, q8 or q4");
    }
    return new PanelTensor(
        format,
        parts(file, key + ".rows", values.get("rows")),
        parts(file, key + ".inputs", values.get("inputs")));
  }

  private static List<Integer> parts(Path file, String key, Object value) {
    List<Integer> parts = new ArrayList<>();
    long sum = 0;
    if (value instanceof List<?> list) {
      for (Object part : list) {
        if (part instanceof Long size && size > 0 && size <= MOST) {
          parts.add(size.intValue());
          sum += size;
        } else {
          sum = Long.MAX_VALUE / 2;
        }
      }
    }
    if (parts.isEmpty() || sum > MOST) {
      throw refusal(file, key, value, "a list of sizes from 1 to " + MOST + " in all");
    }
    return parts;
  }

  private static void requireNumber(Path file, Map<?, ?> values, String key, int expected) {
    Object found = values.get(key);
    if (!(found instanceof Long number) || number != expected) {
      throw refusal(file, "." + key, found, expected + ", which this version of Muninn reads");
    }
  }

  private static CheckpointException refusal(Path file, String key, Object found, String expected) {
    return new CheckpointException(
        file + ": " + KEY + key + " is " + ConfigReader.shown(found) + ", expected " + expected);
  }

  /** A format as config.json and the command line call it. */
  public static String name(WeightFormat format) {
    return format == WeightFormat.BF16_PANELS ? "bf16" : format.name().toLowerCase(Locale.ROOT);
  }

  /** What config.json says, under {@link #KEY}. */
  public Map<String, Object> config() {
    Map<String, Object> named = new LinkedHashMap<>();
    tensors.keySet().stream()
        .sorted()
        .forEach(name -> {
          PanelTensor tensor = tensors.get(name);
          Map<String, Object> described = new LinkedHashMap<>();
          described.put("format", name(tensor.format()));
          described.put("rows", tensor.rowParts());
          described.put("inputs", tensor.inputParts());
          named.put(name, described);
        });
    Map<String, Object> config = new LinkedHashMap<>();
    config.put(METHOD_KEY, METHOD);
    config.put("version", VERSION);
    config.put("recipe", recipe);
    config.put("panel_rows", PanelTensor.PANEL);
    config.put("block_inputs", PanelTensor.BLOCK);
    config.put("tensors", named);
    return config;
  }
}
