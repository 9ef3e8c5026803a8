package dev.muninn.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.cli.help.CommandSection;
import dev.muninn.cli.help.GroupedOptionList;
import dev.muninn.cli.process.ExitCode;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The help of all commands there are, those included that are yet to come. */
class HelpTest {
  private static final String INDENT = "  ";

  /** Every command's name, as the list of commands in the help has them. */
  static List<String> commands() {
    List<String> names = new ArrayList<>();
    boolean options = true;
    for (String line : CommandRun.of("--help").out().lines().toList()) {
      if (line.endsWith(":") && !line.startsWith(INDENT)) {
        options = line.equals("Options:");
      } else if (!options && line.startsWith(INDENT)) {
        names.add(line.strip().split(" ")[0]);
      }
    }
    return names;
  }

  @Test
  void listsCommandsBySection() {
    String help = CommandRun.of("--help").out();
    for (CommandSection section : CommandSection.values()) {
      boolean used = help.contains("\n" + section.heading() + ":\n");
      assertTrue(used || section == CommandSection.MODELS, help);
    }
    assertTrue(help.indexOf("  generate  ") < help.indexOf("  bench  "), help);
    assertTrue(
        commands().containsAll(List.of("generate", "inspect", "bench", "man", "help")), help);
  }

  @ParameterizedTest
  @MethodSource("commands")
  void fitsEightyColumnsWhicheverWayItIsAskedFor(String command) {
    CommandRun asked = CommandRun.of("help", command);
    requireFits(asked);
    if (!command.equals("help")) {
      CommandRun option = CommandRun.of(command, "--help");
      requireFits(option);
      assertEquals(asked.out(), option.out());
      assertEquals(option.out(), CommandRun.of(command, "-h").out());
    }
  }

  @Test
  void ownHelpFitsEightyColumns() {
    requireFits(CommandRun.of("--help"));
    assertEquals(CommandRun.of("--help").out(), CommandRun.of("help").out());
  }

  private static void requireFits(CommandRun run) {
    assertEquals(ExitCode.OK, run.exitCode(), run.err());
    assertEquals("", run.err());
    assertTrue(run.out().contains("Usage: muninn"), run.out());
    assertEquals(List.of(), run.out().lines().filter(line -> line.length() > 80).toList());
  }

  @ParameterizedTest
  @MethodSource("commands")
  void optionsStandInNamedGroups(String command) {
    if (command.equals("help")) {
      return;
    }
    List<String> headings =
        CommandRun.of(command, "--help")
            .out()
            .lines()
            .filter(line -> line.endsWith(":") && !line.startsWith(" "))
            .toList();
    assertFalse(headings.isEmpty());
    assertFalse(headings.contains(GroupedOptionList.DEFAULT_HEADING + ":"), headings.toString());
    assertEquals(headings.stream().distinct().toList(), headings);
  }

  @Test
  void commandsSayInOneLineWhatTheyDo() {
    for (String line : CommandRun.of("--help").out().lines().toList()) {
      if (commands().stream().anyMatch(name -> line.startsWith(INDENT + name + " "))) {
        assertTrue(line.matches("  [a-z]+ +[A-Z].*\\."), line);
      }
    }
  }
}
