package dev.muninn.cli.options;

import dev.muninn.serve.GenerationRequest;
import picocli.CommandLine.Option;

/** How long the model thinks about a token, and where its thought begins. */
public final class DepthOptions extends StateOptions {
  @Option(
      names = {"-r", "--recurrence"},
      paramLabel = "N",
      converter = NumberConverters.Positive.class,
      description = "Recurrences (default: the training's mean).")
  private int recurrence = GenerationRequest.MODEL_DEFAULT;

  public int recurrence() {
    return recurrence;
  }
}
