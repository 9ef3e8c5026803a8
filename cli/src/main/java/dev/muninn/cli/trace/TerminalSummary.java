package dev.muninn.cli.trace;

import dev.muninn.cli.output.Units;
import dev.muninn.trace.PathIndependence;
import dev.muninn.trace.Readouts;
import java.util.List;
import java.util.stream.Collectors;

/** A trace in a few lines of a terminal. */
public final class TerminalSummary {
  private static final int MOST_TOKENS = 40;
  private static final int TEXT_WIDTH = 12;
  private static final String RESET = "\u001b[0m";

  private final TraceAnalysis analysis;
  private final boolean colour;

  /**
   * @param colour whether tokens are coloured by how long they took
   */
  public TerminalSummary(TraceAnalysis analysis, boolean colour) {
    this.analysis = analysis;
    this.colour = colour;
  }

  /** The lines, each ended. */
  public String lines() {
    StringBuilder lines = new StringBuilder();
    for (TokenTrace token : analysis.tokens()) {
      lines.append(painted(token, token.text()));
    }
    lines.append("\n\n");
    if (colour) {
      lines.append("settled at ");
      for (int i : Recurrences.growing(Math.min(analysis.longest(), analysis.recurrence()), 8)) {
        lines.append(painted(analysis.duration(i), " " + i + " "));
      }
      if (analysis.longest() > analysis.recurrence()) {
        lines.append(painted(1, " not "));
      }
      lines.append("\n\n");
    }
    List<TokenTrace> shown = analysis.slowest(MOST_TOKENS);
    lines.append(
        Units.format(
            "%8s  %-" + TEXT_WIDTH + "s  %7s  %-11s  %s\n",
            "position",
            "token",
            "settled",
            "trajectory",
            "would say at the end"));
    Readouts readouts = analysis.readouts();
    int last = analysis.recurrence();
    for (TokenTrace token : shown) {
      String text = TokenTexts.cut(token.text(), TEXT_WIDTH);
      int width = text.codePointCount(0, text.length());
      lines.append(
          Units.format(
              "%8d  %s%s  %7s  %-11s  %s %.1f %%\n",
              token.position(),
              painted(token, text),
              " ".repeat(TEXT_WIDTH - width),
              token.settled().isPresent() ? Integer.toString(token.settled().getAsInt()) : "not",
              token.shape().kind().label(),
              analysis.texts().of(readouts.token(token.position(), last, 0)),
              100 * readouts.probability(token.position(), last, 0)));
    }
    if (shown.size() < analysis.tokens().size()) {
      lines.append(
          Units.format(
              "The %d that take longest, of %,d.\n", shown.size(), analysis.tokens().size()));
    }
    lines.append(
        Units.format(
            "\n%d of %s settled within %s; %s\n",
            analysis.settledTokens(),
            Units.count(analysis.tokens().size(), "token"),
            Units.count(last, "recurrence"),
            analysis.kinds().entrySet().stream()
                .map(kind -> kind.getValue() + " " + kind.getKey().label())
                .collect(Collectors.joining(", "))));
    analysis.pathIndependence().ifPresent(independence -> lines.append(starts(independence)));
    return lines.toString();
  }

  private String starts(PathIndependence independence) {
    int count = analysis.tokens().size();
    double starts = 0;
    double tokens = 0;
    double divergence = 0;
    for (int position = 0; position < count; position++) {
      starts += independence.startDistance(position) / count;
      tokens += independence.tokenDistance(position) / count;
      divergence = Math.max(divergence, independence.divergence(position));
    }
    return Units.format(
        "%d starts: ends %s apart, different tokens %s; next-token distributions differ by at most"
            + " %s nats\n",
        independence.starts(),
        Units.significant(starts),
        Units.significant(tokens),
        Units.significant(divergence));
  }

  private String painted(TokenTrace token, String text) {
    return painted(analysis.duration(token), text);
  }

  private String painted(double duration, String text) {
    if (!colour) {
      return text;
    }
    int[] back = Ramp.colour(duration);
    int front = Ramp.bright(duration) ? 16 : 231;
    return Units.format(
        "\u001b[38;5;%d;48;2;%d;%d;%dm%s%s", front, back[0], back[1], back[2], text, RESET);
  }
}
