package dev.muninn.cli.trace;

import dev.muninn.cli.output.Units;
import java.util.List;

/**
 * Numbers of every position (from top to bottom) and recurrence (from left to right) as colours, on
 * a logarithmic or linear scale. What is too much for a page is averaged over neighbours.
 */
final class HeatMap {
  private static final int MOST_ROWS = 256;
  private static final int MOST_COLUMNS = 256;
  private static final double TOP = 4;
  private static final double RIGHT = 6;
  private static final double LABEL_SIZE = 9;
  static final int LABEL_LENGTH = 10;
  private static final int SHADES = 64;

  /** Decades below the greatest value that a logarithmic scale shows. */
  private static final double DECADES = 6;

  private final TraceAnalysis analysis;
  private final int firstRecurrence;
  private final int lastRecurrence;
  private final boolean logarithmic;
  private final boolean marks;

  /** A number of a position and recurrence; not a number to leave the place empty. */
  @FunctionalInterface
  interface Values {
    double at(int position, int recurrence);
  }

  /**
   * @param marks whether a dot says when a position settles
   */
  HeatMap(
      TraceAnalysis analysis,
      int firstRecurrence,
      int lastRecurrence,
      boolean logarithmic,
      boolean marks) {
    this.analysis = analysis;
    this.firstRecurrence = firstRecurrence;
    this.lastRecurrence = lastRecurrence;
    this.logarithmic = logarithmic;
    this.marks = marks;
  }

  /**
   * Draws.
   *
   * @param unit what the numbers are, for the scale
   */
  Figure draw(String name, String title, String unit, Values values) {
    List<TokenTrace> tokens = analysis.tokens();
    int recurrences = lastRecurrence - firstRecurrence + 1;
    int rowBlock = blocks(tokens.size(), MOST_ROWS);
    int columnBlock = blocks(recurrences, MOST_COLUMNS);
    int rows = (tokens.size() + rowBlock - 1) / rowBlock;
    int columns = (recurrences + columnBlock - 1) / columnBlock;
    double[][] cells = new double[rows][columns];
    double least = Double.POSITIVE_INFINITY;
    double greatest = Double.NEGATIVE_INFINITY;
    for (int row = 0; row < rows; row++) {
      for (int column = 0; column < columns; column++) {
        cells[row][column] = mean(values, row, rowBlock, column, columnBlock);
        if (Double.isFinite(cells[row][column])) {
          least = Math.min(least, cells[row][column]);
          greatest = Math.max(greatest, cells[row][column]);
        }
      }
    }
    if (least > greatest) {
      least = scaled(0);
      greatest = least;
    }
    if (logarithmic) {
      least = Math.max(least, greatest - DECADES);
    }
    double left = labelWidth(tokens);
    double width = (Figure.WIDTH - left - RIGHT) / columns;
    double height = rows <= 40 ? 12 : rows <= 80 ? 6 : Math.max(2, 420.0 / rows);
    Figure figure = new Figure(name, title);
    drawCells(figure, cells, least, greatest, left, width, height);
    int every = (int) Math.ceil(LABEL_SIZE / height);
    for (int row = 0; row < rows; row += every) {
      TokenTrace token = tokens.get(row * rowBlock);
      double middle = TOP + (row + 0.5) * height;
      figure.text(
          left - 4,
          middle + LABEL_SIZE / 3,
          LABEL_SIZE,
          Figure.Anchor.END,
          rowBlock > 1 || every > 1
              ? Integer.toString(token.position())
              : TokenTexts.cut(token.text(), LABEL_LENGTH));
    }
    if (marks && rowBlock == 1 && columnBlock == 1 && every == 1) {
      drawMarks(figure, left, width, height);
    }
    double bottom = TOP + rows * height;
    drawAxis(figure, left, bottom, width, columnBlock, columns);
    drawScale(figure, left, bottom + 29, least, greatest, unit);
    figure.setHeight(bottom + 54);
    return figure;
  }

  private static int blocks(int count, int most) {
    return (count + most - 1) / most;
  }

  private double mean(Values values, int row, int rowBlock, int column, int columnBlock) {
    double sum = 0;
    int count = 0;
    int lastPosition = Math.min(analysis.tokens().size(), (row + 1) * rowBlock);
    int end = Math.min(lastRecurrence + 1, firstRecurrence + (column + 1) * columnBlock);
    for (int position = row * rowBlock; position < lastPosition; position++) {
      for (int i = firstRecurrence + column * columnBlock; i < end; i++) {
        double value = values.at(position, i);
        if (Double.isFinite(value)) {
          sum += value;
          count++;
        }
      }
    }
    return count == 0 ? Double.NaN : scaled(sum / count);
  }

  private double scaled(double value) {
    return logarithmic ? Math.log10(value) : value;
  }

  private static void drawCells(
      Figure figure,
      double[][] cells,
      double least,
      double greatest,
      double left,
      double width,
      double height) {
    StringBuilder[] paths = new StringBuilder[SHADES];
    for (int row = 0; row < cells.length; row++) {
      int from = 0;
      while (from < cells[row].length) {
        int shade = shade(cells[row][from], least, greatest);
        int to = from + 1;
        while (to < cells[row].length && shade(cells[row][to], least, greatest) == shade) {
          to++;
        }
        if (shade >= 0) {
          if (paths[shade] == null) {
            paths[shade] = new StringBuilder();
          }
          Figure.cell(
              paths[shade], left + from * width, TOP + row * height, (to - from) * width, height);
        }
        from = to;
      }
    }
    for (int shade = 0; shade < SHADES; shade++) {
      if (paths[shade] != null) {
        figure.cells(paths[shade], Ramp.hex(shade / (SHADES - 1.0)));
      }
    }
  }

  /** The index of a colour; -1 to leave the place empty. */
  private static int shade(double value, double least, double greatest) {
    if (Double.isNaN(value)) {
      return -1;
    }
    double share = greatest > least ? (value - least) / (greatest - least) : 0;
    return (int) Math.round(Math.clamp(share, 0, 1) * (SHADES - 1));
  }

  private void drawMarks(Figure figure, double left, double width, double height) {
    List<TokenTrace> tokens = analysis.tokens();
    for (int row = 0; row < tokens.size(); row++) {
      int settled = tokens.get(row).settled().orElse(lastRecurrence + 1);
      if (settled <= lastRecurrence) {
        figure.dot(
            left + (settled - firstRecurrence + 0.5) * width,
            TOP + (row + 0.5) * height,
            Math.min(2.5, height / 4),
            false);
      }
    }
  }

  private void drawAxis(
      Figure figure, double left, double bottom, double width, int columnBlock, int columns) {
    int step = Math.max(1, Integer.highestOneBit(columns / 5));
    for (int column = 0; column < columns; column++) {
      int recurrence = firstRecurrence + column * columnBlock;
      if (recurrence % (step * columnBlock) == 0 || columns == 1) {
        double x = left + (column + 0.5) * width;
        figure.rule(x, bottom, x, bottom + 3);
        figure.text(x, bottom + 12, LABEL_SIZE, Figure.Anchor.MIDDLE, Integer.toString(recurrence));
      }
    }
    figure.text(
        left + columns * width / 2, bottom + 23, LABEL_SIZE, Figure.Anchor.MIDDLE, "recurrence");
  }

  private void drawScale(
      Figure figure, double left, double top, double least, double greatest, String unit) {
    double width = Figure.WIDTH - left - RIGHT;
    for (int i = 0; i < SHADES; i++) {
      figure.rectangle(
          left + i * width / SHADES,
          top,
          // A little more, so that no line is left between neighbours.
          width / SHADES + (i + 1 < SHADES ? 0.4 : 0),
          6,
          Ramp.hex(i / (SHADES - 1.0)));
    }
    double below = top + 16;
    figure.text(left, below, LABEL_SIZE, Figure.Anchor.START, number(least));
    figure.text(left + width / 2, below, LABEL_SIZE, Figure.Anchor.MIDDLE, unit);
    figure.text(left + width, below, LABEL_SIZE, Figure.Anchor.END, number(greatest));
  }

  private String number(double scaled) {
    return Units.significant(logarithmic ? Math.pow(10, scaled) : scaled);
  }

  /** Room for the longest label. */
  static double labelWidth(List<TokenTrace> tokens) {
    int longest = 4;
    for (TokenTrace token : tokens) {
      longest = Math.max(longest, token.text().length());
    }
    return 8 + 0.62 * LABEL_SIZE * Math.min(longest, LABEL_LENGTH);
  }
}
