package dev.muninn.cli.options;

import dev.muninn.cli.help.HelpHeading;
import dev.muninn.serve.GenerationRequest;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Option;

/** Where an answer ends. */
@HelpHeading("Length")
public final class LengthOptions {
  @Option(
      names = {"-n", "--max-tokens"},
      paramLabel = "N",
      converter = NumberConverters.Positive.class,
      description = "Most tokens to generate (default: 128).")
  private int maxTokens = 128;

  @Option(
      names = "--stop",
      paramLabel = "TEXT",
      description = "End before this text; may be repeated.")
  private List<String> stops = new ArrayList<>();

  @Option(names = "--ignore-eos", description = "Continue after an end-of-sequence token.")
  private boolean ignoreEndOfSequence;

  @Option(
      names = "--context",
      paramLabel = "N",
      converter = NumberConverters.Positive.class,
      description = "Positions to reserve (default: as needed).")
  private int contextLength = GenerationRequest.MODEL_DEFAULT;

  /** Gives a request its limits. */
  public GenerationRequest.Builder limit(GenerationRequest.Builder request) {
    return request
        .maxTokens(maxTokens)
        .stop(stops.toArray(String[]::new))
        .ignoreEndOfSequence(ignoreEndOfSequence)
        .contextLength(contextLength);
  }

  /** Most tokens of an answer. */
  public int maxTokens() {
    return maxTokens;
  }
}
