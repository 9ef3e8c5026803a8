package dev.muninn.cli.eval;

import dev.muninn.cli.output.Units;
import dev.muninn.cli.plot.ChartFile;
import dev.muninn.eval.Measure;
import java.awt.BasicStroke;
import java.awt.Color;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.Styler.LegendPosition;
import org.knowm.xchart.style.XYStyler;
import org.knowm.xchart.style.markers.Marker;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** A picture of what recurrences buy: a line for each task and number of shots. */
final class AccuracyPlot {
  private static final int WIDTH = 1000;
  private static final int HEIGHT = 620;

  /** Of the horizontal axis on either side, in powers of two. */
  private static final double MARGIN = 0.15;

  private static final List<Marker> MARKERS =
      List.of(
          SeriesMarkers.CIRCLE,
          SeriesMarkers.SQUARE,
          SeriesMarkers.TRIANGLE_UP,
          SeriesMarkers.DIAMOND,
          SeriesMarkers.TRIANGLE_DOWN,
          SeriesMarkers.CROSS,
          SeriesMarkers.PLUS);

  private AccuracyPlot() {}

  /**
   * Draws curves.
   *
   * @param curves of shares, or all of perplexities
   */
  static void write(Path file, String model, List<Cell.Curve> curves) throws IOException {
    boolean shares = !curves.getFirst().measure().equals(Measure.PERPLEXITY);
    XYChart chart =
        ChartFile.chart(
            model + ": " + curves.getFirst().measure() + " by recurrences",
            "recurrences r",
            shares ? "accuracy, % (bars: 95 % intervals)" : "perplexity");
    style(chart.getStyler(), curves, shares);
    for (int i = 0; i < curves.size(); i++) {
      add(chart, curves.get(i), i, curves.size(), shares ? 100 : 1);
    }
    ChartFile.write(file, WIDTH, HEIGHT, List.of(chart));
  }

  private static void style(XYStyler styler, List<Cell.Curve> curves, boolean shares) {
    styler.setLegendPosition(LegendPosition.OutsideE);
    styler.setMarkerSize(8);
    if (shares) {
      styler.setYAxisMax(101.0);
    } else {
      styler.setYAxisMin((Double) null);
    }
    int least = Integer.MAX_VALUE;
    int most = 1;
    for (Cell.Curve curve : curves) {
      least = Math.min(least, curve.points().firstKey());
      most = Math.max(most, curve.points().lastKey());
    }
    // Powers of two at even distances: what is plotted are their exponents.
    double first = Math.floor(log2(least));
    double last = Math.max(first + 1, log2(most));
    styler.setXAxisMin(first - MARGIN);
    styler.setXAxisMax(last + MARGIN);
    styler.setXAxisTickLabelsFormattingFunction(exponent -> {
      boolean whole = Math.abs(exponent - Math.rint(exponent)) < 1e-9;
      // Where the ends have no labels, the library takes all labels for rounded away.
      return whole || exponent < first || exponent > last
          ? Units.format("%.0f", Math.pow(2, Math.rint(exponent)))
          : "";
    });
  }

  private static double log2(int recurrence) {
    return Math.log(recurrence) / Math.log(2);
  }

  private static void add(XYChart chart, Cell.Curve curve, int index, int count, double factor) {
    int size = curve.points().size();
    double[] x = new double[size];
    double[] y = new double[size];
    int i = 0;
    Color colour = ChartFile.colour(index);
    // Beside each other, so that bars of several lines can be told apart.
    double offset = 0.03 * (index - (count - 1) / 2.0);
    for (Map.Entry<Integer, Measure> point : curve.points().entrySet()) {
      Measure measure = point.getValue();
      x[i] = log2(point.getKey()) + offset;
      y[i] = factor * measure.value();
      if (Double.isFinite(measure.interval().low()) && Double.isFinite(measure.interval().high())) {
        XYSeries bar =
            chart.addSeries(
                name(curve) + ", interval at " + point.getKey(),
                new double[] {x[i], x[i]},
                new double[] {
                  factor * measure.interval().low(), factor * measure.interval().high()
                });
        bar.setShowInLegend(false);
        bar.setMarker(SeriesMarkers.NONE);
        bar.setLineColor(colour);
        bar.setLineStyle(new BasicStroke(1.5f));
      }
      i++;
    }
    XYSeries line = chart.addSeries(name(curve), x, y);
    line.setLineColor(colour);
    line.setMarkerColor(colour);
    line.setMarker(MARKERS.get(index % MARKERS.size()));
    line.setLineStyle(new BasicStroke(2.5f));
  }

  private static String name(Cell.Curve curve) {
    return curve.shots() == 0
        ? curve.task()
        : curve.task() + ", " + Units.count(curve.shots(), "shot");
  }
}
