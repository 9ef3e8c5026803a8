package dev.muninn.cli.bench;

import dev.muninn.cli.output.Units;
import dev.muninn.cli.plot.ChartFile;
import java.awt.BasicStroke;
import java.awt.Color;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.Styler.LegendPosition;
import org.knowm.xchart.style.markers.Marker;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** Two charts side by side: latency by recurrence, and by context. */
final class LatencyPlot {
  /** A longer legend would hide what it explains. */
  private static final int MOST_INSIDE = 3;

  private static final int LEGEND_LINE = 20;

  private static final Marker[] MARKERS = {
    SeriesMarkers.CIRCLE,
    SeriesMarkers.SQUARE,
    SeriesMarkers.DIAMOND,
    SeriesMarkers.TRIANGLE_UP,
    SeriesMarkers.TRIANGLE_DOWN
  };

  private LatencyPlot() {}

  /** Draws all groups that decoded something. */
  static void write(Path file, Bench bench, List<TestGroup> groups) throws IOException {
    List<TestGroup> decoded = groups.stream().filter(g -> !g.decoded().isEmpty()).toList();
    XYChart byRecurrence = byRecurrence(bench, decoded);
    XYChart byContext = byContext(bench, decoded);
    int height =
        ChartFile.HEIGHT
            + LEGEND_LINE * Math.max(legendBelow(byRecurrence), legendBelow(byContext));
    ChartFile.write(file, ChartFile.WIDTH, height, List.of(byRecurrence, byContext));
  }

  /** Puts a long legend below its chart; the lines that it takes there, one for each series. */
  private static int legendBelow(XYChart chart) {
    int entries =
        (int) chart.getSeriesCollection().stream().filter(XYSeries::isShowInLegend).count();
    if (entries <= MOST_INSIDE) {
      return 0;
    }
    chart.getStyler().setLegendPosition(LegendPosition.OutsideS);
    return entries;
  }

  private static XYChart byRecurrence(Bench bench, List<TestGroup> groups) {
    XYChart chart = chart(bench.modelName() + ": latency by recurrence", "recurrences (mean)");
    int index = 0;
    for (TestGroup group : groups) {
      List<TestResult> results = group.decoded();
      double[] x = results.stream().mapToDouble(TestResult::meanRecurrences).toArray();
      double[] y = results.stream().mapToDouble(r -> r.gaps().percentile(50)).toArray();
      Color colour = ChartFile.colour(index);
      XYSeries points = chart.addSeries(label(group), x, y);
      points.setMarker(MARKERS[index % MARKERS.length]);
      points.setMarkerColor(colour);
      points.setLineStyle(SeriesLines.NONE);
      if (group.fit().isPresent()) {
        LinearFit fit = group.fit().get();
        double least = new Sample(x).percentile(0);
        double most = new Sample(x).percentile(100);
        XYSeries line =
            chart.addSeries(
                "fit " + index,
                new double[] {least, most},
                new double[] {fit.at(least), fit.at(most)});
        line.setShowInLegend(false);
        line.setMarker(SeriesMarkers.NONE);
        line.setLineColor(colour);
        line.setLineStyle(SeriesLines.DASHED);
      }
      index++;
    }
    return chart;
  }

  private static String label(TestGroup group) {
    return group.label()
        + group
            .fit()
            .map(fit -> Units.format(": %.2f ms + %.2f ms r", fit.intercept(), fit.slope()))
            .orElse("");
  }

  /** A line for each recurrence, policy and exit: prompts of several lengths continue it. */
  private static XYChart byContext(Bench bench, List<TestGroup> groups) {
    Map<String, NavigableMap<Integer, List<Double>>> lines = new LinkedHashMap<>();
    for (TestGroup group : groups) {
      for (TestResult result : group.decoded()) {
        NavigableMap<Integer, List<Double>> line =
            lines.computeIfAbsent(label(result.workload()), label -> new TreeMap<>());
        double[] milliseconds = result.byContext();
        for (int i = 0; i < milliseconds.length; i++) {
          line.computeIfAbsent(result.workload().depth() + i, x -> new ArrayList<>())
              .add(milliseconds[i]);
        }
      }
    }
    XYChart chart = chart(bench.modelName() + ": latency by context", "positions before the token");
    int index = 0;
    for (Map.Entry<String, NavigableMap<Integer, List<Double>>> entry : lines.entrySet()) {
      NavigableMap<Integer, List<Double>> points = entry.getValue();
      double[] x = points.keySet().stream().mapToDouble(Integer::doubleValue).toArray();
      double[] y = points.values().stream().mapToDouble(LatencyPlot::mean).toArray();
      XYSeries line = chart.addSeries(entry.getKey(), x, y);
      line.setMarker(x.length == 1 ? MARKERS[0] : SeriesMarkers.NONE);
      Color colour = ChartFile.colour(index++);
      line.setMarkerColor(colour);
      line.setLineColor(colour);
      line.setLineStyle(SeriesLines.SOLID);
    }
    return chart;
  }

  private static double mean(List<Double> numbers) {
    return numbers.stream().mapToDouble(Double::doubleValue).average().orElseThrow();
  }

  private static String label(Workload workload) {
    return "r = " + workload.recurrence() + workload.variant();
  }

  private static XYChart chart(String title, String axis) {
    XYChart chart = ChartFile.chart(title, axis, "milliseconds a token");
    chart.getStyler().setLegendPosition(LegendPosition.InsideNW);
    chart.getStyler().setMarkerSize(8);
    return chart;
  }

  private static final class SeriesLines {
    static final BasicStroke NONE = org.knowm.xchart.style.lines.SeriesLines.NONE;
    static final BasicStroke SOLID = new BasicStroke(1.6f);
    static final BasicStroke DASHED =
        new BasicStroke(
            1.4f, BasicStroke.CAP_BUTT, BasicStroke.JOIN_ROUND, 10, new float[] {6, 4}, 0);

    private SeriesLines() {}
  }
}
