package dev.muninn.text;

/** Lengths of texts in UTF-8. */
final class Utf8 {
  private Utf8() {}

  /** The number of bytes of a text in UTF-8; half a surrogate pair counts as U+FFFD. */
  static long length(String text) {
    long bytes = 0;
    for (int i = 0; i < text.length(); i++) {
      char character = text.charAt(i);
      if (character < 0x80) {
        bytes++;
      } else if (character < 0x800) {
        bytes += 2;
      } else if (Character.isHighSurrogate(character)
          && i + 1 < text.length()
          && Character.isLowSurrogate(text.charAt(i + 1))) {
        bytes += 4;
        i++;
      } else {
        bytes += 3;
      }
    }
    return bytes;
  }
}
