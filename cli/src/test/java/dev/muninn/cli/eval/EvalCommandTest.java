package dev.muninn.cli.eval;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.cli.CommandRun;
import dev.muninn.cli.process.ExitCode;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class EvalCommandTest {
  private static final String TINY = CommandRun.RAVEN_TINY.toString();
  private static final String CHOICE =
      "{\"prompt\":\"47+8=\",\"choices\":[\"55\",\"54\"],\"answer\":0}\n";

  @TempDir private Path temporary;

  private static CommandRun eval(String... arguments) {
    List<String> all = new ArrayList<>(List.of("eval", "-m", TINY));
    all.addAll(List.of(arguments));
    return CommandRun.of(all.toArray(String[]::new));
  }

  private String task(String content) throws IOException {
    return Files.writeString(temporary.resolve("task.jsonl"), content).toString();
  }

  @Test
  void tableAndSaturation() {
    CommandRun run = eval("check-digit:4", "check-digit:12", "-r", "8,1,2", "--problems", "30");
    assertEquals("", run.err());
    List<String> lines = run.out().lines().toList();
    assertEquals(1 + 6 + 2 + 2, lines.size(), run.out());
    assertTrue(
        lines
            .get(1)
            .matches("check-digit:4 +0 +1 +30 +1\\.0 +accuracy +[0-9.]+ % +[0-9.]+ to [0-9.]+"),
        lines.get(1));
    assertTrue(lines.get(6).matches("check-digit:12 +0 +8 +30 +8\\.0 +accuracy +100\\.0 %.*"));
    assertTrue(lines.get(10).matches("check-digit:12 +0  r = 8 by accuracy .*"), lines.get(10));
  }

  @Test
  void jsonHasIntervals() throws IOException {
    Map<String, Object> json =
        eval(task(CHOICE), "-r", "8", "--json", "--exit", "kl", "--state", "zero").json();
    assertEquals("raven-tiny", json.get("model"));
    assertEquals("kl", json.get("--exit"));
    List<?> results = (List<?>) json.get("results");
    assertEquals(2, results.size());
    Map<?, ?> first = (Map<?, ?>) results.getFirst();
    assertEquals("accuracy", first.get("measure"));
    assertEquals(1.0, first.get("value"));
    assertEquals(0.206549, (double) ((List<?>) first.get("interval")).getFirst(), 1e-6);
    assertTrue((double) first.get("mean_recurrences") < 8, first.toString());
    assertEquals(2, ((List<?>) json.get("saturation")).size());
  }

  @Test
  void perplexityIsThatOfScore() throws IOException {
    Map<String, Object> score =
        CommandRun.of("score", "-m", TINY, "-r", "3", "--json", "12+3=15").json();
    Map<String, Object> eval = eval(task("{\"text\":\"12+3=15\"}"), "-r", "3", "--json").json();
    Map<?, ?> result = (Map<?, ?>) ((List<?>) eval.get("results")).getFirst();
    assertEquals(score.get("perplexity"), result.get("value"));
  }

  @Test
  void anInterruptedRunGoesOn() throws IOException {
    Path results = temporary.resolve("results.jsonl");
    String[] command = {
      "check-digit:6",
      "-r",
      "1,2",
      "--problems",
      "9",
      "--shots",
      "0,1",
      "--results",
      results.toString()
    };
    CommandRun whole = eval(command);
    assertEquals("", whole.err());
    List<String> lines = Files.readAllLines(results);
    assertEquals(1 + 4 * 9, lines.size());

    // Two lines are missing and one is torn: these are computed again, the others are not.
    String kept =
        String.join("\n", lines.subList(0, 20))
            .replaceAll("\"recurrences\":2,", "\"recurrences\":4,");
    Files.writeString(results, kept + "\n" + lines.get(20).substring(0, 30));
    CommandRun again = eval(command);
    assertEquals("", again.err());
    List<String> resumed = Files.readAllLines(results);
    assertEquals(kept.lines().toList(), resumed.subList(0, 20));
    assertEquals(
        lines.subList(20, 37).stream().sorted().toList(),
        resumed.subList(20, 37).stream().sorted().toList());
    assertFalse(again.out().equals(whole.out()), "results of the file were not used");

    Files.writeString(results, String.join("\n", lines) + "\n");
    assertEquals(whole.out(), eval(command).out());
    assertEquals(lines, Files.readAllLines(results));
  }

  @Test
  void resultsOfAnotherEvaluationAreLeftAlone() throws IOException {
    Path results = temporary.resolve("results.jsonl");
    String file = results.toString();
    assertEquals(0, eval("sum:2", "-r", "1", "--problems", "2", "--results", file).exitCode());
    List<String> lines = Files.readAllLines(results);
    eval("sum:2", "-r", "1", "--problems", "2", "--results", file, "-s", "1")
        .assertFails(ExitCode.FAILED, "another evaluation");
    eval("sum:3", "-r", "1", "--problems", "2", "--results", file)
        .assertFails(ExitCode.FAILED, "another evaluation");
    eval("sum:2", "-r", "1", "--results", file, "--exit", "kl")
        .assertFails(ExitCode.FAILED, "--exit is none, not kl");
    assertEquals(lines, Files.readAllLines(results));

    assertEquals(0, eval("sum:2", "-r", "1,2", "--problems", "3", "--results", file).exitCode());
    assertEquals(1 + 6, Files.readAllLines(results).size());

    Files.writeString(results, lines.getFirst() + "\n{\"task\":\"sum:2\",\"number\":1}\n");
    eval("sum:2", "-r", "1", "--results", file)
        .assertFails(ExitCode.FAILED, "line 2 is not a result");
    Files.writeString(results, lines.getFirst() + "\nrubbish\n" + lines.get(1) + "\n");
    eval("sum:2", "-r", "1", "--results", file).assertFails(ExitCode.FAILED, "line 2");
    String notes = Files.writeString(temporary.resolve("notes"), "dear diary\n").toString();
    eval("sum:2", "-r", "1", "--results", notes).assertFails(ExitCode.FAILED, "notes");
    assertEquals("dear diary\n", Files.readString(Path.of(notes)));
    String unfinished = Files.writeString(temporary.resolve("unfinished"), "a line").toString();
    eval("sum:2", "-r", "1", "--results", unfinished).assertFails(ExitCode.FAILED, "unfinished");
    assertEquals("a line", Files.readString(Path.of(unfinished)));
  }

  @Test
  void plotIsAPicture() throws IOException {
    Path plot = temporary.resolve("plot.png");
    CommandRun run =
        eval("sum:2", "check-digit:4", "-r", "1,2,4", "--problems", "5", "--plot", plot.toString());
    assertEquals("", run.err());
    BufferedImage image = ImageIO.read(plot.toFile());
    assertEquals(2000, image.getWidth());
    // The lines of both tasks are there, in their colours.
    for (int color : new int[] {0xFF0072B2, 0xFFD55E00}) {
      int pixels = 0;
      for (int x = 0; x < image.getWidth(); x++) {
        for (int y = 0; y < image.getHeight(); y++) {
          pixels += image.getRGB(x, y) == color ? 1 : 0;
        }
      }
      assertTrue(pixels > 200, Integer.toHexString(color) + " has " + pixels + " pixels");
    }
    try (Stream<Path> files = Files.list(temporary)) {
      assertEquals(List.of(plot), files.toList());
    }
  }

  @Test
  void votes() {
    String[] sampling = {"check-digit:12", "-r", "3", "-t", "1.5", "--problems", "40"};
    double[] accuracy = new double[2];
    for (int i = 0; i < 2; i++) {
      List<String> all = new ArrayList<>(List.of(sampling));
      all.addAll(List.of("--samples", "15"));
      if (i == 1) {
        all.add("--vote");
      }
      String line = eval(all.toArray(String[]::new)).out().lines().toList().get(1);
      accuracy[i] = Double.parseDouble(line.replaceFirst(".*accuracy +([0-9.]+) .*", "$1"));
    }
    assertTrue(accuracy[1] > accuracy[0], accuracy[0] + " " + accuracy[1]);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "'' | has no problems",
        "{\"prompt\":\"1\",\"choices\":[\"2\"],\"answer\":0} | line 1: choices needs at least 2",
        "{\"prompt\":\"1\",\"choices\":[\"2\",\"3\"],\"answer\":2} | line 1: answer 2 is",
        "{\"prompt\":\"1\",\"answer\":\"1\",\"colour\":\"red\"} | line 1: unknown field",
        "not json | line 1",
      })
  void badTasks(String content, String message) throws IOException {
    eval(task(content)).assertFails(ExitCode.FAILED, message);
  }

  @Test
  void promptBeyondTheContext() throws IOException {
    String longText = "1".repeat(300);
    String message = "line 2: 302 tokens, more than the context of 256";
    eval(task("{\"text\":\"1\"}\n{\"text\":\"" + longText + "1\"}"))
        .assertFails(ExitCode.USAGE, message);
    eval(task(CHOICE + CHOICE.replace("47+8=", longText)))
        .assertFails(ExitCode.USAGE, "line 2: 303 tokens");
    eval("sum:2", "--shots", "0,100").assertFails(ExitCode.USAGE, "with 100 shots");
  }

  @Test
  void outputsThatCannotBeWritten() throws IOException {
    String nowhere = temporary.resolve("nowhere/plot.png").toString();
    eval("sum:2", "--plot", nowhere).assertFails(ExitCode.FAILED, "nowhere");
    eval("sum:2", "--plot", temporary.resolve("plot.jpg").toString())
        .assertFails(ExitCode.USAGE, "ends in .svg or .png");
    eval("sum:2", "--results", temporary.toString()).assertFails(ExitCode.FAILED, "is a directory");
    eval("sum:2", "--results", nowhere)
        .assertFails(ExitCode.FAILED, temporary.resolve("nowhere") + ": no such file");
  }

  @Test
  void optionsThatMakeNoSense() throws IOException {
    String choice = task(CHOICE);
    String text = Files.writeString(temporary.resolve("t.jsonl"), "{\"text\":\"12\"}").toString();
    eval().assertFails(ExitCode.USAGE, "no task");
    eval("sum:0").assertFails(ExitCode.USAGE, "there is no task sum:0; the built-in ones are");
    eval("nothing.jsonl").assertFails(ExitCode.FAILED, "nothing.jsonl: no such file");
    eval(temporary.toString()).assertFails(ExitCode.FAILED, "is a directory");
    eval("sum:2", "sum:2").assertFails(ExitCode.USAGE, "two tasks are called sum:2");
    eval("sum:2", "-r", "0").assertFails(ExitCode.USAGE, "-r");
    eval("sum:2", "-r", "1,,2").assertFails(ExitCode.USAGE, "-r");
    eval("sum:2", "--shots", "-1").assertFails(ExitCode.USAGE, "--shots");
    eval("sum:2", "--vote").assertFails(ExitCode.USAGE, "--vote needs --samples");
    eval("sum:2", "--samples", "3", "--state", "zero").assertFails(ExitCode.USAGE, "--temperature");
    eval("sum:2", "--pool", choice).assertFails(ExitCode.USAGE, "--pool needs --shots");
    eval("sum:2", "--shots", "1", "--pool", choice)
        .assertFails(ExitCode.USAGE, "pool of examples has multiple choice");
    eval(choice, "--samples", "3").assertFails(ExitCode.USAGE, "--samples is for exact match");
    eval(choice, "-t", "1").assertFails(ExitCode.USAGE, "exact match");
    eval(choice, "--parallel").assertFails(ExitCode.USAGE, "exact match");
    eval("sum:2", "--parallel", "--batch", "2").assertFails(ExitCode.USAGE, "--batch excludes");
    eval("sum:2", text, "--plot", temporary.resolve("p.png").toString())
        .assertFails(ExitCode.USAGE, "not both");
    CommandRun.of("eval", "-m", CommandRun.UNTIED.toString(), "sum:2")
        .assertFails(ExitCode.USAGE, "needs a tokenizer");
  }

  @Test
  void modelWithoutTokenizerTakesTokens() throws IOException {
    String file =
        task(
            "{\"prompt_tokens\":[1,2],\"choices_tokens\":[[3],[4,5]],\"answer\":1}\n"
                + "{\"prompt_tokens\":[7],\"choices_tokens\":[[3],[4,5]],\"answer\":0}\n");
    CommandRun run =
        CommandRun.of(
            "eval", "-m", CommandRun.UNTIED.toString(), file, "-r", "1,2", "--shots", "0,1");
    assertEquals("", run.err());
    assertEquals(1 + 8 + 2 + 4, run.out().lines().count(), run.out());
    task(file = "{\"prompt_tokens\":[128],\"choices_tokens\":[[3],[4,5]],\"answer\":1}");
    CommandRun.of("eval", "-m", CommandRun.UNTIED.toString(), temporary + "/task.jsonl")
        .assertFails(ExitCode.USAGE, "line 1: token 128 is outside the vocabulary, 0 to 127");
  }

  @Test
  void depthIsMadeOfTheSameProblems() {
    List<String> rows =
        CommandRun.of("depth", "-m", TINY, "--problems", "20").out().lines().toList();
    String[] cells = rows.get(2).split("\\|");
    assertEquals(" r = 1 ", cells[1]);
    String line =
        eval("check-digit:8", "-r", "1", "--problems", "20").out().lines().toList().get(1);
    String accuracy = line.replaceFirst(".*accuracy +([0-9.]+ %).*", "$1");
    assertEquals(" " + accuracy + " at 1.0 ", cells[3]);
    assertArrayEquals(new int[] {9, 6}, new int[] {rows.size(), cells.length});
  }
}
