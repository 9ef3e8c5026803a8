package dev.muninn.cli.trace;

/** Text in HTML and SVG. */
final class Markup {
  private Markup() {}

  /** Escapes a text for contents and attributes; what no XML may hold becomes U+FFFD. */
  static String escape(String text) {
    StringBuilder escaped = new StringBuilder(text.length());
    text.codePoints()
        .forEach(codePoint -> {
          switch (codePoint) {
            case '&' -> escaped.append("&amp;");
            case '<' -> escaped.append("&lt;");
            case '>' -> escaped.append("&gt;");
            case '"' -> escaped.append("&quot;");
            case '\'' -> escaped.append("&#39;");
            default -> escaped.appendCodePoint(allowed(codePoint) ? codePoint : 0xFFFD);
          }
        });
    return escaped.toString();
  }

  private static boolean allowed(int codePoint) {
    return codePoint == '\t'
        || codePoint == '\n'
        || codePoint >= 0x20 && codePoint < 0x7F
        || codePoint >= 0xA0 && codePoint < Character.MIN_SURROGATE
        || codePoint > Character.MAX_SURROGATE && (codePoint & 0xFFFE) != 0xFFFE;
  }
}
