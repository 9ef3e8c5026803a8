package dev.muninn.eval;

import dev.muninn.text.Prompt;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.Pattern;

/** One problem of a task, with what counts as its solution. */
public sealed interface Problem {

  /** Its origin, for messages: a file and a line, or a task and a number. */
  String where();

  /** Its name in results. */
  String id();

  /** The text or tokens before the solution; problems with the same question are equal. */
  Prompt question();

  /** The question with its solution, as an example for other problems. */
  Prompt solved();

  /**
   * Choices, of which the likeliest behind the question is taken.
   *
   * @param question a text or tokens
   * @param choices at least two, texts or tokens as the question is
   * @param answer index of the right one, from 0
   */
  record Choice(String where, String id, Prompt question, List<Prompt> choices, int answer)
      implements Problem {

    /**
     * @throws IllegalArgumentException if there are fewer than two choices, an empty one, or no
     *     right one
     */
    public Choice {
      choices = List.copyOf(choices);
      if (choices.size() < 2) {
        throw new IllegalArgumentException(
            "choices needs at least 2 entries, not " + choices.size());
      }
      for (int i = 0; i < choices.size(); i++) {
        if (choices.get(i) instanceof Prompt.Text(String text) && text.isEmpty()) {
          throw new IllegalArgumentException("choice " + i + " is empty");
        }
      }
      if (answer < 0 || answer >= choices.size()) {
        throw new IllegalArgumentException(
            "answer "
                + answer
                + " is the index of no choice; expected 0 to "
                + (choices.size() - 1));
      }
    }

    @Override
    public Prompt solved() {
      return Prompts.concatenate(question, choices.get(answer));
    }

    /**
     * A choice's length, by which its log-likelihood is divided: characters without the blanks at
     * its ends, or tokens.
     */
    public int length(int choice) {
      return switch (choices.get(choice)) {
        case Prompt.Text(String text) -> {
          String stripped = text.strip();
          yield Math.max(1, stripped.codePointCount(0, stripped.length()));
        }
        case Prompt.Tokens(int[] tokens) -> tokens.length;
        case Prompt.Chat chat -> throw new AssertionError(chat);
      };
    }
  }

  /**
   * A question whose answer is generated and compared.
   *
   * @param question a text
   * @param answers those that are right, at least one
   * @param example what stands for the answer where the problem is an example, such as all steps to
   *     it; usually the first answer
   * @param pattern finds the answer in what was generated: the last match, or its first group;
   *     empty for all of it
   * @param number whether answers are compared as numbers
   * @param stops texts that end the generation
   * @param maxTokens most tokens to generate; empty for the evaluation's own
   */
  record Answer(
      String where,
      String id,
      Prompt question,
      List<String> answers,
      String example,
      Optional<Pattern> pattern,
      boolean number,
      List<String> stops,
      Optional<Integer> maxTokens)
      implements Problem {

    /**
     * @throws IllegalArgumentException if there is no answer, one of them is not a number and
     *     should be, or a stop text is empty
     */
    public Answer {
      answers = List.copyOf(answers);
      stops = List.copyOf(stops);
      Objects.requireNonNull(example, "example");
      if (answers.isEmpty()) {
        throw new IllegalArgumentException("answer needs at least 1 entry");
      }
      if (stops.contains("")) {
        throw new IllegalArgumentException("a stop text must not be empty");
      }
      for (String answer : answers) {
        if (number && Answers.lastNumber(answer).isEmpty()) {
          throw new IllegalArgumentException("the answer '" + answer + "' is not a number");
        }
      }
    }

    @Override
    public Prompt solved() {
      return Prompts.concatenate(question, Prompt.text(example));
    }

    /** The answer in a generated text, as it is compared; empty if there is none. */
    public String read(String generated) {
      return Answers.read(this, generated);
    }

    /** Whether an answer that was {@link #read} is right. */
    public boolean isRight(String read) {
      for (String answer : answers) {
        if (Answers.comparable(this, answer).equals(read)) {
          return true;
        }
      }
      return false;
    }
  }

  /**
   * A text whose tokens are scored.
   *
   * @param question the text, or tokens
   */
  record Text(String where, String id, Prompt question) implements Problem {
    @Override
    public Prompt solved() {
      return question;
    }
  }
}
