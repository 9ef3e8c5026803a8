package dev.muninn.cli.train;

import dev.muninn.cli.plot.ChartFile;
import dev.muninn.train.TrainingDirectory;
import dev.muninn.weights.InputFile;
import dev.muninn.weights.Utf8Text;
import java.awt.BasicStroke;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.Styler.LegendPosition;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** Draws a run: the loss of its steps and of the validation, and the accuracy, by recurrence. */
final class TrainingPlot {
  private static final int MOST_BYTES = 100 << 20;

  /** Most points of a line. */
  private static final int POINTS = 200;

  private static final BasicStroke STROKE = new BasicStroke(1.6f);

  private TrainingPlot() {}

  /** A line: steps and values. */
  private record Line(List<Double> steps, List<Double> values) {
    Line() {
      this(new ArrayList<>(), new ArrayList<>());
    }
  }

  /** Draws what the logs of a directory tell. */
  static void draw(TrainingDirectory directory, Path file) throws IOException {
    XYChart losses = ChartFile.chart("Loss", "step", "cross-entropy, nats");
    XYChart accuracies =
        ChartFile.chart("Accuracy, mean of the validation sets", "step", "share of answers right");
    accuracies.getStyler().setYAxisMax(1.0);
    losses.getStyler().setLegendPosition(LegendPosition.InsideNE);
    accuracies.getStyler().setLegendPosition(LegendPosition.InsideNW);
    add(losses, 0, "training", steps(directory.path().resolve(TrainingDirectory.LOG)));
    Path validation = directory.path().resolve(TrainingDirectory.VALIDATION_LOG);
    addAll(losses, 1, by(validation, 3));
    addAll(accuracies, 1, by(validation, 4));
    ChartFile.write(file, List.of(losses, accuracies));
  }

  private static void addAll(XYChart chart, int place, Map<Integer, Line> lines) {
    int next = place;
    for (Map.Entry<Integer, Line> line : lines.entrySet()) {
      add(chart, next++, "r = " + line.getKey(), line.getValue());
    }
  }

  private static void add(XYChart chart, int place, String name, Line line) {
    if (!line.steps.isEmpty()) {
      XYSeries series = chart.addSeries(name, line.steps, line.values);
      series.setMarker(SeriesMarkers.NONE);
      series.setLineColor(ChartFile.colour(place));
      series.setLineStyle(STROKE);
    }
  }

  /** The loss of the steps, each point the mean of a few. */
  private static Line steps(Path log) throws IOException {
    List<String> rows = rows(log);
    int each = Math.max(1, rows.size() / POINTS);
    Line line = new Line();
    for (int first = 0; first + each <= rows.size(); first += each) {
      double sum = 0;
      for (String row : rows.subList(first, first + each)) {
        sum += Double.parseDouble(row.split(",")[1]);
      }
      line.steps.add(Double.valueOf(rows.get(first + each - 1).split(",")[0]));
      line.values.add(sum / each);
    }
    return line;
  }

  /** A column of the validation by recurrence: its mean over the sets. */
  private static Map<Integer, Line> by(Path log, int column) throws IOException {
    Map<Integer, Map<Double, List<Double>>> values = new TreeMap<>();
    for (String row : rows(log)) {
      String[] cells = row.split(",");
      values
          .computeIfAbsent(Integer.valueOf(cells[2]), recurrence -> new TreeMap<>())
          .computeIfAbsent(Double.valueOf(cells[0]), step -> new ArrayList<>())
          .add(Double.valueOf(cells[column]));
    }
    Map<Integer, Line> lines = new TreeMap<>();
    values.forEach((recurrence, steps) -> {
      Line line = new Line();
      steps.forEach((step, sets) -> {
        line.steps.add(step);
        line.values.add(sets.stream().mapToDouble(Double::doubleValue).average().orElseThrow());
      });
      lines.put(recurrence, line);
    });
    return lines;
  }

  private static List<String> rows(Path log) throws IOException {
    byte[] bytes = InputFile.readRegular(log, MOST_BYTES, "a log");
    List<String> lines = Utf8Text.decode(log.toString(), bytes).lines().toList();
    return lines.subList(Math.min(1, lines.size()), lines.size());
  }
}
