package dev.muninn.prepare;

import dev.muninn.family.PreparedTensors;
import dev.muninn.model.WeightFormat;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * The format of each part of a model. A part that is not named keeps its matrices as they are, row
 * after row; norms, biases and exit gates are always kept.
 *
 * @param name one of {@link #NAMES}, that it is or was changed from
 * @param formats {@code BF16_PANELS}, {@code Q8} or {@code Q4} by part
 */
public record Recipe(String name, Map<Part, WeightFormat> formats) {
  /** Names of {@link #of(String)}. */
  public static final List<String> NAMES = List.of("bf16", "q8", "q4", "mixed");

  public Recipe {
    if (!NAMES.contains(name)) {
      throw new IllegalArgumentException(
          "there is no type '" + name + "', only " + String.join(", ", NAMES));
    }
    formats = Map.copyOf(formats);
  }

  /**
   * A recipe by its name. None touches an embedding that is a matrix of its own: of it, a token
   * reads one row.
   *
   * @param name {@code bf16}, {@code q8} and {@code q4} give all parts one format; {@code mixed}
   *     gives 4 bits to the recurrent block, which is read most, and 8 bits to the others
   * @throws IllegalArgumentException if there is none of that name
   */
  public static Recipe of(String name) {
    return switch (name) {
      case "bf16" -> all(name, WeightFormat.BF16_PANELS);
      case "q8" -> all(name, WeightFormat.Q8);
      case "q4" -> all(name, WeightFormat.Q4);
      case "mixed" -> all(name, WeightFormat.Q8).with(Part.CORE, Optional.of(WeightFormat.Q4));
      default -> new Recipe(name, Map.of());
    };
  }

  private static Recipe all(String name, WeightFormat format) {
    Map<Part, WeightFormat> formats = new EnumMap<>(Part.class);
    for (Part part : Part.values()) {
      if (part != Part.EMBEDDING) {
        formats.put(part, format);
      }
    }
    return new Recipe(name, formats);
  }

  /** The same with another format for a part; without one, its matrices stay as they are. */
  public Recipe with(Part part, Optional<WeightFormat> format) {
    Map<Part, WeightFormat> changed = new EnumMap<>(Part.class);
    changed.putAll(formats);
    changed.remove(part);
    format.ifPresent(value -> changed.put(part, value));
    return new Recipe(name, changed);
  }

  /** The format of a part; empty if it stays as it is. */
  public Optional<WeightFormat> format(Part part) {
    return Optional.ofNullable(formats.get(part));
  }

  /** The recipe in words: its name, and the parts in which it was changed. */
  public String text() {
    StringBuilder text = new StringBuilder(name);
    Recipe unchanged = of(name);
    for (Part part : Part.values()) {
      Optional<WeightFormat> format = format(part);
      if (!format.equals(unchanged.format(part))) {
        text.append(' ')
            .append(part.name().toLowerCase(Locale.ROOT))
            .append('=')
            .append(format.map(PreparedTensors::name).orElse("keep"));
      }
    }
    return text.toString();
  }
}
