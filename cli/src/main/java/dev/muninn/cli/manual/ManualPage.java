package dev.muninn.cli.manual;

import dev.muninn.cli.help.CommandSection;
import dev.muninn.cli.help.GroupedOptionList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine.Help;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/** The manual page of a command, in the man macros of roff. */
final class ManualPage {
  private static final List<String> EXIT_CODES =
      List.of(
          "0", "All is well.",
          "1", "It failed: a file, a model or the network. One line on standard error says why.",
          "2", "The options or arguments make no sense.",
          "130", "It was interrupted; it printed the results so far.");

  private final CommandSpec command;
  private final StringBuilder page = new StringBuilder();

  private ManualPage(CommandSpec command) {
    this.command = command;
  }

  /** The name of the page's file. */
  static String fileName(CommandSpec command) {
    return name(command) + ".1";
  }

  private static String name(CommandSpec command) {
    return command.qualifiedName("-");
  }

  /** The page's text. */
  static String of(CommandSpec command) {
    return new ManualPage(command).write();
  }

  private String write() {
    String[] description = command.usageMessage().description();
    macro(
        "TH",
        name(command).toUpperCase(Locale.ROOT),
        "1",
        "",
        command.root().version()[0],
        "Muninn");
    macro("SH", "NAME");
    line(name(command) + " \\- " + escape(CommandSection.summary(command)));
    macro("SH", "SYNOPSIS");
    List<String> synopsis = synopsis();
    for (int i = 0; i < synopsis.size(); i++) {
      if (i > 0) {
        macro("br");
      }
      line(escape(synopsis.get(i)));
    }
    macro("SH", "DESCRIPTION");
    for (String paragraph : description) {
      macro("PP");
      line(escape(paragraph));
    }
    if (!command.subcommands().isEmpty()) {
      commands();
    }
    macro("SH", "OPTIONS");
    GroupedOptionList.groups(command)
        .forEach((heading, arguments) -> {
          macro("SS", heading);
          arguments.forEach(this::argument);
        });
    macro("SH", "EXIT STATUS");
    for (int i = 0; i < EXIT_CODES.size(); i += 2) {
      macro("TP");
      line("\\fB" + EXIT_CODES.get(i) + "\\fR");
      line(escape(EXIT_CODES.get(i + 1)));
    }
    footer();
    seeAlso();
    return page.toString();
  }

  private List<String> synopsis() {
    String[] custom = command.usageMessage().customSynopsis();
    if (custom.length > 0) {
      return Arrays.stream(custom).map(String::strip).toList();
    }
    Help help = new Help(command);
    return help.synopsis(0).lines().map(String::strip).toList();
  }

  private void commands() {
    macro("SH", "COMMANDS");
    for (Map.Entry<CommandSection, List<CommandSpec>> section :
        CommandSection.of(command).entrySet()) {
      macro("SS", section.getKey().heading());
      for (CommandSpec subcommand : section.getValue()) {
        macro("TP");
        line("\\fB" + escape(subcommand.qualifiedName(" ")) + "\\fR");
        line(escape(CommandSection.summary(subcommand)));
      }
    }
  }

  private void argument(ArgSpec argument) {
    macro("TP");
    String label = "\\fI" + escape(argument.paramLabel()) + "\\fR";
    if (argument instanceof OptionSpec option) {
      StringBuilder names = new StringBuilder();
      for (String name : option.names()) {
        names.append(names.isEmpty() ? "" : ", ").append("\\fB").append(escape(name));
        names.append("\\fR");
      }
      line(option.arity().max() == 0 ? names.toString() : names + "=" + label);
    } else {
      line(label);
    }
    line(escape(String.join(" ", argument.description())));
  }

  private void footer() {
    String[] footer = command.usageMessage().footer();
    if (footer.length > 0) {
      macro("SH", "EXAMPLES");
      for (String paragraph : footer) {
        if (!paragraph.isEmpty()) {
          macro("PP");
          line(escape(paragraph));
        }
      }
    }
  }

  private void seeAlso() {
    macro("SH", "SEE ALSO");
    StringBuilder others = new StringBuilder();
    if (command != command.root()) {
      others.append(reference(command.root()));
    }
    command
        .subcommands()
        .values()
        .forEach(subcommand -> {
          others.append(others.isEmpty() ? "" : ", ");
          others.append(reference(subcommand.getCommandSpec()));
        });
    line(others.toString());
  }

  private static String reference(CommandSpec command) {
    return "\\fB" + escape(name(command)) + "\\fR(1)";
  }

  private void macro(String name, String... arguments) {
    page.append('.').append(name);
    for (String argument : arguments) {
      page.append(" \"").append(escape(argument).replace("\"", "\\(dq")).append('"');
    }
    page.append('\n');
  }

  private void line(String text) {
    // A line that begins so would be a command.
    boolean command = text.startsWith(".") || text.startsWith("'");
    page.append(command ? "\\&" : "").append(text).append('\n');
  }

  /** As it stands: roff would make hyphens of minus signs and read backslashes. */
  private static String escape(String text) {
    return text.replace("\\", "\\e").replace("-", "\\-").replace("%%", "%").replace("%n", "");
  }
}
