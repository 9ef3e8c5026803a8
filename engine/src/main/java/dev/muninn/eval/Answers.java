package dev.muninn.eval;

import java.math.BigDecimal;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Finds answers in generated texts and brings equal ones into one form. */
final class Answers {
  private static final Pattern NUMBER = Pattern.compile("-?[0-9][0-9,]*(?:\\.[0-9]+)?|-?\\.[0-9]+");

  private Answers() {}

  /** The answer in a generated text, as it is compared; empty if there is none. */
  static String read(Problem.Answer problem, String generated) {
    String found = generated;
    if (problem.pattern().isPresent()) {
      found = BoundedPattern.last(problem.pattern().get(), generated, problem.where()).orElse("");
    }
    return comparable(problem, found);
  }

  /** An answer as it is compared: without the blanks at its ends, or as a plain number. */
  static String comparable(Problem.Answer problem, String answer) {
    return problem.number() ? lastNumber(answer) : answer.strip();
  }

  /** The last number of a text in one spelling, commas between digits left out; else empty. */
  static String lastNumber(String text) {
    String last = "";
    Matcher matcher = NUMBER.matcher(text);
    while (matcher.find()) {
      last = matcher.group().replace(",", "");
    }
    return last.isEmpty() ? last : plain(new BigDecimal(last));
  }

  private static String plain(BigDecimal number) {
    return number.signum() == 0 ? "0" : number.stripTrailingZeros().toPlainString();
  }
}
