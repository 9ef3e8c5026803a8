package dev.muninn.cli.help;

import dev.muninn.cli.output.Units;
import java.lang.reflect.Field;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.Help;
import picocli.CommandLine.IHelpSectionRenderer;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.Model.UsageMessageSpec;

/**
 * Lists arguments and options under the headings of their classes.
 *
 * <p>Picocli's own headings need argument groups, in which a second positional argument, or an
 * option given twice, silently overrides the first.
 */
public final class GroupedOptionList implements IHelpSectionRenderer {
  /** Where a class has no {@link HelpHeading}. */
  public static final String DEFAULT_HEADING = "Options";

  /** Makes a command and its subcommands show their options this way. */
  public static void install(CommandLine commandLine) {
    Map<String, IHelpSectionRenderer> sections = commandLine.getHelpSectionMap();
    sections.remove(UsageMessageSpec.SECTION_KEY_PARAMETER_LIST);
    sections.put(UsageMessageSpec.SECTION_KEY_OPTION_LIST, new GroupedOptionList());
    commandLine.setHelpSectionMap(sections);
  }

  /** The arguments and options of a command by the heading under which they are listed. */
  public static Map<String, List<ArgSpec>> groups(CommandSpec command) {
    Map<String, List<ArgSpec>> groups = new LinkedHashMap<>();
    for (ArgSpec argument : command.args()) {
      if (!argument.hidden()) {
        groups.computeIfAbsent(heading(argument), heading -> new ArrayList<>()).add(argument);
      }
    }
    groups.values().forEach(group -> group.sort(Comparator.comparingInt(GroupedOptionList::order)));
    return groups;
  }

  @Override
  public String render(Help help) {
    StringBuilder list = new StringBuilder();
    groups(help.commandSpec())
        .forEach((heading, group) ->
            list.append(Units.format("%n%s:%n%s", heading, layout(help, group))));
    return list.toString();
  }

  private static Help.Layout layout(Help help, List<ArgSpec> group) {
    // Made for all, so that the columns of all groups stand below each other.
    Help.Layout layout =
        help.createDefaultLayout(
            help.commandSpec().options(),
            help.commandSpec().positionalParameters(),
            help.colorScheme());
    for (ArgSpec argument : group) {
      switch (argument) {
        case OptionSpec option -> layout.addOption(option, help.parameterLabelRenderer());
        case PositionalParamSpec positional ->
            layout.addPositionalParameter(positional, help.parameterLabelRenderer());
        default -> throw new IllegalStateException("neither option nor argument: " + argument);
      }
    }
    return layout;
  }

  /** Arguments stand before options. */
  private static int order(ArgSpec argument) {
    return argument instanceof OptionSpec option ? option.order() : Integer.MIN_VALUE;
  }

  private static String heading(ArgSpec argument) {
    if (!(argument.userObject() instanceof Field field)) {
      return DEFAULT_HEADING;
    }
    Class<?> owner = field.getDeclaringClass();
    HelpHeading heading = owner.getAnnotation(HelpHeading.class);
    return heading == null ? DEFAULT_HEADING : heading.value();
  }
}
