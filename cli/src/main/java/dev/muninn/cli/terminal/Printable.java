package dev.muninn.cli.terminal;

/** Text from elsewhere, made fit for one line of a terminal. */
public final class Printable {
  private Printable() {}

  /** Replaces whatever would break the line or steer the terminal by Java's escapes. */
  public static String line(String text) {
    StringBuilder line = new StringBuilder(text.length());
    text.codePoints().forEach(codePoint -> append(line, codePoint));
    return line.toString();
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
