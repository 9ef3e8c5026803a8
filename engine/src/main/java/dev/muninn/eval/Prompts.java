package dev.muninn.eval;

import dev.muninn.text.Prompt;
import java.util.Arrays;

/** Prompts made of pieces. */
final class Prompts {
  private Prompts() {}

  /** One behind the other; both texts, or both tokens. */
  static Prompt concatenate(Prompt first, Prompt second) {
    if (first instanceof Prompt.Text(String before)
        && second instanceof Prompt.Text(String after)) {
      return Prompt.text(before + after);
    }
    if (first instanceof Prompt.Tokens(int[] before)
        && second instanceof Prompt.Tokens(int[] after)) {
      int[] both = Arrays.copyOf(before, before.length + after.length);
      System.arraycopy(after, 0, both, before.length, after.length);
      return Prompt.tokens(both);
    }
    throw new IllegalArgumentException("texts and tokens do not follow each other");
  }
}
