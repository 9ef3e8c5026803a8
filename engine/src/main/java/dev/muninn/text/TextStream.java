package dev.muninn.text;

/**
 * Turns a stream of tokens into text, as it comes. A character whose bytes are spread over several
 * tokens appears with the token that completes it; bytes that can no longer become a character
 * appear as U+FFFD as soon as that is certain. Special tokens are skipped, also in the middle of a
 * character.
 *
 * <p>All results together are what {@link Tokenizer#decode} gives for all tokens. The cost of a
 * token does not depend on those before it.
 *
 * <p>Not thread-safe. Made by {@link Tokenizer#stream}, and independent of its closing.
 */
public final class TextStream {
  private static final int REPLACEMENT = 0xFFFD;

  private final Vocabulary vocabulary;
  private final StringBuilder text = new StringBuilder();

  /** Bytes that the character begun still needs; 0 when none is begun. */
  private int missing;

  /** The bits of the character begun. */
  private int codePoint;

  /**
   * The bytes that may come next within the character begun. They exclude overlong forms,
   * surrogates and what is beyond U+10FFFF at the second byte already, where such a sequence ends.
   */
  private int lowest;

  private int highest;

  TextStream(Vocabulary vocabulary) {
    this.vocabulary = vocabulary;
  }

  /**
   * Takes the next token.
   *
   * @return the text that it completes, often empty
   * @throws IllegalArgumentException if the token is outside of the model's vocabulary
   */
  public String push(int token) {
    for (byte value : vocabulary.bytes(token)) {
      decode(value);
    }
    return take();
  }

  /**
   * Ends the stream; another one may then be pushed.
   *
   * @return U+FFFD if a character was begun and not completed, else nothing
   */
  public String flush() {
    if (missing > 0) {
      missing = 0;
      text.appendCodePoint(REPLACEMENT);
    }
    return take();
  }

  private String take() {
    String taken = text.toString();
    text.setLength(0);
    return taken;
  }

  private void decode(byte signed) {
    int value = signed & 0xFF;
    if (missing > 0) {
      if (value >= lowest && value <= highest) {
        codePoint = codePoint << 6 | value & 0x3F;
        lowest = 0x80;
        highest = 0xBF;
        if (--missing == 0) {
          text.appendCodePoint(codePoint);
        }
        return;
      }
      missing = 0;
      text.appendCodePoint(REPLACEMENT);
    }
    if (value < 0x80) {
      text.append((char) value);
    } else if (value >= 0xC2 && value <= 0xDF) {
      begin(1, value & 0x1F, 0x80, 0xBF);
    } else if (value >= 0xE0 && value <= 0xEF) {
      begin(2, value & 0x0F, value == 0xE0 ? 0xA0 : 0x80, value == 0xED ? 0x9F : 0xBF);
    } else if (value >= 0xF0 && value <= 0xF4) {
      begin(3, value & 0x07, value == 0xF0 ? 0x90 : 0x80, value == 0xF4 ? 0x8F : 0xBF);
    } else {
      text.appendCodePoint(REPLACEMENT);
    }
  }

  private void begin(int missing, int bits, int lowest, int highest) {
    this.missing = missing;
    this.codePoint = bits;
    this.lowest = lowest;
    this.highest = highest;
  }
}
