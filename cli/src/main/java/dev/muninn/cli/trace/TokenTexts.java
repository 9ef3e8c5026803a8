package dev.muninn.cli.trace;

import dev.muninn.cli.terminal.Printable;
import dev.muninn.text.Tokenizer;
import java.util.Optional;

/** Tokens as people read them: one by one, on one line, with their spaces to be seen. */
public final class TokenTexts {
  private static final int SPACE_MARK = '\u2423';

  private final Optional<Tokenizer> tokenizer;

  public TokenTexts(Optional<Tokenizer> tokenizer) {
    this.tokenizer = tokenizer;
  }

  /** A token's text, or its id where it has none: a special token, or a model without tokenizer. */
  public String of(int token) {
    String text =
        tokenizer
            .filter(known -> token < known.size())
            .map(known -> known.decode(new int[] {token}))
            .orElse("");
    return text.isEmpty() ? "#" + token : Printable.line(text).replace(' ', (char) SPACE_MARK);
  }

  /** A text of at most so many characters. */
  static String cut(String text, int most) {
    return text.codePointCount(0, text.length()) <= most
        ? text
        : text.substring(0, text.offsetByCodePoints(0, most - 1)) + '…';
  }
}
