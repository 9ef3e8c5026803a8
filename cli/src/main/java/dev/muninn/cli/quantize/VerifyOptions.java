package dev.muninn.cli.quantize;

import dev.muninn.LoadOptions;
import dev.muninn.cli.help.HelpHeading;
import dev.muninn.cli.options.UsageException;
import dev.muninn.decode.Cancellation;
import dev.muninn.prepare.Verification;
import dev.muninn.prepare.Verification.Divergence;
import dev.muninn.prepare.Verification.TensorError;
import dev.muninn.text.Tokenizer;
import dev.muninn.weights.InputFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.TreeSet;
import picocli.CommandLine.Option;

/** Whether and how the result is compared with the model that it was made from. */
@HelpHeading("Comparison")
final class VerifyOptions {
  private static final int MOST_TOKENS = 128;

  /** Of the text: more than so many tokens take. */
  private static final int MOST_BYTES = 1 << 16;

  private static final List<Integer> RECURRENCES = List.of(1, 4, 8, 16);
  private static final String TEXT =
      "The old man looked at the sea and said nothing for a while. Then he turned to the boy, who"
          + " had asked him twice already, and began to explain how the tide would carry the boat"
          + " past the island before the sun went down. In 1852 the harbour had 17 ships.";

  @Option(
      names = "--verify",
      description =
          "Then compare both models: the error of each tensor's weights, and how far next-token"
              + " distributions are apart, by recurrences.")
  private boolean verify;

  @Option(
      names = "--verify-text",
      paramLabel = "FILE",
      description = "The text to compare them on, its first 128 tokens (default: a paragraph).")
  private Path file;

  /**
   * What a comparison found.
   *
   * @param errors of tensors
   * @param divergences by recurrences
   */
  record Findings(List<TensorError> errors, List<Divergence> divergences) {
    static final Findings NONE = new Findings(List.of(), List.of());
  }

  void requireConsistent() {
    if (file != null && !verify) {
      throw new UsageException("--verify-text needs --verify");
    }
  }

  /** Reads the text, so that a file that cannot be read is refused before the work is done. */
  String text() throws IOException {
    return file == null ? TEXT : InputFile.beginning(file, MOST_BYTES);
  }

  Findings compare(Path source, Path prepared, String text, Cancellation cancellation) {
    if (!verify) {
      return Findings.NONE;
    }
    try (Verification verification = Verification.open(source, prepared)) {
      TreeSet<Integer> recurrences = new TreeSet<>(RECURRENCES);
      int usual = verification.model().defaultRecurrence();
      recurrences.removeIf(recurrence -> recurrence > usual);
      recurrences.add(usual);
      return new Findings(
          verification.errors(),
          verification.divergences(
              tokens(source, verification, text),
              List.copyOf(recurrences),
              LoadOptions.defaults().threads(),
              cancellation::isCancelled));
    }
  }

  private static int[] tokens(Path source, Verification verification, String text) {
    int vocabulary = verification.model().vocabularySize();
    int most = Math.min(MOST_TOKENS, verification.model().contextLength());
    if (!Tokenizer.exists(source)) {
      return new SplittableRandom(0).ints(most, 0, vocabulary).toArray();
    }
    try (Tokenizer tokenizer = Tokenizer.load(source, vocabulary)) {
      int[] tokens = tokenizer.encode(text);
      if (tokens.length == 0) {
        throw new UsageException("--verify-text: the text has no tokens");
      }
      return Arrays.copyOf(tokens, Math.min(most, tokens.length));
    }
  }
}
