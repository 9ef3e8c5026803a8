package dev.muninn.cli.chat;

/**
 * How lines make a message: a backslash at a line's end joins the next one to it, and three double
 * quotes at the beginning go up to three at an end.
 */
final class InputText {
  private static final String QUOTES = "\"\"\"";
  private static final String CONTINUATION = "\\";

  private InputText() {}

  /** Whether more lines belong to the message that begins with these. */
  static boolean isOpen(String lines) {
    String text = lines.strip();
    if (text.startsWith(QUOTES)) {
      return text.length() < 2 * QUOTES.length() || !text.endsWith(QUOTES);
    }
    return lines.endsWith(CONTINUATION);
  }

  /** The same of a message that was open, when a line has come to it. */
  static boolean staysOpen(String first, String next) {
    return first.stripLeading().startsWith(QUOTES)
        ? !next.stripTrailing().endsWith(QUOTES)
        : next.endsWith(CONTINUATION);
  }

  /** The message that lines make, whether it is ended or not. */
  static String message(String lines) {
    String text = lines.strip();
    if (text.startsWith(QUOTES)) {
      int end = isOpen(lines) ? text.length() : text.length() - QUOTES.length();
      return text.substring(QUOTES.length(), end).strip();
    }
    String joined = lines.replace(CONTINUATION + "\n", "\n");
    return joined.endsWith(CONTINUATION)
        ? joined.substring(0, joined.length() - CONTINUATION.length())
        : joined;
  }
}
