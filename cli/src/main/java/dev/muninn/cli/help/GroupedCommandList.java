package dev.muninn.cli.help;

import dev.muninn.cli.output.Units;
import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.Help;
import picocli.CommandLine.IHelpSectionRenderer;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.UsageMessageSpec;

/** Lists commands under the headings of their sections. */
public final class GroupedCommandList implements IHelpSectionRenderer {
  private static final String INDENT = "  ";

  /** Makes a command show its subcommands this way. */
  public static void install(CommandLine commandLine) {
    Map<String, IHelpSectionRenderer> sections = commandLine.getHelpSectionMap();
    sections.remove(UsageMessageSpec.SECTION_KEY_COMMAND_LIST_HEADING);
    sections.put(UsageMessageSpec.SECTION_KEY_COMMAND_LIST, new GroupedCommandList());
    commandLine.setHelpSectionMap(sections);
  }

  @Override
  public String render(Help help) {
    CommandSpec command = help.commandSpec();
    int width = command.subcommands().keySet().stream().mapToInt(String::length).max().orElse(0);
    StringBuilder list = new StringBuilder();
    CommandSection.of(command)
        .forEach((section, subcommands) -> {
          list.append(Units.format("%n%s:%n", section.heading()));
          for (CommandSpec subcommand : subcommands) {
            String name = Units.format("%-" + width + "s", subcommand.name());
            list.append(INDENT)
                .append(name)
                .append(INDENT)
                .append(CommandSection.summary(subcommand));
            list.append(System.lineSeparator());
          }
        });
    return list.toString();
  }
}
