package dev.muninn.cli.quantize;

import dev.muninn.cli.help.HelpHeading;
import dev.muninn.cli.options.NumberConverters;
import dev.muninn.cli.options.RecipeName;
import dev.muninn.family.PanelTensor;
import dev.muninn.family.PreparedTensors;
import dev.muninn.model.WeightFormat;
import dev.muninn.prepare.Part;
import dev.muninn.prepare.Recipe;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;

/** The type of each part of a model. */
@HelpHeading("Types")
final class RecipeOptions {
  private static final String TYPE = "TYPE";

  @Option(
      names = "--type",
      paramLabel = TYPE,
      converter = RecipeName.class,
      description = {
        "bf16: 16 bits, only the layout changes (F32 is rounded). q8, q4: 8 or 4 bits and a scale"
            + " for every 32 inputs. mixed: q4 for the recurrent block, q8 for the rest."
      })
  private Recipe recipe;

  @Option(
      names = "--embedding",
      paramLabel = TYPE,
      converter = Format.class,
      description =
          "Another type for the embedding: bf16, q8, q4, or keep for as it is (default: keep). One"
              + " that is tied to the head is the head's.")
  private Choice embedding;

  @Option(
      names = "--prelude",
      paramLabel = TYPE,
      converter = Format.class,
      description = "Another type for the prelude.")
  private Choice prelude;

  @Option(
      names = "--adapter",
      paramLabel = TYPE,
      converter = Format.class,
      description = "Another type for the injection of the embedded token.")
  private Choice adapter;

  @Option(
      names = "--core",
      paramLabel = TYPE,
      converter = Format.class,
      description = "Another type for the recurrent block.")
  private Choice core;

  @Option(
      names = "--coda",
      paramLabel = TYPE,
      converter = Format.class,
      description = "Another type for the coda.")
  private Choice coda;

  @Option(
      names = "--head",
      paramLabel = TYPE,
      converter = Format.class,
      description = "Another type for the head.")
  private Choice head;

  /** Whether there is a type. */
  boolean isGiven() {
    return recipe != null;
  }

  /** What was asked for. */
  Recipe recipe() {
    Map<Part, Optional<WeightFormat>> asked = new EnumMap<>(Part.class);
    put(asked, Part.EMBEDDING, embedding);
    put(asked, Part.PRELUDE, prelude);
    put(asked, Part.ADAPTER, adapter);
    put(asked, Part.CORE, core);
    put(asked, Part.CODA, coda);
    put(asked, Part.HEAD, head);
    Recipe changed = recipe;
    for (Map.Entry<Part, Optional<WeightFormat>> part : asked.entrySet()) {
      changed = changed.with(part.getKey(), part.getValue());
    }
    return changed;
  }

  private static void put(Map<Part, Optional<WeightFormat>> asked, Part part, Choice choice) {
    if (choice != null) {
      asked.put(part, choice.format());
    }
  }

  /** What is asked for one part: a format, or to keep it as it is. */
  private record Choice(Optional<WeightFormat> format) {}

  /** Reads a choice. */
  static final class Format implements ITypeConverter<Choice> {
    @Override
    public Choice convert(String value) {
      if (value.equals("keep")) {
        return new Choice(Optional.empty());
      }
      return PanelTensor.FORMATS.stream()
          .filter(format -> PreparedTensors.name(format).equals(value))
          .findFirst()
          .map(format -> new Choice(Optional.of(format)))
          .orElseThrow(() -> NumberConverters.expected("keep, bf16, q8 or q4", value));
    }
  }
}
