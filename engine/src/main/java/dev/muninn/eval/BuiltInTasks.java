package dev.muninn.eval;

import dev.muninn.text.Prompt;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;

/** Generates any number of the problems that raven-tiny was trained on. */
public final class BuiltInTasks {
  /** All tasks of the model's own table. */
  public static final String RAVEN_TINY = "raven-tiny";

  /** The names that {@link #parse} accepts. */
  public static final String NAMES = "check-digit:N, sum:N, raven-tiny";

  private static final String CHECK_DIGIT = "check-digit:";
  private static final String SUM = "sum:";
  private static final int MOST_DIGITS = 1000;
  private static final int MOST_NUMBERS = 100;

  /** The numbers that they take, for messages. */
  public static final String NUMBERS =
      "check-digit:1 to check-digit:" + MOST_DIGITS + " and sum:2 to sum:" + MOST_NUMBERS;

  private static final int BELOW = 100;

  /** The model was trained on problems that follow each other this way. */
  private static final String SEPARATOR = ";";

  private static final List<String> TABLE =
      List.of(
          "check-digit:4",
          "check-digit:8",
          "check-digit:12",
          "check-digit:16",
          "check-digit:20",
          "check-digit:24",
          "sum:2",
          "sum:3");

  private BuiltInTasks() {}

  /**
   * The tasks of a name: {@code check-digit:N}, strings of N digits and the last digit of their
   * digit sum; {@code sum:N}, sums of N numbers below 100; {@code raven-tiny}, all tasks of that
   * model's table. Empty if the name is none of them.
   *
   * @param problems how many each task has, at least 1
   * @param seed of the problems; the first of more problems are the same
   */
  public static Optional<List<Task>> parse(String name, int problems, long seed) {
    if (name.equals(RAVEN_TINY)) {
      return Optional.of(TABLE.stream().map(task -> one(task, problems, seed)).toList());
    }
    boolean known =
        number(name, CHECK_DIGIT, 1, MOST_DIGITS) > 0 || number(name, SUM, 2, MOST_NUMBERS) > 0;
    return known ? Optional.of(List.of(one(name, problems, seed))) : Optional.empty();
  }

  /** Whether a name is meant for a built-in task, though perhaps with a wrong number. */
  public static boolean isMeant(String name) {
    return name.startsWith(CHECK_DIGIT) || name.startsWith(SUM);
  }

  /** The number behind a prefix, 0 if it is not in the range. */
  private static int number(String name, String prefix, int least, int most) {
    if (!name.startsWith(prefix) || !name.substring(prefix.length()).matches("[0-9]{1,4}")) {
      return 0;
    }
    int number = Integer.parseInt(name.substring(prefix.length()));
    return number >= least && number <= most ? number : 0;
  }

  private static Task one(String name, int count, long seed) {
    int digits = number(name, CHECK_DIGIT, 1, MOST_DIGITS);
    int numbers = number(name, SUM, 2, MOST_NUMBERS);
    Random random = new Random(seed);
    List<Problem> problems = new ArrayList<>();
    for (int i = 1; i <= count; i++) {
      String where = name + ", problem " + i;
      problems.add(
          digits > 0 ? checkDigit(random, digits, where, i) : sum(random, numbers, where, i));
    }
    return new Task(name, problems, SEPARATOR, Hash.of(name + " of seed " + seed));
  }

  /** A digit string and the last digit of its digit sum. */
  private static Problem checkDigit(Random random, int digits, String where, int number) {
    StringBuilder question = new StringBuilder();
    int sum = 0;
    for (int i = 0; i < digits; i++) {
      int digit = random.nextInt(10);
      sum += digit;
      question.append(digit);
    }
    return problem(where, number, question, sum % 10);
  }

  private static Problem sum(Random random, int numbers, String where, int number) {
    StringBuilder question = new StringBuilder();
    int sum = 0;
    for (int i = 0; i < numbers; i++) {
      int term = random.nextInt(BELOW);
      sum += term;
      question.append(i == 0 ? "" : "+").append(term);
    }
    return problem(where, number, question, sum);
  }

  private static Problem problem(String where, int number, StringBuilder question, int result) {
    String answer = Integer.toString(result);
    return new Problem.Answer(
        where,
        "#" + number,
        Prompt.text(question.append('=').toString()),
        List.of(answer),
        answer,
        Optional.empty(),
        false,
        List.of(),
        // One more for the token that ends the answer.
        Optional.of(answer.length() + 1));
  }
}
