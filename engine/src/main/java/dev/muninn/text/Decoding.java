package dev.muninn.text;

import static dev.muninn.weights.CheckpointException.quote;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * How the names of tokens become text: the {@code decoder} of a tokenizer.json.
 *
 * <p>There are two kinds. Byte-level: each character of a name is a byte. Text: a name is text in
 * which one character stands for a space; tokens like {@code <0x0A>} are bytes; spaces at the
 * beginning of all text may be left out.
 */
final class Decoding {
  private static final String TYPES =
      "ByteLevel, Metaspace, or a Sequence of Replace, ByteFallback, Fuse and Strip in this order";

  private static final List<String> ORDER = List.of("Replace", "ByteFallback", "Fuse", "Strip");
  private static final int MAX_STRIP = 16;

  private boolean byteLevel;
  private boolean byteFallback;
  private final Map<String, String> replacements = new HashMap<>();

  /** What a Metaspace drops from the first token, else null. */
  private String droppedFirst;

  private int stripped;
  private char strippedCharacter;

  /**
   * Reads the decoder.
   *
   * @param file the whole file
   * @throws dev.muninn.weights.CheckpointException if there is none or it is not supported
   */
  Decoding(TokenizerPart file) {
    TokenizerPart part = file.child("decoder");
    if (part == null) {
      throw file.refusal("no decoder, expected " + TYPES);
    }
    List<TokenizerPart> steps = part.steps("decoders");
    if (steps.isEmpty()) {
      throw part.refusal("an empty Sequence, expected " + TYPES);
    }
    TokenizerPart first = steps.getFirst();
    if (first.type().equals("ByteLevel") || first.type().equals("Metaspace")) {
      if (steps.size() > 1) {
        throw steps.get(1).refusal("follows a " + first.type() + ", expected " + TYPES);
      }
      byteLevel = first.type().equals("ByteLevel");
      if (!byteLevel) {
        readMetaspace(first);
      }
      return;
    }
    readSequence(steps);
  }

  private void readMetaspace(TokenizerPart part) {
    String replacement = PreTokenizers.replacement(part);
    replacements.put(replacement, " ");
    droppedFirst = PreTokenizers.scheme(part).equals("never") ? null : replacement;
  }

  private void readSequence(List<TokenizerPart> steps) {
    int before = 0;
    boolean fused = false;
    for (TokenizerPart step : steps) {
      int order = ORDER.indexOf(step.type());
      if (order < before) {
        throw order < 0
            ? step.unknownType(TYPES)
            : step.refusal(step.type() + " comes too late, expected " + TYPES);
      }
      before = order;
      switch (step.type()) {
        case "Replace" -> readReplace(step);
        case "ByteFallback" -> byteFallback = true;
        case "Fuse" -> fused = true;
        default -> readStrip(step, fused);
      }
    }
  }

  private void readReplace(TokenizerPart step) {
    TokenizerPart pattern = step.child("pattern");
    String replaced = pattern == null ? "" : pattern.text("String");
    if (replaced.codePointCount(0, replaced.length()) != 1
        || replacements.put(replaced, step.text("content")) != null
        || replacements.size() > 1) {
      throw step.refusal("Replace is supported once, for one character, not " + quote(replaced));
    }
  }

  private void readStrip(TokenizerPart step, boolean fused) {
    String content = step.text("content");
    if (!fused || stripped > 0 || content.length() != 1 || step.count("stop", 0, 1 << 30) > 0) {
      throw step.refusal("Strip is supported once, after Fuse, for one character and no stop");
    }
    stripped = step.count("start", 0, MAX_STRIP);
    strippedCharacter = content.charAt(0);
  }

  /** Whether the characters of names are bytes. */
  boolean isByteLevel() {
    return byteLevel;
  }

  /** The bytes of a token's name. */
  byte[] bytes(String name) {
    return byteLevel ? ByteLevel.bytes(name) : replaced(name).getBytes(StandardCharsets.UTF_8);
  }

  /** The byte that a token of this name stands for alone, or -1. */
  int fallbackByte(String name) {
    return byteFallback ? byteOf(name) : -1;
  }

  /** The byte of a name such as {@code <0x0A>}, or -1 if it is no such name. */
  static int byteOf(String name) {
    if (name.length() != 6 || !name.startsWith("<0x") || name.charAt(5) != '>') {
      return -1;
    }
    int high = Character.digit(name.charAt(3), 16);
    int low = Character.digit(name.charAt(4), 16);
    return high < 0 || low < 0 ? -1 : high << 4 | low;
  }

  /** The bytes of a token's name where it is the first of all. */
  byte[] bytesAsFirst(String name) {
    return droppedFirst == null ? bytes(name) : bytes(name.replace(droppedFirst, ""));
  }

  /** Whether the first token of a text reads otherwise than the same token behind another. */
  boolean dropsFromFirst() {
    return droppedFirst != null;
  }

  /** How often {@link #strippedCharacter} is left out at the beginning of a text. */
  int stripped() {
    return stripped;
  }

  char strippedCharacter() {
    return strippedCharacter;
  }

  private String replaced(String name) {
    String text = name;
    for (Map.Entry<String, String> entry : replacements.entrySet()) {
      text = text.replace(entry.getKey(), entry.getValue());
    }
    return text;
  }

  /** The characters that stand for bytes in the names of byte-level tokens. */
  static final class ByteLevel {
    private static final int[] BYTE_OF_CHARACTER = byteOfCharacter();

    private ByteLevel() {}

    /** The bytes behind a name; a name with a character that stands for no byte means itself. */
    static byte[] bytes(String name) {
      byte[] bytes = new byte[name.length()];
      for (int i = 0; i < bytes.length; i++) {
        char character = name.charAt(i);
        if (character >= BYTE_OF_CHARACTER.length || BYTE_OF_CHARACTER[character] < 0) {
          return name.getBytes(StandardCharsets.UTF_8);
        }
        bytes[i] = (byte) BYTE_OF_CHARACTER[character];
      }
      return bytes;
    }

    /** The characters for the bytes of a text. */
    static Stream<String> letters(String text) {
      List<String> letters = new ArrayList<>();
      for (byte value : text.getBytes(StandardCharsets.UTF_8)) {
        for (char character = 0; character < BYTE_OF_CHARACTER.length; character++) {
          if (BYTE_OF_CHARACTER[character] == (value & 0xFF)) {
            letters.add(String.valueOf(character));
          }
        }
      }
      return letters.stream();
    }

    /** Whether there is a token for each single byte. */
    static boolean isComplete(Map<String, Integer> ids) {
      int found = 0;
      for (char character = 0; character < BYTE_OF_CHARACTER.length; character++) {
        if (BYTE_OF_CHARACTER[character] >= 0 && ids.containsKey(String.valueOf(character))) {
          found++;
        }
      }
      return found == 256;
    }

    /**
     * The byte that each character of a name stands for, -1 for none: the printable ones of Latin-1
     * for themselves, the characters from 256 on for all other bytes, in order.
     */
    private static int[] byteOfCharacter() {
      int[] table = new int[512];
      Arrays.fill(table, -1);
      int other = 256;
      for (int value = 0; value < 256; value++) {
        boolean printable =
            value >= '!' && value <= '~' || value >= 0xA1 && value <= 0xFF && value != 0xAD;
        table[printable ? value : other++] = value;
      }
      return table;
    }
  }
}
