package dev.muninn.cli.trace;

import dev.muninn.cli.output.Units;
import dev.muninn.trace.PathIndependence;
import dev.muninn.trace.Readouts;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * Everything that a trace leaves in its directory: a page that needs nothing but itself, its
 * figures as files, and the numbers.
 */
public final class TraceReport {
  /** The file of the latent states. */
  public static final String LATENTS = "latents.safetensors";

  /** The page. */
  public static final String PAGE = "report.html";

  /** All that the directory may hold. */
  public static final Set<String> NAMES =
      Set.of(
          LATENTS,
          PAGE,
          "trace.json",
          "tokens.csv",
          "recurrences.csv",
          "planes.csv",
          "starts.csv",
          "figures");

  /** Rows of a position's table of readouts. */
  private static final int TABLE_ROWS = 64;

  private final TraceAnalysis analysis;
  private final List<TokenTrace> detailed;
  private final List<Figure> figures = new ArrayList<>();
  private final StringBuilder page = new StringBuilder();

  /**
   * @param detail most positions that have a trajectory and a table of their own
   */
  public TraceReport(TraceAnalysis analysis, int detail) {
    this.analysis = analysis;
    this.detailed = analysis.slowest(detail);
  }

  /** Writes all files but the latent states, which are there. */
  public void write(Path directory) throws IOException {
    new TraceTables(analysis).write(directory);
    new TraceJson(analysis).write(directory.resolve("trace.json"));
    Files.writeString(directory.resolve(PAGE), page());
    Path folder = Files.createDirectory(directory.resolve("figures"));
    for (Figure figure : figures) {
      Files.writeString(folder.resolve(figure.name() + ".svg"), figure.file());
    }
  }

  private String page() throws IOException {
    page.append("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n")
        .append("<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n")
        // The page itself says that it fetches nothing.
        .append("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none';")
        .append(" style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n")
        .append("<title>Trace of a thought</title>\n<style>\n")
        .append(resource("report.css"))
        .append("</style>\n</head>\n<body>\n");
    head();
    convergence();
    trajectories();
    analysis.pathIndependence().ifPresent(this::starts);
    tokens();
    page.append("</main>\n<script>\n")
        .append(resource("report.js"))
        .append("</script>\n</body>\n</html>\n");
    return page.toString();
  }

  private void head() {
    page.append("<header>\n<h1>Trace of a thought</h1>\n<p>")
        .append(escape(analysis.model()))
        .append(", ")
        .append(Units.count(analysis.tokens().size(), "token"))
        .append(", r = ")
        .append(analysis.recurrence())
        .append("</p>\n<nav aria-label=\"Sections\"><ul>\n")
        .append("<li><a href=\"#prompt\">Prompt</a></li>\n")
        .append("<li><a href=\"#convergence\">Convergence</a></li>\n")
        .append("<li><a href=\"#readout\">What it would say</a></li>\n")
        .append("<li><a href=\"#trajectories\">Trajectories</a></li>\n");
    if (analysis.pathIndependence().isPresent()) {
      page.append("<li><a href=\"#starts\">Path independence</a></li>\n");
    }
    page.append("<li><a href=\"#tokens\">Token by token</a></li>\n")
        .append("</ul></nav>\n</header>\n<main>\n");
    page.append("<section id=\"prompt\">\n<h2>Prompt</h2>\n<p class=\"prompt\">");
    for (TokenTrace token : analysis.tokens()) {
      double duration = analysis.duration(token);
      boolean linked = detailed.contains(token);
      page.append(linked ? "<a href=\"#p" + token.position() + "\"" : "<span")
          .append(" class=\"t ")
          .append(Ramp.bright(duration) ? "on-bright" : "on-dark")
          .append("\" style=\"background:")
          .append(Ramp.hex(duration))
          .append("\" title=\"position ")
          .append(token.position())
          .append(", ")
          .append(settled(token))
          .append("\">")
          .append(escape(token.text()))
          .append(linked ? "</a>" : "</span>")
          .append("<wbr>");
    }
    page.append("</p>\n<p>Dark tokens settled soon, the brightest last or not at all: ")
        .append(analysis.settledTokens())
        .append(" of ")
        .append(analysis.tokens().size())
        .append(" settled, which is a relative change of the latent state below ")
        .append(Units.significant(analysis.threshold()))
        .append(" at a recurrence and all later ones. Their trajectories: ")
        .append(
            analysis.kinds().entrySet().stream()
                .map(kind -> kind.getValue() + " " + kind.getKey().label())
                .collect(Collectors.joining(", ")))
        .append(".</p>\n</section>\n");
  }

  private void convergence() {
    int last = analysis.recurrence();
    List<TokenTrace> tokens = analysis.tokens();
    Readouts readouts = analysis.readouts();
    page.append("<section id=\"convergence\">\n<h2>Convergence</h2>\n");
    figure(
        new HeatMap(analysis, 0, last - 1, true, true)
            .draw(
                "distance",
                "Distance of each latent state to the last, by token and recurrence",
                "norm(s_i - s_r)",
                (position, i) -> tokens.get(position).convergence().distances()[i]),
        "Distance of each state s<sub>i</sub> to the last, s<sub>r</sub>. A dot marks where a"
            + " token settles.");
    figure(
        new HeatMap(analysis, 1, last, true, false)
            .draw(
                "change",
                "Relative change of the latent state, by token and recurrence",
                "relative change",
                (position, i) -> tokens.get(position).convergence().relativeChanges()[i]),
        "Relative change, norm(s<sub>i</sub> - s<sub>i-1</sub>) / norm(s<sub>i</sub>).");
    page.append("</section>\n<section id=\"readout\">\n<h2>What it would say</h2>\n");
    figure(
        ReadoutGrid.draw(analysis, detailed),
        "The likeliest next token behind each token, if the thought stopped there; the stronger"
            + " the shade, the more probable.");
    figure(
        new HeatMap(analysis, 1, last, false, false)
            .draw(
                "entropy",
                "Entropy of the next-token distribution, by token and recurrence",
                "entropy, nats",
                readouts::entropy),
        "Entropy of the next-token distribution.");
    if (last > 1) {
      figure(
          new HeatMap(analysis, 2, last, true, false)
              .draw(
                  "divergence",
                  "KL divergence between neighbouring recurrences, by token",
                  "KL, nats",
                  readouts::divergence),
          "KL divergence of the next-token distribution from that of the recurrence before.");
    }
    page.append("</section>\n");
  }

  private void trajectories() {
    page.append("<section id=\"trajectories\">\n<h2>Trajectories</h2>\n")
        .append("<p>Each token's states s<sub>0</sub> to s<sub>r</sub> in the planes of their own")
        .append(" principal components, from dark to bright; an open dot is the start, a full one")
        .append(" the end. ")
        .append(selection())
        .append("</p>\n<details class=\"rules\"><summary>How a trajectory gets its name")
        .append("</summary>\n<p>The first quarter of the recurrences is the way from the random")
        .append(" start; the rest is the tail. The first rule that holds decides.</p>\n<ol>\n");
    String kept = Units.significant(TrajectoryShape.KEPT);
    String bounds = kept + " to " + Units.significant(1 / TrajectoryShape.KEPT);
    String share = Units.significant(100 * TrajectoryShape.SHARE) + " %";
    item("Fewer than " + TrajectoryShape.LEAST_RECURRENCES + " recurrences: unclear.");
    item(
        "Contraction (the spread of the last quarter over that of the first) below "
            + Units.significant(TrajectoryShape.REST)
            + ": fixed point.");
    item(
        "A plane that holds at least "
            + share
            + " of the tail's variance, in which it turns at least once, keeps its sense (coherence"
            + " at least "
            + Units.significant(TrajectoryShape.COHERENT)
            + ") and its radius (second half over first "
            + bounds
            + "), while a drift as the next rule has it explains no more than the rest: orbit.");
    item(
        "A straight line at constant speed that explains at least "
            + share
            + " of the tail's variance and keeps direction (cosine of the halves at least "
            + kept
            + ") and speed (second half over first "
            + bounds
            + "): slider.");
    item("A tail that keeps drifting and turning, together at least " + share + ": unclear.");
    item(
        "Contraction below "
            + Units.significant(TrajectoryShape.CONTRACTED)
            + ": fixed point; else unclear.");
    page.append("</ol>\n</details>\n<div class=\"planes\">\n");
    for (TokenTrace token : detailed) {
      figure(
          TrajectoryPlanes.draw(token),
          "<a href=\"#p"
              + token.position()
              + "\">"
              + token.position()
              + " <span class=\"t\">"
              + escape(token.text())
              + "</span></a>: "
              + token.shape().kind().label()
              + ", "
              + settled(token));
    }
    page.append("</div>\n</section>\n");
  }

  private void item(String text) {
    page.append("<li>").append(escape(text)).append("</li>\n");
  }

  private String selection() {
    return detailed.size() == analysis.tokens().size()
        ? ""
        : "Shown are the "
            + detailed.size()
            + " tokens that take longest, the last one among them; the tables have all "
            + analysis.tokens().size()
            + ".";
  }

  private void starts(PathIndependence independence) {
    page.append("<section id=\"starts\">\n<h2>Path independence</h2>\n<p>")
        .append(independence.starts())
        .append(" thoughts began at different random states. Distances are root mean squares over")
        .append(" pairs of ends s<sub>r</sub>; the divergence is that of the ")
        .append(independence.starts())
        .append(" next-token distributions (Jensen-Shannon, at most ")
        .append(Units.significant(Math.log(independence.starts())))
        .append(" nats). ")
        .append(selection())
        .append("</p>\n");
    figure(
        StartsPlot.draw(independence, detailed),
        "Where the filled dot is far left of the open one, the end does not depend on the start.");
    beginTable("Distances and divergences by token");
    header("Position", "Token", "Between starts", "Between tokens", "Divergence", "Agreement");
    for (TokenTrace token : detailed) {
      int position = token.position();
      row(
          Integer.toString(position),
          code(token.text()),
          Units.significant(independence.startDistance(position)),
          Units.significant(independence.tokenDistance(position)),
          Units.significant(independence.divergence(position)),
          Units.format("%.0f %%", 100 * independence.agreement(position)));
    }
    endTable();
    page.append("</section>\n");
  }

  private void tokens() {
    page.append("<section id=\"tokens\">\n<h2>Token by token</h2>\n<p>")
        .append(selection())
        .append("</p>\n");
    beginTable("All measures by token");
    header(
        "Position",
        "Token",
        "Settled at",
        "Trajectory",
        "Contraction",
        "Turns",
        "Coherence",
        "Plane's share",
        "Drift's share",
        "Says at the end");
    Readouts readouts = analysis.readouts();
    int last = analysis.recurrence();
    for (TokenTrace token : detailed) {
      TrajectoryShape shape = token.shape();
      int position = token.position();
      row(
          "<a href=\"#p" + position + "\">" + position + "</a>",
          code(token.text()),
          token.settled().isPresent() ? Integer.toString(token.settled().getAsInt()) : "not",
          shape.kind().label(),
          Units.significant(shape.contraction()),
          Units.significant(shape.rotation().turns()),
          Units.significant(shape.rotation().coherence()),
          Units.significant(shape.rotation().share()),
          Units.significant(shape.drift().share()),
          code(analysis.texts().of(readouts.token(position, last, 0)))
              + Units.format(" %.1f %%", 100 * readouts.probability(position, last, 0)));
    }
    endTable();
    page.append("<p><button type=\"button\" id=\"all\" hidden>Open all</button></p>\n");
    for (TokenTrace token : detailed) {
      tokenTable(token);
    }
    page.append("</section>\n");
  }

  private void tokenTable(TokenTrace token) {
    int position = token.position();
    Readouts readouts = analysis.readouts();
    page.append("<details class=\"token\" id=\"p")
        .append(position)
        .append("\"><summary>")
        .append(position)
        .append(" <span class=\"t\">")
        .append(escape(token.text()))
        .append("</span>: ")
        .append(token.shape().kind().label())
        .append(", ")
        .append(settled(token))
        .append("</summary>\n");
    beginTable("Position " + position + " by recurrence");
    header("Recurrence", "Distance", "Change", "Entropy", "KL", "Would say");
    for (int i : Recurrences.even(analysis.recurrence(), TABLE_ROWS)) {
      StringBuilder top = new StringBuilder();
      for (int rank = 0; rank < readouts.topTokens(); rank++) {
        top.append(rank == 0 ? "" : " ")
            .append("<span class=\"say\">")
            .append(code(analysis.texts().of(readouts.token(position, i, rank))))
            .append(Units.format(" %.1f", 100 * readouts.probability(position, i, rank)))
            .append("</span>");
      }
      row(
          Integer.toString(i),
          Units.significant(token.convergence().distances()[i]),
          Units.significant(token.convergence().relativeChanges()[i]),
          Units.significant(readouts.entropy(position, i)),
          Units.significant(readouts.divergence(position, i)),
          top.toString());
    }
    endTable();
    page.append("</details>\n");
  }

  private String settled(TokenTrace token) {
    return token.settled().isPresent() ? "settled at " + token.settled().getAsInt() : "not settled";
  }

  private void figure(Figure figure, String caption) {
    figures.add(figure);
    page.append("<figure>\n")
        .append(figure.inline())
        .append("\n<figcaption>")
        .append(caption)
        .append("</figcaption>\n</figure>\n");
  }

  /** A region of its own, so that a wide table scrolls by keyboard too. */
  private void beginTable(String name) {
    page.append("<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"")
        .append(escape(name))
        .append("\">\n<table>\n");
  }

  private void header(String... names) {
    cells("th scope=\"col\"", "th", names, Markup::escape);
  }

  /** Cells are markup already. */
  private void row(String... cells) {
    cells("td", "td", cells, Function.identity());
  }

  private void cells(String open, String close, String[] cells, Function<String, String> content) {
    page.append("<tr>");
    for (String cell : cells) {
      page.append('<')
          .append(open)
          .append('>')
          .append(content.apply(cell))
          .append("</")
          .append(close)
          .append('>');
    }
    page.append("</tr>\n");
  }

  private void endTable() {
    page.append("</table>\n</div>\n");
  }

  private static String code(String text) {
    return "<span class=\"t\">" + escape(text) + "</span>";
  }

  private static String escape(String text) {
    return Markup.escape(text);
  }

  private static String resource(String name) throws IOException {
    try (InputStream stream = TraceReport.class.getResourceAsStream(name);
        BufferedReader reader =
            new BufferedReader(new InputStreamReader(stream, StandardCharsets.UTF_8))) {
      return reader.lines().collect(Collectors.joining("\n", "", "\n"));
    }
  }
}
