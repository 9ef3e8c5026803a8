package dev.muninn.cli.trace;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.muninn.LanguageModel;
import dev.muninn.LoadOptions;
import dev.muninn.cli.Programs;
import dev.muninn.decode.Cancellation;
import dev.muninn.decode.DecodingOptions;
import dev.muninn.decode.InitialState;
import dev.muninn.text.Prompt;
import dev.muninn.trace.Trace;
import dev.muninn.trace.TraceListener;
import dev.muninn.trace.TraceRequest;
import java.io.IOException;
import java.io.StringReader;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.InputSource;

/** Opens reports: every figure has content, nothing comes from a network, nothing breaks out. */
class TraceReportTest {
  private static final String DIGITS = "7305918273645172=";
  private static final String HOSTILE =
      "<script>alert(1)</script>&amp;\"'><img src=x onerror=alert(1)>\u0001\u001b[31m\u202e\u0085"
          + "</svg>]]>\n\ttext\u2028é日本\ud83d\udc26";

  @TempDir static Path directory;

  @BeforeAll
  static void writeReports() throws IOException, URISyntaxException {
    Path tiny = Path.of(TraceReportTest.class.getResource("/dev/muninn/cli/raven-tiny").toURI());
    try (LanguageModel model = LanguageModel.load(tiny, new LoadOptions(1))) {
      write(model, "digits", DIGITS, 64, 2, 64);
      write(model, "hostile", HOSTILE, 9, 1, 64);
      write(model, "one", "", 1, 3, 64);
      write(model, "long", "1+2=".repeat(60), 12, 2, 5);
    }
  }

  private static void write(
      LanguageModel model, String name, String prompt, int recurrence, int starts, int detail)
      throws IOException {
    Path target = Files.createDirectory(directory.resolve(name));
    List<InitialState> states = new ArrayList<>();
    for (int start = 0; start < starts; start++) {
      states.add(InitialState.random(start));
    }
    TraceRequest request =
        new TraceRequest(Prompt.text(prompt), recurrence, states, 5, DecodingOptions.defaults());
    try (Trace trace =
        model
            .trace(
                request,
                target.resolve(TraceReport.LATENTS),
                TraceListener.NONE,
                new Cancellation())
            .orElseThrow()) {
      TraceAnalysis analysis =
          TraceAnalysis.of(trace, 0.03, "raven <tiny>", new TokenTexts(model.tokenizer()));
      new TraceReport(analysis, detail).write(target);
    }
  }

  private static String page(String name) throws IOException {
    return Files.readString(directory.resolve(name).resolve(TraceReport.PAGE));
  }

  private static Document parse(String svg) throws Exception {
    return DocumentBuilderFactory.newInstance()
        .newDocumentBuilder()
        .parse(new InputSource(new StringReader(svg)));
  }

  private static List<String> matches(String pattern, String text) {
    return Pattern.compile(pattern, Pattern.DOTALL)
        .matcher(text)
        .results()
        .map(result -> result.group(1))
        .toList();
  }

  /** Shapes and texts that a reader would see, within the picture. */
  private static int content(Document figure) {
    int count = 0;
    String[] box = figure.getDocumentElement().getAttribute("viewBox").split(" ");
    double width = Double.parseDouble(box[2]);
    double height = Double.parseDouble(box[3]);
    NodeList elements = figure.getElementsByTagName("*");
    for (int i = 0; i < elements.getLength(); i++) {
      Element element = (Element) elements.item(i);
      for (String[] place : new String[][] {{"x", "y"}, {"cx", "cy"}, {"x1", "y1"}}) {
        if (element.hasAttribute(place[0])) {
          double x = Double.parseDouble(element.getAttribute(place[0]));
          double y = Double.parseDouble(element.getAttribute(place[1]));
          assertTrue(x >= 0 && x <= width && y >= 0 && y <= height, element.getTagName() + x + y);
          count++;
        }
      }
      count += element.getAttribute("d").isEmpty() ? 0 : 1;
    }
    return count;
  }

  @ParameterizedTest
  @ValueSource(strings = {"digits", "hostile", "one", "long"})
  void everyFigureHasContent(String name) throws Exception {
    List<String> inline = matches("(<svg .*?</svg>)", page(name));
    List<Path> files;
    try (Stream<Path> list = Files.list(directory.resolve(name).resolve("figures"))) {
      files = list.toList();
    }
    assertEquals(files.size(), inline.size());
    assertEquals(matches("(<figure>)", page(name)).size(), inline.size());
    assertTrue(inline.size() >= 5, inline.size() + " figures");
    for (String svg : inline) {
      assertTrue(content(parse(svg)) >= 5, svg);
    }
    for (Path file : files) {
      assertTrue(content(parse(Files.readString(file))) >= 5, file.toString());
      assertFalse(
          Files.readString(file).replace("http://www.w3.org/2000/svg", "").contains("http"));
    }
  }

  @Test
  void heatMapHasACellForEachTokenAndRecurrence() throws Exception {
    String svg = Files.readString(directory.resolve("digits/figures/distance.svg"));
    NodeList paths = parse(svg).getElementsByTagName("path");
    double area = 0;
    for (int i = 0; i < paths.getLength(); i++) {
      Matcher cell =
          Pattern.compile("M[\\d.]+ [\\d.]+h([\\d.]+)v([\\d.]+)h-[\\d.]+z")
              .matcher(((Element) paths.item(i)).getAttribute("d"));
      while (cell.find()) {
        area += Double.parseDouble(cell.group(1)) * Double.parseDouble(cell.group(2));
      }
    }
    double expected = 18 * 12.0 * (Figure.WIDTH - 6 - (8 + 0.62 * 9 * 4));
    assertEquals(expected, area, 0.01 * expected);
  }

  @ParameterizedTest
  @ValueSource(strings = {"digits", "hostile", "one", "long"})
  void nothingComesFromANetwork(String name) throws IOException {
    String page = page(name).replace("http://www.w3.org/2000/svg", "");
    for (String forbidden :
        List.of("http:", "https:", "//www", "src=", "@import", "url(", "fetch(", "XMLHttp")) {
      // In a text of the prompt the letters may stand, escaped; in markup they may not.
      assertEquals(
          -1, name.equals("hostile") && forbidden.equals("src=") ? -1 : page.indexOf(forbidden));
    }
    assertTrue(page.contains("Content-Security-Policy\" content=\"default-src 'none';"));
    for (String link : matches("href=\"([^\"]*)\"", page)) {
      assertTrue(link.startsWith("#"), link);
      assertTrue(page.contains("id=\"" + link.substring(1) + "\""), link);
    }
  }

  @Test
  void textOfAPromptStaysText() throws IOException {
    String page = page("hostile");
    assertEquals(1, matches("(<script)", page).size());
    assertEquals(0, matches("(<img)", page).size());
    assertTrue(page.contains("raven &lt;tiny&gt;"));
    assertTrue(page.contains(">&lt;<"));
    for (char character : page.toCharArray()) {
      assertTrue(character == '\n' || character >= 0x20 && (character < 0x7F || character >= 0xA0));
      assertTrue(character != '\u202e' && character != '\u2028');
    }
  }

  @Test
  void longPromptShowsTheSlowest() throws IOException {
    String page = page("long");
    assertEquals(5, matches("(<details class=\"token\")", page).size());
    assertTrue(page.contains("Shown are the 5 tokens that take longest"));
    assertTrue(page.contains("id=\"p240\""), "the last token is always shown");
  }

  /** Run where there is a browser; it counts as skipped elsewhere. */
  @ParameterizedTest
  @ValueSource(ints = {1280, 400})
  void browserDrawsEveryFigureAndAsksNobody(int width) throws Exception {
    Optional<Path> browser = Programs.chromium();
    assumeTrue(browser.isPresent(), "not run: found no Chromium");
    for (String name : List.of("digits", "hostile", "one", "long")) {
      Path probe = directory.resolve(name).resolve("probe" + width + ".html");
      // What the page looks like from inside, written into the page for --dump-dom to show.
      Files.writeString(
          probe,
          page(name)
              .replace(
                  "</body>",
                  """
                  <script>
                  addEventListener("load", () => {
                    const boxes = Array.from(document.querySelectorAll("figure svg"),
                      (svg) => { const b = svg.getBBox(), r = svg.getBoundingClientRect();
                        return b.width > 20 && b.height > 20 && r.width > 100 && r.height > 20; });
                    const own = performance.getEntriesByType("resource").length;
                    const overflow = document.documentElement.scrollWidth - innerWidth;
                    document.title = "PROBE " + boxes.filter((b) => b).length + " " + boxes.length
                      + " " + own + " " + overflow + " " + innerWidth;
                  });
                  </script>
                  </body>\
                  """));
      Path log = directory.resolve(name + width + ".json");
      Path output = directory.resolve(name + width + ".txt");
      Process process =
          new ProcessBuilder(
                  browser.get().toString(),
                  "--headless",
                  "--no-sandbox",
                  "--disable-gpu",
                  // A browser may have business of its own.
                  "--disable-background-networking",
                  "--disable-component-update",
                  "--no-first-run",
                  "--user-data-dir=" + directory.resolve("profile"),
                  "--window-size=" + width + ",900",
                  "--log-net-log=" + log,
                  "--virtual-time-budget=5000",
                  "--dump-dom",
                  probe.toUri().toString())
              .redirectOutput(output.toFile())
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start();
      assertTrue(process.waitFor(120, TimeUnit.SECONDS));
      List<String> probed = matches("<title>PROBE ([^<]*)</title>", Files.readString(output));
      assertEquals(1, probed.size(), name);
      String[] numbers = probed.getFirst().split(" ");
      assertEquals(numbers[1], numbers[0], name + ": figures drawn");
      assertTrue(Integer.parseInt(numbers[1]) >= 5);
      assertEquals("0", numbers[2], name + ": resources fetched");
      assertTrue(Integer.parseInt(numbers[3]) <= 0, name + " is wider than the window: " + probed);
      String page = page(name);
      // The browser's own business goes to hosts that the page does not name.
      assertEquals(
          List.of(),
          matches("\"url\":\"((?:http|ws|ftp)[^\"]*)\"", Files.readString(log)).stream()
              .filter(url -> page.contains(url.split("/")[2]))
              .toList());
    }
  }
}
