package dev.muninn.cli.trace;

import dev.muninn.trace.PathIndependence;
import dev.muninn.trace.Readouts;
import dev.muninn.weights.Csv;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/** The numbers of a trace as comma-separated values (RFC 4180), with a line of names. */
final class TraceTables {
  private final TraceAnalysis analysis;

  TraceTables(TraceAnalysis analysis) {
    this.analysis = analysis;
  }

  /** Writes all tables into a directory. */
  void write(Path directory) throws IOException {
    writeTokens(directory.resolve("tokens.csv"));
    writeRecurrences(directory.resolve("recurrences.csv"));
    writePlanes(directory.resolve("planes.csv"));
    if (analysis.pathIndependence().isPresent()) {
      writeStarts(directory.resolve("starts.csv"), analysis.pathIndependence().get());
    }
  }

  private void writeTokens(Path file) throws IOException {
    try (BufferedWriter out = Files.newBufferedWriter(file)) {
      line(
          out,
          "position",
          "token",
          "text",
          "settled",
          "kind",
          "contraction",
          "plane",
          "plane_share",
          "turns",
          "coherence",
          "radius_ratio",
          "drift_share",
          "speed_ratio",
          "direction_cosine");
      for (TokenTrace token : analysis.tokens()) {
        TrajectoryShape shape = token.shape();
        TrajectoryShape.Rotation rotation = shape.rotation();
        TrajectoryShape.Drift drift = shape.drift();
        line(
            out,
            token.position(),
            token.token(),
            token.text(),
            token.settled().isPresent() ? token.settled().getAsInt() : "",
            shape.kind().label(),
            shape.contraction(),
            rotation.plane().first() + "-" + rotation.plane().second(),
            rotation.share(),
            rotation.turns(),
            rotation.coherence(),
            rotation.radiusRatio(),
            drift.share(),
            drift.speedRatio(),
            drift.directionCosine());
      }
    }
  }

  private void writeRecurrences(Path file) throws IOException {
    Readouts readouts = analysis.readouts();
    try (BufferedWriter out = Files.newBufferedWriter(file)) {
      out.write("position,recurrence,distance,relative_change,entropy,kl");
      for (int rank = 1; rank <= readouts.topTokens(); rank++) {
        out.write(",token_" + rank + ",text_" + rank + ",probability_" + rank);
      }
      out.write("\r\n");
      for (TokenTrace token : analysis.tokens()) {
        for (int i = 0; i <= analysis.recurrence(); i++) {
          Object[] fields = new Object[6 + 3 * readouts.topTokens()];
          Arrays.fill(fields, "");
          int position = token.position();
          fields[0] = position;
          fields[1] = i;
          fields[2] = token.convergence().distances()[i];
          fields[3] = token.convergence().relativeChanges()[i];
          if (i > 0) {
            fields[4] = readouts.entropy(position, i);
            fields[5] = readouts.divergence(position, i);
            for (int rank = 0; rank < readouts.topTokens(); rank++) {
              int next = readouts.token(position, i, rank);
              fields[6 + 3 * rank] = next;
              fields[7 + 3 * rank] = analysis.texts().of(next);
              fields[8 + 3 * rank] = readouts.probability(position, i, rank);
            }
          }
          line(out, fields);
        }
      }
    }
  }

  private void writePlanes(Path file) throws IOException {
    try (BufferedWriter out = Files.newBufferedWriter(file)) {
      line(out, "position", "recurrence", "pc1", "pc2", "pc3", "pc4", "pc5", "pc6");
      for (TokenTrace token : analysis.tokens()) {
        for (int i = 0; i <= analysis.recurrence(); i++) {
          double[] point = token.components()[i];
          line(
              out, token.position(), i, point[0], point[1], point[2], point[3], point[4], point[5]);
        }
      }
    }
  }

  private void writeStarts(Path file, PathIndependence independence) throws IOException {
    try (BufferedWriter out = Files.newBufferedWriter(file)) {
      line(
          out,
          "position",
          "token",
          "text",
          "distance_between_starts",
          "distance_between_tokens",
          "jensen_shannon",
          "agreement");
      for (TokenTrace token : analysis.tokens()) {
        int position = token.position();
        line(
            out,
            position,
            token.token(),
            token.text(),
            independence.startDistance(position),
            independence.tokenDistance(position),
            independence.divergence(position),
            independence.agreement(position));
      }
    }
  }

  private static void line(Writer out, Object... fields) throws IOException {
    for (int i = 0; i < fields.length; i++) {
      out.write(i == 0 ? "" : ",");
      out.write(field(fields[i]));
    }
    out.write("\r\n");
  }

  /** Quoted where it has to be; a number that is none is left out. */
  private static String field(Object value) {
    if (value instanceof Double number) {
      return Double.isFinite(number) ? Float.toString(number.floatValue()) : "";
    }
    return Csv.cell(value);
  }
}
