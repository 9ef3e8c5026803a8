package dev.muninn.cli.train;

import de.erichseifert.vectorgraphics2d.VectorGraphics2D;
import de.erichseifert.vectorgraphics2d.svg.SVGProcessor;
import de.erichseifert.vectorgraphics2d.util.PageSize;
import dev.muninn.cli.UsageException;
import dev.muninn.train.TrainingDirectory;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import javax.imageio.ImageIO;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.style.Styler.LegendPosition;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** Draws a run: the loss of its steps and of the validation, and the accuracy, by recurrence. */
final class TrainingPlot {
  private static final int WIDTH = 900;
  private static final int HEIGHT = 450;

  /** Most points of a line. */
  private static final int POINTS = 200;

  private TrainingPlot() {}

  /** A line: steps and values. */
  private record Line(List<Double> steps, List<Double> values) {
    Line() {
      this(new ArrayList<>(), new ArrayList<>());
    }
  }

  /** Refuses a file whose name does not say how to draw. */
  static void requireFormat(Path file) {
    if (!isSvg(file) && !isPng(file)) {
      throw new UsageException("--plot: expected a file named .svg or .png, not '" + file + "'");
    }
  }

  private static boolean isSvg(Path file) {
    return file.toString().toLowerCase(Locale.ROOT).endsWith(".svg");
  }

  private static boolean isPng(Path file) {
    return file.toString().toLowerCase(Locale.ROOT).endsWith(".png");
  }

  /** Draws what the logs of a directory tell. */
  static void draw(TrainingDirectory directory, Path file) throws IOException {
    XYChart losses = chart("Loss", "cross-entropy, nats");
    XYChart accuracies = chart("Accuracy, mean over the validation sets", "share of answers right");
    accuracies.getStyler().setYAxisMin(0.0).setYAxisMax(1.0);
    add(losses, "training", steps(directory.path().resolve(TrainingDirectory.LOG)));
    Path validation = directory.path().resolve(TrainingDirectory.VALIDATION_LOG);
    by(validation, 3).forEach((recurrence, line) -> add(losses, "r = " + recurrence, line));
    by(validation, 4).forEach((recurrence, line) -> add(accuracies, "r = " + recurrence, line));
    byte[] drawing = isSvg(file) ? svg(losses, accuracies) : png(losses, accuracies);
    TrainingDirectory.write(file, drawing);
  }

  private static XYChart chart(String title, String axis) {
    XYChart chart =
        new XYChartBuilder()
            .width(WIDTH)
            .height(HEIGHT)
            .title(title)
            .xAxisTitle("step")
            .yAxisTitle(axis)
            .build();
    chart.getStyler().setLegendPosition(LegendPosition.OutsideE);
    return chart;
  }

  private static void add(XYChart chart, String name, Line line) {
    if (!line.steps.isEmpty()) {
      chart.addSeries(name, line.steps, line.values).setMarker(SeriesMarkers.NONE);
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
    List<String> lines = Files.readAllLines(log);
    return lines.subList(Math.min(1, lines.size()), lines.size());
  }

  private static void paint(XYChart upper, XYChart lower, Graphics2D graphics) {
    upper.paint(graphics, WIDTH, HEIGHT);
    graphics.translate(0, HEIGHT);
    lower.paint(graphics, WIDTH, HEIGHT);
  }

  private static byte[] svg(XYChart upper, XYChart lower) throws IOException {
    VectorGraphics2D graphics = new VectorGraphics2D();
    paint(upper, lower, graphics);
    ByteArrayOutputStream drawing = new ByteArrayOutputStream();
    new SVGProcessor()
        .getDocument(graphics.getCommands(), new PageSize(0, 0, WIDTH, 2.0 * HEIGHT))
        .writeTo(drawing);
    return drawing.toByteArray();
  }

  private static byte[] png(XYChart upper, XYChart lower) throws IOException {
    BufferedImage image = new BufferedImage(WIDTH, 2 * HEIGHT, BufferedImage.TYPE_INT_RGB);
    Graphics2D graphics = image.createGraphics();
    paint(upper, lower, graphics);
    graphics.dispose();
    ByteArrayOutputStream drawing = new ByteArrayOutputStream();
    ImageIO.write(image, "png", drawing);
    return drawing.toByteArray();
  }
}
