package dev.muninn.cli.trace;

import dev.muninn.cli.output.Units;

/**
 * A drawing that is made line by line, for a page and for a file of its own. Lengths are pixels of
 * a page {@value #WIDTH} wide; the page scales it. Colours of lines and letters are the page's, so
 * that they are dark on light or light on dark.
 */
final class Figure {
  /** As wide as the narrowest screens. */
  static final double WIDTH = 360;

  private static final String INK = "var(--ink,#1c1c1c)";
  private static final String FAINT = "var(--faint,#8a8a8a)";
  private static final String PAPER = "var(--paper,#ffffff)";

  private final String name;
  private final String title;
  private final StringBuilder body = new StringBuilder();
  private double height;

  /**
   * @param name of its file, without an ending
   * @param title for readers who cannot see it
   */
  Figure(String name, String title) {
    this.name = name;
    this.title = title;
  }

  /** Of its file, without an ending. */
  String name() {
    return name;
  }

  void setHeight(double height) {
    this.height = height;
  }

  void rectangle(double x, double y, double width, double height, String colour) {
    body.append(
        Units.format(
            "<rect x=\"%s\" y=\"%s\" width=\"%s\" height=\"%s\" fill=\"%s\"/>\n",
            number(x), number(y), number(width), number(height), colour));
  }

  /** A rectangle of the accent colour, as strong as a number from 0 to 1. */
  void shade(double x, double y, double width, double height, double strength) {
    body.append(
        Units.format(
            "<rect x=\"%s\" y=\"%s\" width=\"%s\" height=\"%s\" fill=\"var(--accent,#2c6fbb)\""
                + " fill-opacity=\"%s\"/>\n",
            number(x), number(y), number(width), number(height), number(strength)));
  }

  /** Squares of one colour; the path was made by {@link #cell}. */
  void cells(CharSequence path, String colour) {
    // Without antialiasing there would be hair lines between neighbours.
    body.append("<path shape-rendering=\"crispEdges\" fill=\"")
        .append(colour)
        .append("\" d=\"")
        .append(path)
        .append("\"/>\n");
  }

  static void cell(StringBuilder path, double x, double y, double width, double height) {
    path.append('M')
        .append(number(x))
        .append(' ')
        .append(number(y))
        .append('h')
        .append(number(width))
        .append('v')
        .append(number(height))
        .append('h')
        .append(number(-width))
        .append('z');
  }

  void line(double x1, double y1, double x2, double y2, String colour, double width) {
    body.append(
        Units.format(
            "<line x1=\"%s\" y1=\"%s\" x2=\"%s\" y2=\"%s\" stroke=\"%s\" stroke-width=\"%s\""
                + " stroke-linecap=\"round\"/>\n",
            number(x1), number(y1), number(x2), number(y2), colour, number(width)));
  }

  /** A thin line, as of an axis. */
  void rule(double x1, double y1, double x2, double y2) {
    line(x1, y1, x2, y2, FAINT, 0.5);
  }

  /** A dot, filled or open. */
  void dot(double x, double y, double radius, boolean filled) {
    body.append(
        Units.format(
            "<circle cx=\"%s\" cy=\"%s\" r=\"%s\" fill=\"%s\" stroke=\"%s\""
                + " stroke-width=\"1\"/>\n",
            number(x), number(y), number(radius), filled ? INK : PAPER, INK));
  }

  void dot(double x, double y, double radius, String colour) {
    body.append(
        Units.format(
            "<circle cx=\"%s\" cy=\"%s\" r=\"%s\" fill=\"%s\"/>\n",
            number(x), number(y), number(radius), colour));
  }

  /** The side of its point on which a text stands. */
  enum Anchor {
    START("start"),
    MIDDLE("middle"),
    END("end");

    private final String name;

    Anchor(String name) {
      this.name = name;
    }
  }

  void text(double x, double y, double size, Anchor anchor, String text) {
    text(x, y, size, anchor, text, INK);
  }

  void text(double x, double y, double size, Anchor anchor, String text, String colour) {
    body.append(
            Units.format(
                "<text x=\"%s\" y=\"%s\" font-size=\"%s\" text-anchor=\"%s\" fill=\"%s\">",
                number(x), number(y), number(size), anchor.name, colour))
        .append(Markup.escape(text))
        .append("</text>\n");
  }

  /** For a page, whose colours it takes. */
  String inline() {
    return svg("");
  }

  /** For a file of its own, which is light or dark as the viewer is. */
  String file() {
    return svg(
            "<style>svg{--ink:#1c1c1c;--faint:#8a8a8a;--paper:#ffffff;--accent:#2c6fbb}"
                + "@media (prefers-color-scheme:dark){svg{--ink:#e6e6e6;--faint:#8a8a8a;"
                + "--paper:#16181c;--accent:#6aa8ea}}</style>\n"
                + Units.format("<rect width=\"100%%\" height=\"100%%\" fill=\"%s\"/>\n", PAPER))
        + "\n";
  }

  private String svg(String head) {
    return Units.format(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %s %s\" role=\"img\""
                + " font-family=\"ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace\">\n",
            number(WIDTH), number(height))
        + "<title>"
        + Markup.escape(title)
        + "</title>\n"
        + head
        + body
        + "</svg>";
  }

  /** At most two decimals: a hundredth of a pixel is nothing. */
  private static String number(double value) {
    String text = Units.format("%.2f", value);
    int end = text.length();
    while (text.charAt(end - 1) == '0') {
      end--;
    }
    if (text.charAt(end - 1) == '.') {
      end--;
    }
    String shortest = text.substring(0, end);
    return shortest.equals("-0") ? "0" : shortest;
  }
}
