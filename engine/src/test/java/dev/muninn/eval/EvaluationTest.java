package dev.muninn.eval;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.LanguageModel;
import dev.muninn.LoadOptions;
import dev.muninn.ModelFiles;
import dev.muninn.decode.Cancellation;
import dev.muninn.decode.InitialState;
import dev.muninn.decode.SamplingOptions;
import dev.muninn.decode.Strategy;
import dev.muninn.serve.Score;
import dev.muninn.text.Prompt;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class EvaluationTest {
  private static LanguageModel model;

  @BeforeAll
  static void open() {
    model = LanguageModel.load(ModelFiles.ravenTiny(), new LoadOptions(2));
  }

  @AfterAll
  static void close() {
    model.close();
  }

  private static Task builtIn(String name, int problems) {
    return BuiltInTasks.parse(name, problems, 3).orElseThrow().getFirst();
  }

  private static Examples examples(Task task) {
    return new Examples(task, task.separator(), 0);
  }

  private static List<ProblemResult> run(
      Task task, int shots, EvaluationSettings settings, int batchSize) {
    TreeMap<Integer, ProblemResult> results = new TreeMap<>();
    new Evaluation(model, task, examples(task), shots)
        .run(
            settings,
            batchSize,
            number -> true,
            result -> assertEquals(null, results.put(result.number(), result)),
            new Cancellation());
    assertEquals(task.problems().size(), results.size());
    return List.copyOf(results.values());
  }

  /** The built-in problems, to be answered by a choice of two digits. */
  private static Task choices(int problems) {
    List<Problem> list = new ArrayList<>();
    for (Problem problem : builtIn("sum:2", problems).problems()) {
      Problem.Answer answer = (Problem.Answer) problem;
      Prompt right = Prompt.text(answer.answers().getFirst());
      Prompt wrong = Prompt.text(Integer.toString(list.size()));
      list.add(
          new Problem.Choice(
              answer.where(), answer.id(), answer.question(), List.of(wrong, right, wrong), 1));
    }
    return new Task("choices", list, ";", "0");
  }

  @Test
  void choicesScoreAsTheirTextsDo() {
    Task task = choices(7);
    for (int shots : new int[] {0, 2}) {
      List<ProblemResult> results = run(task, shots, EvaluationSettings.of(4), 5);
      for (ProblemResult result : results) {
        Problem.Choice problem = (Problem.Choice) task.problems().get(result.number());
        StringBuilder before = new StringBuilder();
        for (Prompt example : examples(task).before(problem, result.number(), shots)) {
          before.append(((Prompt.Text) example).text());
        }
        before.append(((Prompt.Text) problem.question()).text());
        for (int k = 0; k < 3; k++) {
          String choice = ((Prompt.Text) problem.choices().get(k)).text();
          Score score = model.score(Prompt.text(before + choice), 4, InitialState.random(0));
          double sum = 0;
          int tokens = score.logProbabilities().size();
          for (double value : score.logProbabilities().subList(tokens - choice.length(), tokens)) {
            sum += value;
          }
          assertEquals(sum, ((ProblemResult.Choice) result).logLikelihoods().get(k));
        }
      }
    }
  }

  @Test
  void textsScoreAsScoreDoes() {
    Task task =
        new Task(
            "texts",
            List.of(
                new Problem.Text("here", "1", Prompt.text("12+3=15")),
                new Problem.Text("here", "2", Prompt.text("é"))),
            ";",
            "0");
    List<ProblemResult> results = run(task, 0, EvaluationSettings.of(3), 8);
    ProblemResult.Text first = (ProblemResult.Text) results.getFirst();
    Score score = model.score(Prompt.text("12+3=15"), 3, InitialState.random(0));
    assertEquals(score.logLikelihood(), first.logLikelihood());
    assertEquals(7, first.tokens());
    assertEquals(2, ((ProblemResult.Text) results.getLast()).bytes());
  }

  @Test
  void resultsDoNotDependOnTheBatch() {
    for (Task task : List.of(choices(9), builtIn("check-digit:7", 9))) {
      List<ProblemResult> alone = run(task, 1, EvaluationSettings.of(3), 1);
      assertEquals(alone, run(task, 1, EvaluationSettings.of(3), 4));
      assertEquals(alone, run(task, 1, EvaluationSettings.of(3), 64));
    }
  }

  @Test
  void longerStringsNeedMoreRecurrences() {
    for (int r : new int[] {2, 8}) {
      List<ProblemResult> results =
          run(builtIn("check-digit:16", 40), 0, EvaluationSettings.of(r), 40);
      double accuracy =
          Measure.of(builtIn("check-digit:16", 40), results, false).getFirst().value();
      assertTrue(r == 2 ? accuracy < 0.5 : accuracy > 0.9, r + ": " + accuracy);
      assertEquals(r, ProblemResult.Depth.sum(results).mean());
    }
  }

  @Test
  void strategiesAnswerToo() {
    Task task = builtIn("sum:2", 4);
    EvaluationSettings settings = EvaluationSettings.of(8);
    List<ProblemResult> plain = run(task, 0, settings, 4);
    List<ProblemResult> drafted =
        run(
            task,
            0,
            settings.withDecoding(settings.decoding().withStrategy(new Strategy.Speculative(2, 4))),
            4);
    for (int i = 0; i < 4; i++) {
      assertEquals(
          ((ProblemResult.Answer) plain.get(i)).answers(),
          ((ProblemResult.Answer) drafted.get(i)).answers());
    }
  }

  @Test
  void samplesDiffer() {
    Task task = builtIn("check-digit:16", 6);
    EvaluationSettings settings =
        new EvaluationSettings(
            2,
            InitialState.random(0),
            EvaluationSettings.of(1).decoding(),
            SamplingOptions.greedy().withTemperature(1),
            5,
            3);
    List<ProblemResult> results = run(task, 0, settings, 7);
    assertEquals(results, run(task, 0, settings, 3));
    boolean differ = false;
    for (ProblemResult result : results) {
      List<String> answers = ((ProblemResult.Answer) result).answers();
      assertEquals(5, answers.size());
      differ |= answers.stream().distinct().count() > 1;
    }
    assertTrue(differ);
  }

  @Test
  void builtInProblemsAreRight() {
    for (Task task : BuiltInTasks.parse("raven-tiny", 20, 1).orElseThrow()) {
      for (Problem problem : task.problems()) {
        String question = ((Prompt.Text) problem.question()).text();
        String[] terms = question.substring(0, question.length() - 1).split("\\+");
        int sum = 0;
        for (String term : terms) {
          sum += terms.length > 1 ? Integer.parseInt(term) : term.chars().map(c -> c - '0').sum();
        }
        int expected = terms.length > 1 ? sum : sum % 10;
        assertEquals(
            List.of(Integer.toString(expected)), ((Problem.Answer) problem).answers(), question);
      }
    }
    List<Problem> many = BuiltInTasks.parse("sum:3", 20, 1).orElseThrow().getFirst().problems();
    List<Problem> few = BuiltInTasks.parse("sum:3", 5, 1).orElseThrow().getFirst().problems();
    assertEquals(many.subList(0, 5), few);
    for (String name : List.of("check-digit:0", "check-digit", "sum:1", "sum:x", "other")) {
      assertTrue(BuiltInTasks.parse(name, 1, 0).isEmpty(), name);
    }
  }

  @Test
  void examplesAreOthersAndTheFirstOfMore() {
    Task task = builtIn("sum:2", 12);
    Examples examples = examples(task);
    for (int number = 0; number < 12; number++) {
      Problem problem = task.problems().get(number);
      List<Prompt> many = examples.before(problem, number, 11);
      assertEquals(11, many.stream().distinct().count());
      assertEquals(many.subList(0, 4), examples.before(problem, number, 4));
      String question = ((Prompt.Text) problem.question()).text();
      assertTrue(many.stream().noneMatch(p -> ((Prompt.Text) p).text().startsWith(question)));
      assertEquals(many, new Examples(task, ";", 0).before(problem, number, 11));
    }
    Problem first = task.problems().getFirst();
    assertTrue(
        !examples.before(first, 0, 5).equals(new Examples(task, ";", 1).before(first, 0, 5)));
    IllegalArgumentException few =
        assertThrows(IllegalArgumentException.class, () -> examples.before(first, 0, 12));
    assertTrue(few.getMessage().contains("has only 11 other problems"), few.getMessage());
    assertThrows(
        IllegalArgumentException.class,
        () -> examples.before(choices(1).problems().getFirst(), 0, 1));
  }

  @Test
  void promptsBeyondTheContextAreNamed() {
    Task task = builtIn("check-digit:300", 2);
    IllegalArgumentException refusal =
        assertThrows(
            IllegalArgumentException.class, () -> new Evaluation(model, task, examples(task), 0));
    assertEquals(
        "check-digit:300, problem 1: 302 tokens, more than the context of 256",
        refusal.getMessage());
  }

  @Test
  void theHashOfAModelKnowsItsWeights() {
    assertEquals(Hash.of(model), Hash.of(model));
  }
}
