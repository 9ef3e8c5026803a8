package dev.muninn.spark;

import dev.muninn.cli.help.HelpHeading;
import dev.muninn.cli.options.NumberConverters;
import picocli.CommandLine.Option;

/** How rows become requests, and results columns. */
@HelpHeading("Rows")
final class RowOptions {
  private static final int DEFAULT_BATCH = 8;

  @Option(
      names = "--batch",
      paramLabel = "N",
      converter = NumberConverters.Positive.class,
      description = "Most rows in flight on an executor (default: 8).")
  private int batchSize = DEFAULT_BATCH;

  @Option(
      names = "--id",
      paramLabel = "COLUMN",
      description = "Column that names a row; its sampling seed derives from it (default: id).")
  private String idColumn = "id";

  @Option(
      names = "--prefix",
      paramLabel = "TEXT",
      description = "Prefix for the names of added columns.")
  private String prefix = "";

  @Option(
      names = "--max-errors",
      paramLabel = "X",
      converter = NumberConverters.Probability.class,
      description =
          "Largest share of bad rows. All rows are checked before anything is computed; 1 does"
              + " without the check (default: 0.1; in a program, 1).")
  private Float maxErrors;

  int batchSize() {
    return batchSize;
  }

  String idColumn() {
    return idColumn;
  }

  String prefix() {
    return prefix;
  }

  /** The largest share of bad rows. */
  double maxErrors(double otherwise) {
    return maxErrors == null ? otherwise : Double.parseDouble(maxErrors.toString());
  }
}
