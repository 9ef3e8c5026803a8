package dev.muninn.cli.trace;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.cli.CommandRun;
import dev.muninn.cli.process.ExitCode;
import dev.muninn.weights.JsonFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TraceCommandTest {
  private static final String TINY = CommandRun.RAVEN_TINY.toString();

  @TempDir Path directory;

  @AfterEach
  void nothingHiddenIsLeft() throws IOException {
    try (Stream<Path> files = Files.walk(directory)) {
      assertEquals(
          List.of(), files.filter(file -> file.getFileName().toString().startsWith(".")).toList());
    }
  }

  private static CommandRun trace(String... arguments) {
    List<String> all = new ArrayList<>(List.of("trace", "-m", TINY));
    all.addAll(List.of(arguments));
    return CommandRun.of(all.toArray(String[]::new));
  }

  private String out() {
    return directory.resolve("a/b").toString();
  }

  private static Set<String> names(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      Set<String> names = new TreeSet<>();
      files.forEach(file -> names.add(file.getFileName().toString()));
      return names;
    }
  }

  @Test
  void tokensAreNoFormulasInTables() throws IOException {
    assertEquals(0, trace("-r", "2", "--out", out(), "=1+2-3=").exitCode());
    List<String> rows = lines(Path.of(out(), "tokens.csv"));
    List<String> texts = rows.stream().skip(1).map(row -> row.split(",")[2]).toList();
    assertEquals(
        List.of("'=", "1", "'+", "2", "'-", "3", "'="),
        texts.subList(texts.size() - 7, texts.size()));
  }

  @Test
  void summaryHasALineForEachToken() {
    CommandRun run = trace("-r", "8", "47+8=");
    assertEquals("", run.err());
    assertEquals(0, run.exitCode());
    List<String> lines = run.out().lines().toList();
    assertEquals("#25647+8=", lines.get(0));
    assertTrue(lines.get(3).matches(" +0  #256 +\\d+  fixed point  .*%"), lines.get(3));
    assertTrue(lines.get(8).matches(" +5  = +\\d+  [a-z ]+ 5 \\d+\\.\\d %"), lines.get(8));
    assertTrue(
        lines.get(10).matches("6 of 6 tokens settled within 8 recurrences; \\d fixed point, .*"),
        lines.get(10));
    assertEquals(11, lines.size());
    assertFalse(run.out().contains("\u001b"));
  }

  @Test
  void filesAgreeWithEachOther() throws IOException {
    Path out = Path.of(out());
    CommandRun run = trace("-r", "9", "--starts", "2", "--top", "3", "--out", out(), "12+34=");
    assertEquals("", run.err());
    assertTrue(run.out().endsWith("report: " + out.resolve("report.html") + "\n"), run.out());
    assertEquals(TraceReport.NAMES, names(out));
    assertEquals(
        List.of(1 + 7, 1 + 7 * 10, 1 + 7 * 10, 1 + 7),
        Stream.of("tokens.csv", "recurrences.csv", "planes.csv", "starts.csv")
            .map(name -> lines(out.resolve(name)).size())
            .toList());
    Map<String, Object> json = JsonFile.readObject(out.resolve("trace.json"));
    assertEquals(9L, json.get("recurrence"));
    assertEquals(2L, json.get("starts"));
    List<?> tokens = (List<?>) json.get("tokens");
    assertEquals(7, tokens.size());
    List<String> rows = lines(out.resolve("recurrences.csv"));
    for (int position = 0; position < 7; position++) {
      Map<?, ?> token = (Map<?, ?>) tokens.get(position);
      List<?> distances = (List<?>) token.get("distances");
      List<?> readouts = (List<?>) token.get("readouts");
      assertEquals(10, distances.size());
      assertEquals(9, readouts.size());
      for (int i = 0; i <= 9; i++) {
        String[] fields = rows.get(1 + position * 10 + i).split(",", -1);
        assertEquals(6 + 3 * 3, fields.length);
        assertEquals(Integer.toString(position), fields[0]);
        assertEquals(Integer.toString(i), fields[1]);
        double distance = ((Number) distances.get(i)).doubleValue();
        assertEquals(distance, Double.parseDouble(fields[2]), 1e-5 * Math.abs(distance));
        if (i > 0) {
          Map<?, ?> readout = (Map<?, ?>) readouts.get(i - 1);
          Map<?, ?> best = (Map<?, ?>) ((List<?>) readout.get("top")).getFirst();
          assertEquals(best.get("token").toString(), fields[6]);
        }
      }
    }
  }

  private static List<String> lines(Path file) {
    try {
      return Files.readAllLines(file);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void jsonIsOneObject() throws IOException {
    Map<String, Object> json = trace("-r", "3", "--json", "7=").json();
    assertEquals(3L, json.get("recurrence"));
    assertEquals(3, ((List<?>) json.get("tokens")).size());
    assertEquals(
        Map.of("fixed point", 0L, "orbit", 0L, "slider", 0L, "unclear", 3L), json.get("kinds"));
  }

  @Test
  void emptyPromptAndOneRecurrence() throws IOException {
    CommandRun run = trace("-r", "1", "--starts", "3", "--out", out(), "");
    assertEquals("", run.err());
    assertEquals(0, run.exitCode());
    assertEquals(TraceReport.NAMES, names(Path.of(out())));
    assertFalse(Files.readString(Path.of(out(), "trace.json")).contains("NaN"));
  }

  @Test
  void modelWithoutTokenizer() throws IOException {
    CommandRun run =
        CommandRun.of(
            "trace",
            "-m",
            CommandRun.UNTIED.toString(),
            "--prompt-tokens",
            "1,2,3",
            "-r",
            "10",
            "--out",
            out());
    assertEquals("", run.err());
    assertTrue(run.out().startsWith("#1#2#3\n"), run.out());
  }

  @Test
  void existingDirectoryIsKept() throws IOException {
    Path out = Files.createDirectories(Path.of(out()));
    assertEquals(0, trace("-r", "1", "--out", out(), "7").exitCode(), "an empty one gives way");
    String first = Files.readString(out.resolve("trace.json"));
    trace("-r", "2", "--out", out(), "7")
        .assertFails(
            ExitCode.FAILED, out + ": the directory is not empty; --force replaces what is there");
    assertEquals(first, Files.readString(out.resolve("trace.json")));
    assertEquals(0, trace("-r", "2", "--force", "--out", out(), "7").exitCode());
    assertFalse(first.equals(Files.readString(out.resolve("trace.json"))));
    Files.writeString(out.resolve("mine.txt"), "mine");
    trace("-r", "2", "--force", "--out", out(), "7")
        .assertFails(ExitCode.FAILED, "the directory holds mine.txt, which is not replaced");
    assertEquals("mine", Files.readString(out.resolve("mine.txt")));
  }

  @Test
  void badOutIsOneLine() throws IOException {
    Path file = Files.writeString(directory.resolve("file"), "x");
    trace("-r", "1", "--out", file.toString(), "7")
        .assertFails(ExitCode.FAILED, file + ": not a directory");
    trace("-r", "1", "--out", file + "/b/c", "7").assertFails(ExitCode.FAILED, "ot a directory");
    assertEquals("x", Files.readString(file));
    trace("-r", "1", "--out", "/proc/nothing/here", "7")
        .assertFails(ExitCode.FAILED, "/proc/nothing");
    trace("-r", "1", "--out", "/", "7").assertFails(ExitCode.FAILED, "/: ");
    trace("-r", "1", "--out", "a\0b", "7").assertFails(ExitCode.USAGE, "--out");
  }

  @Test
  void refusalLeavesNoDirectory() throws IOException {
    trace("--out", out(), "7".repeat(300))
        .assertFails(ExitCode.USAGE, "the prompt has 301 tokens, more than the context of 256");
    trace("--out", out(), "--prompt-tokens", "999")
        .assertFails(ExitCode.USAGE, "outside the vocabulary");
    assertFalse(Files.exists(Path.of(out())));
  }

  @Test
  void badOptionsAreOneLine() {
    trace().assertFails(ExitCode.USAGE, "no prompt");
    trace("-r", "0", "7").assertFails(ExitCode.USAGE, "--recurrence");
    trace("--starts", "0", "7").assertFails(ExitCode.USAGE, "--starts");
    trace("--starts", "2", "--state", "zero", "7")
        .assertFails(ExitCode.USAGE, "--starts needs random states");
    trace("--settle", "0", "7").assertFails(ExitCode.USAGE, "--settle: expected a number above 0");
    trace("--force", "7").assertFails(ExitCode.USAGE, "--force needs --out");
    trace("-r", "100000000", "7").assertFails(ExitCode.USAGE, "more than a trace can hold");
  }
}
