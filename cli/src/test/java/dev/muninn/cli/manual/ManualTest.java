package dev.muninn.cli.manual;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.cli.CommandRun;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ManualTest {
  private static final Pattern OPTION = Pattern.compile("(?m)^ {2,6}(?:-\\w, )?(--[a-z-]+)");
  private static final List<String> MACROS = List.of("TH", "SH", "SS", "TP", "PP", "br");

  @Test
  void everyCommandHasPageWithAllItsOptions(@TempDir Path directory) throws IOException {
    assertEquals(0, CommandRun.of("man", "--to", directory.toString()).exitCode());
    List<Path> pages;
    try (Stream<Path> files = Files.list(directory)) {
      pages = files.sorted().toList();
    }
    assertTrue(pages.contains(directory.resolve("muninn.1")), pages.toString());
    assertTrue(pages.contains(directory.resolve("muninn-bench.1")), pages.toString());
    for (Path page : pages) {
      String roff = Files.readString(page);
      String name = page.getFileName().toString().replace(".1", "");
      requireMacros(roff);
      assertTrue(roff.startsWith(".TH \"" + name.toUpperCase().replace("-", "\\-") + "\""), roff);
      String[] command = name.split("-", 2);
      String help = command.length == 1 ? help() : help(command[1]);
      Matcher options = OPTION.matcher(help);
      while (options.find()) {
        String escaped = options.group(1).replace("-", "\\-");
        assertTrue(roff.contains("\\fB" + escaped + "\\fR"), page + " lacks " + options.group(1));
      }
    }
  }

  private static String help(String... command) {
    return command.length == 0
        ? CommandRun.of("--help").out()
        : CommandRun.of("help", command[0]).out();
  }

  private static void requireMacros(String roff) {
    for (String line : roff.lines().toList()) {
      if (line.startsWith(".")) {
        assertTrue(MACROS.contains(line.substring(1).split(" ")[0]), line);
      }
      assertTrue(!line.startsWith("'") && !line.contains("%n"), line);
      assertTrue(line.matches("(\\\\[fe(&-]|[^\\\\])*"), line);
    }
  }

  @Test
  void pageOfOneCommandIsPrinted() {
    CommandRun run = CommandRun.of("man", "score");
    assertEquals(0, run.exitCode(), run.err());
    assertTrue(run.out().contains("\nmuninn-score \\- Prints the log\\-probability"), run.out());
  }

  @Test
  void bashCompletesCommandsOptionsAndChoices(@TempDir Path directory) throws Exception {
    Path script = directory.resolve("completion");
    Files.writeString(script, CommandRun.of("completion", "bash").out());
    assertEquals("bench", complete(script, "muninn", "be"));
    assertEquals("--kernels --kv --kv-type", complete(script, "muninn", "bench", "--k"));
    assertEquals("f32 bf16 q8", complete(script, "muninn", "bench", "--kv-type", ""));
    assertEquals("json jsonl", complete(script, "muninn", "bench", "-o", "j"));
    assertEquals("zero random", complete(script, "muninn", "generate", "--state", ""));
  }

  /** What bash would offer for the last word. */
  private static String complete(Path script, String... words) throws Exception {
    String program =
        """
        compopt() { :; }
        . "$1"; shift
        COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _complete_muninn; echo "${COMPREPLY[*]}"
        """;
    List<String> command = new ArrayList<>(List.of("bash", "-c", program, "bash"));
    command.add(script.toString());
    command.addAll(List.of(words));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    process.getOutputStream().close();
    String output =
        new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    assertEquals(0, process.waitFor(), output);
    return output;
  }
}
