package dev.muninn.cli.plot;

import de.erichseifert.vectorgraphics2d.Processors;
import de.erichseifert.vectorgraphics2d.VectorGraphics2D;
import de.erichseifert.vectorgraphics2d.util.PageSize;
import dev.muninn.cli.options.UsageException;
import dev.muninn.weights.AtomicFile;
import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.font.FontRenderContext;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import javax.imageio.ImageIO;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.style.XYStyler;

/** Charts side by side in one file, SVG or PNG. */
public final class ChartFile {
  /** Width of a chart that stands beside others. */
  public static final int WIDTH = 600;

  /** Height of such a chart. */
  public static final int HEIGHT = 450;

  /** A bitmap has so many pixels for each unit, so that it can be enlarged. */
  private static final int SCALE = 2;

  /** By Okabe and Ito, and a brown: told apart by all kinds of eyes, in print too. */
  private static final Color[] COLOURS = {
    new Color(0x0072B2),
    new Color(0xD55E00),
    new Color(0x009E73),
    new Color(0xCC79A7),
    new Color(0xE69F00),
    new Color(0x56B4E9),
    new Color(0x000000),
    new Color(0x8C6D1F)
  };

  private static final Color GRID = new Color(0xDDDDDD);

  private ChartFile() {}

  /** The colour of a line, by its place. */
  public static Color colour(int place) {
    return COLOURS[place % COLOURS.length];
  }

  /** Refuses a file that cannot be written, or whose name says no format, and a lack of fonts. */
  public static void requireWritable(Path file) throws IOException {
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
      // The exception depends on Java's version and on the missing part.
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

  /** An empty chart. */
  public static XYChart chart(String title, String horizontal, String vertical) {
    // Java would look for a screen, and nothing here is shown on one.
    System.setProperty("java.awt.headless", "true");
    XYChart chart = new XYChart(WIDTH, HEIGHT);
    chart.setTitle(title);
    chart.setXAxisTitle(horizontal);
    chart.setYAxisTitle(vertical);
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
    styler.setLocale(Locale.ROOT);
    styler.setXAxisTickMarkSpacingHint(60);
    styler.setYAxisMin(0.0);
    return chart;
  }

  /** Draws charts side by side. */
  public static void write(Path file, List<XYChart> charts) throws IOException {
    write(file, WIDTH, HEIGHT, charts);
  }

  /**
   * Draws charts side by side.
   *
   * @param chartWidth of each
   * @param height of all
   */
  public static void write(Path file, int chartWidth, int height, List<XYChart> charts)
      throws IOException {
    int width = chartWidth * charts.size();
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    if (isVector(file)) {
      VectorGraphics2D graphics = new VectorGraphics2D();
      paint(graphics, chartWidth, height, charts);
      Processors.get("svg")
          .getDocument(graphics.getCommands(), new PageSize(width, height))
          .writeTo(bytes);
    } else {
      BufferedImage image =
          new BufferedImage(SCALE * width, SCALE * height, BufferedImage.TYPE_INT_RGB);
      Graphics2D graphics = image.createGraphics();
      graphics.scale(SCALE, SCALE);
      paint(graphics, chartWidth, height, charts);
      graphics.dispose();
      ImageIO.write(image, "png", bytes);
    }
    AtomicFile.write(file, bytes.toByteArray());
  }

  private static void paint(Graphics2D graphics, int width, int height, List<XYChart> charts) {
    for (XYChart chart : charts) {
      chart.paint(graphics, width, height);
      graphics.translate(width, 0);
    }
  }
}
