package dev.muninn.eval;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.eval.ProblemResult.Depth;
import dev.muninn.text.Prompt;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MeasureTest {
  private static final Depth DEPTH = new Depth(2, 9);

  /** The ends solve (p - share)^2 n = z^2 p (1 - p), here by bisection. */
  @ParameterizedTest
  @CsvSource({
    "0, 10, 0, 0.277533",
    "8, 10, 0.490162, 0.943318",
    "10, 10, 0.722467, 1",
    "1, 1, 0.206549, 1",
    "275, 300, 0.879878, 0.942919",
    "2.5, 10, 0.080948, 0.557819",
  })
  void wilson(double successes, int trials, double low, double high) {
    Interval interval = Interval.wilson(successes, trials);
    assertEquals(low, interval.low(), 1e-6);
    assertEquals(high, interval.high(), 1e-6);
  }

  @Test
  void wilsonRefusesWhatIsNoShare() {
    assertThrows(IllegalArgumentException.class, () -> Interval.wilson(0, 0));
    assertThrows(IllegalArgumentException.class, () -> Interval.wilson(-1, 3));
    assertThrows(IllegalArgumentException.class, () -> Interval.wilson(4, 3));
    assertThrows(IllegalArgumentException.class, () -> Interval.wilson(Double.NaN, 3));
  }

  /** The interval holds the share that trials are drawn with in about 95 of 100 cases. */
  @Test
  void wilsonCovers() {
    SplittableRandom random = new SplittableRandom(1);
    int held = 0;
    for (int i = 0; i < 4000; i++) {
      int right = 0;
      for (int k = 0; k < 60; k++) {
        right += random.nextDouble() < 0.87 ? 1 : 0;
      }
      Interval interval = Interval.wilson(right, 60);
      held += interval.low() <= 0.87 && 0.87 <= interval.high() ? 1 : 0;
    }
    assertEquals(0.95, held / 4000.0, 0.02);
  }

  private static Task choices() {
    List<Problem> problems = new ArrayList<>();
    for (int answer : new int[] {0, 1, 1, 1}) {
      problems.add(
          new Problem.Choice(
              "here",
              "#" + problems.size(),
              Prompt.text("Q"),
              List.of(Prompt.text(" ab"), Prompt.text(" abcdef")),
              answer));
    }
    return new Task("choices", problems, "\n", "0");
  }

  @Test
  void choicesByLikelihoodAndByLength() {
    List<ProblemResult> results = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      // The first is likelier, but not by its length.
      results.add(new ProblemResult.Choice(i, DEPTH, List.of(-2.0, -3.0)));
    }
    List<Measure> measures = Measure.of(choices(), results, false);
    assertEquals(
        List.of("accuracy", "accuracy by length"), measures.stream().map(Measure::name).toList());
    assertEquals(0.25, measures.get(0).value());
    assertEquals(Math.sqrt(0.25 * 0.75 / 4), measures.get(0).standardError(), 1e-12);
    assertEquals(0.75, measures.get(1).value());
    assertEquals(Interval.wilson(3, 4), measures.get(1).interval());
  }

  private static Task answers(String... right) {
    List<Problem> problems = new ArrayList<>();
    for (String answer : right) {
      problems.add(
          new Problem.Answer(
              "here",
              "#" + problems.size(),
              Prompt.text("Q"),
              List.of(answer),
              answer,
              Optional.empty(),
              false,
              List.of(),
              Optional.empty()));
    }
    return new Task("answers", problems, "\n", "0");
  }

  @Test
  void votesAndMeans() {
    Task task = answers("a", "b");
    List<ProblemResult> results =
        List.of(
            new ProblemResult.Answer(0, DEPTH, List.of("x", "a", "a", "", "", "")),
            new ProblemResult.Answer(1, DEPTH, List.of("c", "b", "c", "b", "x", "")));
    // Three say nothing; of two that have as many votes, the first sample's wins.
    assertEquals(0.5, Measure.of(task, results, true).getFirst().value());
    assertEquals(
        (2 / 6.0 + 2 / 6.0) / 2, Measure.of(task, results, false).getFirst().value(), 1e-12);
  }

  @Test
  void perplexityIsThatOfAllTokensTogether() {
    Task task =
        new Task(
            "texts",
            List.of(
                new Problem.Text("here", "1", Prompt.text("a")),
                new Problem.Text("here", "2", Prompt.text("b"))),
            "\n",
            "0");
    List<ProblemResult> results =
        List.of(
            new ProblemResult.Text(0, DEPTH, -6, 2, 3), new ProblemResult.Text(1, DEPTH, -6, 4, 5));
    Measure measure = Measure.of(task, results, false).getFirst();
    assertEquals(Math.exp(2), measure.value(), 1e-9);
    // Residuals 2 and -2 over 6 tokens.
    double error = Math.sqrt(8 * 2) / 6;
    assertEquals(error, measure.standardError(), 1e-12);
    assertEquals(Math.exp(2 - 1.959963984540054 * error), measure.interval().low(), 1e-9);
    assertEquals(Math.exp(2 + 1.959963984540054 * error), measure.interval().high(), 1e-9);
    Measure single = Measure.of(task, results.subList(0, 1), false).getFirst();
    assertTrue(Double.isNaN(single.interval().low()) && Double.isNaN(single.standardError()));
  }

  private static Saturation saturation(double error, double... scores) {
    TreeMap<Integer, Measure> measures = new TreeMap<>();
    int recurrence = 1;
    for (double score : scores) {
      measures.put(recurrence, new Measure("m", score, Interval.UNKNOWN, score, error));
      recurrence *= 2;
    }
    return Saturation.of(measures);
  }

  @Test
  void saturationIsTheFirstWithinAnErrorOfTheBest() {
    assertEquals(new Saturation(4, 8), saturation(0.02, 0.1, 0.5, 0.89, 0.9, 0.9));
    assertEquals(new Saturation(8, 8), saturation(0.005, 0.1, 0.5, 0.89, 0.9, 0.9));
    assertEquals(new Saturation(2, 2), saturation(0, 0.1, 1, 1, 1));
    assertEquals(new Saturation(1, 1), saturation(0.02, 0.1));
    assertEquals(new Saturation(4, 4), saturation(Double.NaN, -3, -2, -1, -1.5));
    assertEquals(new Saturation(1, 4), saturation(0.5, -1.4, -2, -1, -1.5));
  }
}
