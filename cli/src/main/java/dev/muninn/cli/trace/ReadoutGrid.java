package dev.muninn.cli.trace;

import dev.muninn.trace.Readouts;
import java.util.List;

/** The likeliest next token of each position by recurrence, as strong as it is probable. */
final class ReadoutGrid {
  private static final int COLUMNS = 11;
  private static final double TOP = 22;
  private static final double ROW = 13;
  private static final double LETTERS = 9;

  private ReadoutGrid() {}

  static Figure draw(TraceAnalysis analysis, List<TokenTrace> tokens) {
    Figure figure = new Figure("readout", "What the model would say next, by recurrence");
    List<Integer> recurrences = Recurrences.growing(analysis.recurrence(), COLUMNS);
    double left = HeatMap.labelWidth(tokens);
    double width = (Figure.WIDTH - left - 2) / recurrences.size();
    int fits = Math.max(1, (int) ((width - 2) / (0.62 * LETTERS)));
    figure.text(left, 8, LETTERS, Figure.Anchor.START, "after recurrence");
    for (int column = 0; column < recurrences.size(); column++) {
      figure.text(
          left + (column + 0.5) * width,
          TOP - 4,
          LETTERS,
          Figure.Anchor.MIDDLE,
          Integer.toString(recurrences.get(column)));
    }
    Readouts readouts = analysis.readouts();
    for (int row = 0; row < tokens.size(); row++) {
      TokenTrace token = tokens.get(row);
      double top = TOP + row * ROW;
      figure.text(
          left - 4,
          top + ROW - 3.5,
          LETTERS,
          Figure.Anchor.END,
          TokenTexts.cut(token.text(), HeatMap.LABEL_LENGTH));
      for (int column = 0; column < recurrences.size(); column++) {
        int recurrence = recurrences.get(column);
        double probability = readouts.probability(token.position(), recurrence, 0);
        double x = left + column * width;
        figure.shade(x + 0.5, top + 0.5, width - 1, ROW - 1, 0.06 + 0.54 * probability);
        figure.text(
            x + width / 2,
            top + ROW - 3.5,
            LETTERS,
            Figure.Anchor.MIDDLE,
            TokenTexts.cut(
                analysis.texts().of(readouts.token(token.position(), recurrence, 0)), fits));
      }
    }
    figure.setHeight(TOP + tokens.size() * ROW + 2);
    return figure;
  }
}
