package dev.muninn.eval;

import dev.muninn.backend.InferenceException;
import dev.muninn.weights.CheckpointException;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * A regular expression of a task file. Java's matcher tries ways in turn, and for some expressions
 * these are more than can ever be tried: so the characters that it may read are counted.
 */
final class BoundedPattern {
  /** Reads of a character: some tenths of a second. Ordinary expressions need one per character. */
  private static final long MOST_READS = 50_000_000;

  /** Repetitions within repetitions read nothing where they repeat nothing: these are counted. */
  private static final double MOST_REPETITIONS = 1e6;

  private static final Pattern COUNTS = Pattern.compile("[{]([0-9]+)(?:,([0-9]*))?[}]");

  private BoundedPattern() {}

  /**
   * Compiles an expression.
   *
   * @throws IllegalArgumentException in one line, if it is none, or nests or repeats too much
   */
  static Pattern compile(String expression) {
    double repetitions = 1;
    Matcher counts = COUNTS.matcher(expression);
    while (counts.find()) {
      String most =
          counts.group(2) == null || counts.group(2).isEmpty() ? counts.group(1) : counts.group(2);
      repetitions *= Math.max(1, Double.parseDouble(most));
    }
    if (repetitions > MOST_REPETITIONS) {
      throw new IllegalArgumentException(
          "pattern "
              + CheckpointException.quote(expression)
              + " repeats too much: its counts in braces multiply to more than a million");
    }
    try {
      return Pattern.compile(expression);
    } catch (PatternSyntaxException e) {
      throw new IllegalArgumentException(
          "pattern "
              + CheckpointException.quote(expression)
              + " is not a regular expression: "
              + e.getDescription()
              + (e.getIndex() < 0 ? "" : " at its character " + e.getIndex()),
          e);
    } catch (StackOverflowError e) {
      throw new IllegalArgumentException(
          "pattern " + CheckpointException.quote(expression) + " is nested too deeply", e);
    }
  }

  /**
   * The last match, or its first group where the expression has groups; empty if nothing matches.
   *
   * @param where the file and line of the expression, for messages
   * @throws InferenceException in one line, if the search takes too much time or memory
   */
  static Optional<String> last(Pattern pattern, String text, String where) {
    Matcher matcher = pattern.matcher(new Counted(text, new long[] {MOST_READS}));
    String found = null;
    try {
      while (matcher.find()) {
        String group = matcher.groupCount() == 0 ? matcher.group() : matcher.group(1);
        found = group == null ? "" : group;
      }
    } catch (StackOverflowError | TooManyReads e) {
      throw new InferenceException(
          where
              + ": pattern "
              + CheckpointException.quote(pattern.pattern())
              + " takes too "
              + (e instanceof TooManyReads ? "long" : "much memory")
              + " on an answer of "
              + text.length()
              + " characters; expected one that matches in one way");
    }
    return Optional.ofNullable(found);
  }

  /** Ends a search. */
  private static final class TooManyReads extends RuntimeException {
    private static final long serialVersionUID = 1L;

    TooManyReads() {
      super(null, null, false, false);
    }
  }

  /**
   * A text that can be read so often.
   *
   * @param left one number: reads that are left for the text and all parts of it
   */
  private record Counted(String text, long[] left) implements CharSequence {
    @Override
    public char charAt(int index) {
      if (left[0]-- <= 0) {
        throw new TooManyReads();
      }
      return text.charAt(index);
    }

    @Override
    public int length() {
      return text.length();
    }

    @Override
    public CharSequence subSequence(int start, int end) {
      return new Counted(text.substring(start, end), left);
    }

    @Override
    public String toString() {
      return text;
    }
  }
}
