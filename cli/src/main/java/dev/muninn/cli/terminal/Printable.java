package dev.muninn.cli.terminal;

/** Text from elsewhere, made fit for a terminal. */
public final class Printable {
  private Printable() {}

  /** Replaces whatever would break the line or steer the terminal by Java's escapes. */
  public static String line(String text) {
    StringBuilder line = new StringBuilder(text.length());
    text.codePoints().forEach(codePoint -> append(line, codePoint));
    return line.toString();
  }

  /** Replaces whatever would steer the terminal by Java's escapes; lines and tabs stay. */
  public static String text(String text) {
    StringBuilder harmless = new StringBuilder(text.length());
    for (int i = 0; i < text.length(); i++) {
      char unit = text.charAt(i);
      if (steersTerminal(unit)) {
        harmless.append(String.format("\\u%04x", (int) unit));
      } else {
        harmless.append(unit);
      }
    }
    return harmless.toString();
  }

  /**
   * Whether a terminal would obey a character rather than show it: the control characters but for
   * line feed and tab, and those that turn the direction of the text around them.
   */
  static boolean steersTerminal(char unit) {
    return Character.getType(unit) == Character.CONTROL && unit != '\n' && unit != '\t'
        || unit >= '\u202a' && unit <= '\u202e'
        || unit >= '\u2066' && unit <= '\u2069';
  }

  /** The text in double quotes, from which it could be read back. */
  public static String quoted(String text) {
    return '"' + line(text.replace("\\", "\\\\").replace("\"", "\\\"")) + '"';
  }

  private static void append(StringBuilder line, int codePoint) {
    switch (codePoint) {
      case '\n' -> line.append("\\n");
      case '\r' -> line.append("\\r");
      case '\t' -> line.append("\\t");
      default -> {
        switch (Character.getType(codePoint)) {
          case Character.CONTROL,
              Character.FORMAT,
              Character.SURROGATE,
              Character.LINE_SEPARATOR,
              Character.PARAGRAPH_SEPARATOR ->
              line.append(String.format("\\u%04x", codePoint));
          default -> line.appendCodePoint(codePoint);
        }
      }
    }
  }
}
