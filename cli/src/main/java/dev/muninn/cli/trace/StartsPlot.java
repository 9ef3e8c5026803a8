package dev.muninn.cli.trace;

import dev.muninn.cli.output.Units;
import dev.muninn.trace.PathIndependence;
import java.util.List;

/**
 * For each position, the distance between its ends from several starts (filled) and the distance to
 * the ends of other positions (open), on a logarithmic scale.
 */
final class StartsPlot {
  private static final double TOP = 6;
  private static final double ROW = 13;
  private static final double LETTERS = 9;
  private static final double RIGHT = 10;
  private static final int MOST_TICKS = 6;

  private StartsPlot() {}

  static Figure draw(PathIndependence independence, List<TokenTrace> tokens) {
    Figure figure =
        new Figure("starts", "Distances between the ends from several starts and between tokens");
    double least = Double.POSITIVE_INFINITY;
    double greatest = 0;
    for (TokenTrace token : tokens) {
      for (double distance :
          new double[] {
            independence.startDistance(token.position()),
            independence.tokenDistance(token.position())
          }) {
        if (distance > 0) {
          least = Math.min(least, distance);
          greatest = Math.max(greatest, distance);
        }
      }
    }
    if (greatest == 0) {
      least = 0.1;
      greatest = 1;
    }
    int low = (int) Math.floor(Math.log10(least));
    int high = Math.max(low + 1, (int) Math.ceil(Math.log10(greatest)));
    double left = HeatMap.labelWidth(tokens) + 4;
    double width = Figure.WIDTH - left - RIGHT;
    double bottom = TOP + tokens.size() * ROW;
    int step = (high - low + MOST_TICKS - 1) / MOST_TICKS;
    for (int decade = low; decade <= high; decade += step) {
      double x = left + width * (decade - low) / (high - low);
      figure.rule(x, TOP, x, bottom + 3);
      figure.text(
          x,
          bottom + 12,
          LETTERS,
          Figure.Anchor.MIDDLE,
          Math.abs(decade) > 3 ? "1e" + decade : Units.significant(Math.pow(10, decade)));
    }
    for (int row = 0; row < tokens.size(); row++) {
      TokenTrace token = tokens.get(row);
      double middle = TOP + (row + 0.5) * ROW;
      figure.text(
          left - 8,
          middle + LETTERS / 3,
          LETTERS,
          Figure.Anchor.END,
          TokenTexts.cut(token.text(), HeatMap.LABEL_LENGTH));
      double between = independence.startDistance(token.position());
      double others = independence.tokenDistance(token.position());
      double from = left + width * place(between, low, high);
      if (Double.isFinite(others)) {
        double to = left + width * place(others, low, high);
        figure.rule(from, middle, to, middle);
        figure.dot(to, middle, 3, false);
      }
      figure.dot(from, middle, 3, true);
    }
    double legend = bottom + 26;
    figure.dot(left, legend - 3, 3, true);
    figure.text(left + 6, legend, LETTERS, Figure.Anchor.START, "between starts");
    figure.dot(left + width / 2, legend - 3, 3, false);
    figure.text(left + width / 2 + 6, legend, LETTERS, Figure.Anchor.START, "between tokens");
    figure.setHeight(legend + 8);
    return figure;
  }

  /** From 0 to 1; what is equal stands at the left. */
  private static double place(double distance, int low, int high) {
    return distance > 0 ? Math.max(0, (Math.log10(distance) - low) / (high - low)) : 0;
  }
}
