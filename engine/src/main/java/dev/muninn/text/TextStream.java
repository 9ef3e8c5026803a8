package dev.muninn.text;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Turns a stream of tokens into text, as it comes. A character whose bytes are spread over several
 * tokens appears with the token that completes it; bytes that can no longer become a character
 * appear as U+FFFD as soon as that is certain. Special tokens are skipped, also in the middle of a
 * character.
 *
 * <p>A vocabulary of texts falls back to tokens of single bytes where it lacks a character. A run
 * of those appears with the token behind it: it is text if all of it is UTF-8, else each of its
 * bytes is U+FFFD. What the tokenizer's decoder leaves out at the beginning of a text, mostly one
 * space, is left out.
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

  /** Bytes of tokens that the vocabulary falls back to. */
  private byte[] run = new byte[16];

  private int runLength;

  /** Whether a token of the text has been pushed. */
  private boolean begun;

  /** How many characters may still be left out at the beginning of the text. */
  private int toStrip;

  TextStream(Vocabulary vocabulary) {
    this.vocabulary = vocabulary;
    this.toStrip = vocabulary.decoding().stripped();
  }

  /**
   * Takes the next token.
   *
   * @return the text that it completes, often empty
   * @throws IllegalArgumentException if the token is outside of the model's vocabulary
   */
  public String push(int token) {
    if (!vocabulary.isText(token)) {
      return "";
    }
    int fallback = vocabulary.fallbackByte(token);
    if (fallback >= 0) {
      if (runLength == run.length) {
        run = Arrays.copyOf(run, 2 * runLength);
      }
      run[runLength++] = (byte) fallback;
    } else {
      endRun();
      decodeAll(begun ? vocabulary.bytes(token) : vocabulary.bytesAsFirst(token));
    }
    begun = true;
    return take();
  }

  /**
   * Ends the stream; another one may then be pushed.
   *
   * @return what was held back: a run of bytes, or U+FFFD if a character was begun and not
   *     completed
   */
  public String flush() {
    endRun();
    if (missing > 0) {
      missing = 0;
      text.appendCodePoint(REPLACEMENT);
    }
    String last = take();
    begun = false;
    toStrip = vocabulary.decoding().stripped();
    return last;
  }

  private void endRun() {
    if (runLength == 0) {
      return;
    }
    int before = text.length();
    for (int i = 0; i < runLength; i++) {
      decode(run[i]);
    }
    boolean broken = missing > 0 || replacesIn(before);
    missing = 0;
    if (broken) {
      text.setLength(before);
      text.repeat(REPLACEMENT, runLength);
    }
    runLength = 0;
  }

  /** Whether the bytes of the run, decoded from here on, are other than those of the text. */
  private boolean replacesIn(int before) {
    if (text.indexOf("\uFFFD", before) < 0) {
      return false;
    }
    byte[] decoded = text.substring(before).getBytes(StandardCharsets.UTF_8);
    return !Arrays.equals(decoded, 0, decoded.length, run, 0, runLength);
  }

  private String take() {
    int begin = 0;
    while (toStrip > 0 && begin < text.length()) {
      if (text.charAt(begin) == vocabulary.decoding().strippedCharacter()) {
        begin++;
        toStrip--;
      } else {
        toStrip = 0;
      }
    }
    String taken = text.substring(begin);
    text.setLength(0);
    return taken;
  }

  private void decodeAll(byte[] bytes) {
    for (byte value : bytes) {
      decode(value);
    }
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
