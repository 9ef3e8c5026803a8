package dev.muninn.cli.train;

import dev.muninn.cli.options.UsageException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/**
 * The options that a run was started with, as they are kept with its state: a resumed run uses them
 * without being given them again.
 */
final class SavedOptions {
  /** These say where and how much; they may be others each time. */
  private static final Set<String> FREE =
      Set.of(
          "--out",
          "--resume",
          "--steps",
          "--threads",
          "--save-every",
          "--save-dtype",
          "--evaluate-every",
          "--evaluate-at",
          "--plot",
          "--json",
          "--verbose",
          "--help");

  /** These are for one start of the command. */
  private static final Set<String> UNSAVED =
      Set.of("--out", "--resume", "--plot", "--json", "--verbose", "--help");

  private SavedOptions() {}

  /** The options that were given, each with the text that it was given. */
  static Map<String, String> of(CommandSpec command) {
    Map<String, String> given = new LinkedHashMap<>();
    for (OptionSpec option : command.commandLine().getParseResult().matchedOptions()) {
      if (!UNSAVED.contains(option.longestName())) {
        given.put(option.longestName(), text(option));
      }
    }
    return given;
  }

  private static String text(OptionSpec option) {
    // A path must be found from another working directory as well.
    return option.getValue() instanceof Path path
        ? path.toAbsolutePath().normalize().toString()
        : option.originalStringValues().isEmpty()
            ? option.getValue().toString()
            : option.originalStringValues().getLast();
  }

  /**
   * Sets what was saved and not given again.
   *
   * @throws UsageException if an option was given that contradicts the saved one
   */
  static void restore(CommandSpec command, Map<String, String> saved) {
    Map<String, String> given = of(command);
    for (Map.Entry<String, String> entry : given.entrySet()) {
      String name = entry.getKey();
      String before = saved.getOrDefault(name, standard(command.findOption(name)));
      if (!FREE.contains(name) && !entry.getValue().equals(before)) {
        throw new UsageException(
            name
                + " is "
                + entry.getValue()
                + ", but the run was started with "
                + (before == null ? "its default" : before)
                + ": leave it out to continue");
      }
    }
    saved.forEach((name, text) -> {
      OptionSpec option = command.findOption(name);
      if (option != null && !given.containsKey(name)) {
        set(option, text);
      }
    });
  }

  /** The value of an option that was not given, or null if the preset or the model sets it. */
  private static String standard(OptionSpec option) {
    if (option.defaultValue() != null) {
      return option.defaultValue();
    }
    return option.initialValue() == null ? null : option.initialValue().toString();
  }

  private static void set(OptionSpec option, String text) {
    try {
      if (option.converters().length > 0) {
        ITypeConverter<?> converter = option.converters()[0];
        option.setter().set(converter.convert(text));
      } else if (option.type() == Path.class) {
        option.setter().set(Path.of(text));
      } else if (option.type() == boolean.class) {
        option.setter().set(Boolean.valueOf(text));
      } else {
        option.setter().set(text);
      }
    } catch (Exception e) {
      throw new UsageException("the saved " + option.longestName() + " is '" + text + "'");
    }
  }
}
