package dev.muninn.cli.bench;

import de.erichseifert.vectorgraphics2d.Processor;
import de.erichseifert.vectorgraphics2d.Processors;
import de.erichseifert.vectorgraphics2d.VectorGraphics2D;
import de.erichseifert.vectorgraphics2d.util.PageSize;
import dev.muninn.cli.AtomicFile;
import dev.muninn.cli.Units;
import dev.muninn.cli.UsageException;
import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.font.FontRenderContext;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import javax.imageio.ImageIO;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.Styler.LegendPosition;
import org.knowm.xchart.style.XYStyler;
import org.knowm.xchart.style.markers.Marker;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** Two charts side by side: latency by recurrence, and by context. */
final class LatencyPlot {
  private static final int WIDTH = 600;
  private static final int HEIGHT = 450;

  /** A bitmap has so many pixels for each unit, so that it can be enlarged. */
  private static final int SCALE = 2;

  /** By Okabe and Ito: told apart by all kinds of eyes, in print too. */
  private static final Color[] COLOURS = {
    new Color(0x0072B2),
    new Color(0xD55E00),
    new Color(0x009E73),
    new Color(0xCC79A7),
    new Color(0xE69F00),
    new Color(0x56B4E9),
    new Color(0x000000)
  };

  private static final Color GRID = new Color(0xDDDDDD);

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

  /** Refuses a file that cannot be written or whose name says no format, and a lack of fonts. */
  static void requireWritable(Path file) throws IOException {
    if (!isVector(file) && !hasEnd(file, ".png")) {
      throw new UsageException(
          "--plot: expected a file's name that ends in .svg or .png, not '" + file + "'");
    }
    AtomicFile.requireWritable(file);
    // Java would look for a screen, and nothing here is shown on one.
    System.setProperty("java.awt.headless", "true");
    try {
      new Font(Font.SANS_SERIF, Font.PLAIN, 12)
          .getStringBounds("r", new FontRenderContext(null, true, true));
    } catch (RuntimeException | Error e) {
      // What is thrown differs between Java's versions and with what is missing.
      throw new IOException(
          "--plot needs fonts, and the system has none: install fontconfig and a font", e);
    }
  }

  private static boolean isVector(Path file) {
    return hasEnd(file, ".svg");
  }

  private static boolean hasEnd(Path file, String end) {
    return file.toString().toLowerCase(Locale.ROOT).endsWith(end);
  }

  /** Draws all groups that decoded something. */
  static void write(Path file, Bench bench, List<TestGroup> groups) throws IOException {
    List<TestGroup> decoded = groups.stream().filter(g -> !g.decoded().isEmpty()).toList();
    XYChart byRecurrence = byRecurrence(bench, decoded);
    XYChart byContext = byContext(bench, decoded);
    int height = HEIGHT + LEGEND_LINE * Math.max(legendBelow(byRecurrence), legendBelow(byContext));
    if (isVector(file)) {
      VectorGraphics2D graphics = new VectorGraphics2D();
      paint(graphics, height, byRecurrence, byContext);
      Processor processor = Processors.get("svg");
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      processor
          .getDocument(graphics.getCommands(), new PageSize(2.0 * WIDTH, height))
          .writeTo(bytes);
      AtomicFile.write(file, bytes.toByteArray());
      return;
    }
    BufferedImage image =
        new BufferedImage(2 * SCALE * WIDTH, SCALE * height, BufferedImage.TYPE_INT_RGB);
    Graphics2D graphics = image.createGraphics();
    graphics.scale(SCALE, SCALE);
    paint(graphics, height, byRecurrence, byContext);
    graphics.dispose();
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    ImageIO.write(image, "png", bytes);
    AtomicFile.write(file, bytes.toByteArray());
  }

  private static void paint(Graphics2D graphics, int height, XYChart left, XYChart right) {
    left.paint(graphics, WIDTH, height);
    graphics.translate(WIDTH, 0);
    right.paint(graphics, WIDTH, height);
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
      Color colour = COLOURS[index % COLOURS.length];
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
      Color colour = COLOURS[index++ % COLOURS.length];
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
    XYChart chart = new XYChart(WIDTH, HEIGHT);
    chart.setTitle(title);
    chart.setXAxisTitle(axis);
    chart.setYAxisTitle("milliseconds a token");
    XYStyler styler = chart.getStyler();
    styler.setBaseFont(new Font(Font.SANS_SERIF, Font.PLAIN, 12));
    styler.setChartTitleFont(new Font(Font.SANS_SERIF, Font.BOLD, 14));
    styler.setAxisTitleFont(new Font(Font.SANS_SERIF, Font.PLAIN, 12));
    styler.setAxisTickLabelsFont(new Font(Font.SANS_SERIF, Font.PLAIN, 11));
    styler.setLegendFont(new Font(Font.SANS_SERIF, Font.PLAIN, 11));
    styler.setChartBackgroundColor(Color.WHITE);
    styler.setPlotBackgroundColor(Color.WHITE);
    styler.setPlotBorderVisible(false);
    styler.setPlotGridLinesColor(GRID);
    styler.setPlotGridLinesStroke(new BasicStroke(0.8f));
    styler.setLegendBorderColor(GRID);
    styler.setLegendPosition(LegendPosition.InsideNW);
    styler.setLocale(Locale.ROOT);
    styler.setMarkerSize(8);
    styler.setXAxisTickMarkSpacingHint(60);
    styler.setYAxisMin(0.0);
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
