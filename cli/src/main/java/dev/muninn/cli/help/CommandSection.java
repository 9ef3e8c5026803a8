package dev.muninn.cli.help;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.HelpCommand;
import picocli.CommandLine.Model.CommandSpec;

/** The sections in which the help lists commands, in this order. A command names its own. */
public enum CommandSection {
  RUN("Run a model"),
  UNDERSTAND("Look inside"),
  MEASURE("Measure"),
  MODELS("Get and make models"),
  PROGRAM("This program");

  private final String heading;

  CommandSection(String heading) {
    this.heading = heading;
  }

  /** The section's heading. */
  public String heading() {
    return heading;
  }

  /** The section of a command's class. */
  @Retention(RetentionPolicy.RUNTIME)
  @Target(ElementType.TYPE)
  public @interface In {
    CommandSection value();
  }

  /**
   * A command's subcommands by section, in the order in which they were added.
   *
   * @throws IllegalStateException if the class of one is not annotated with {@link In}
   */
  public static Map<CommandSection, List<CommandSpec>> of(CommandSpec command) {
    Map<CommandSection, List<CommandSpec>> sections = new EnumMap<>(CommandSection.class);
    for (CommandLine subcommand : command.subcommands().values()) {
      CommandSpec spec = subcommand.getCommandSpec();
      sections.computeIfAbsent(sectionOf(spec), section -> new ArrayList<>()).add(spec);
    }
    return sections;
  }

  private static CommandSection sectionOf(CommandSpec spec) {
    In in = spec.userObject().getClass().getAnnotation(In.class);
    if (in != null) {
      return in.value();
    }
    if (spec.userObject() instanceof HelpCommand) {
      return PROGRAM;
    }
    throw new IllegalStateException("the command " + spec.name() + " names no section");
  }

  /** A command's description in one line. */
  public static String summary(CommandSpec command) {
    String[] header = command.usageMessage().header();
    String[] lines = header.length > 0 ? header : command.usageMessage().description();
    return lines.length == 0 ? "" : lines[0];
  }
}
