package dev.muninn.cli.quantize;

import dev.muninn.cli.help.HelpHeading;
import dev.muninn.cli.options.UsageException;
import dev.muninn.model.WeightFormat;
import dev.muninn.prepare.Calibration;
import dev.muninn.prepare.Recipe;
import dev.muninn.text.StopTokens;
import dev.muninn.text.Tokenizer;
import dev.muninn.weights.InputFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.CancellationException;
import java.util.function.BooleanSupplier;
import picocli.CommandLine.Option;

/** On what text the inputs of matrices are looked at before their weights are rounded. */
@HelpHeading("Rounding")
final class CalibrationOptions {
  private static final String OWN = "own";
  private static final String NONE = "none";

  /** Of a text: more than its first tokens, which are looked at, take. */
  private static final int MOST_BYTES = 1 << 20;

  @Option(
      names = "--calibrate",
      paramLabel = "TEXT",
      description = {
        "Look at what matrices are multiplied with, and round to 8 and 4 bits so that their outputs"
            + " change little. TEXT is a file, its first 2048 tokens; own, for what the model writes"
            + " itself; or none (default: own if that takes seconds, else none)."
      })
  private String text;

  /** Whether a recipe has weights of fewer bits. */
  static boolean rounds(Recipe recipe) {
    return recipe.formats().containsValue(WeightFormat.Q8)
        || recipe.formats().containsValue(WeightFormat.Q4);
  }

  /** Reads the text, so that a file that cannot be read is refused before the work begins. */
  String text(Recipe recipe) throws IOException {
    boolean rounds = rounds(recipe);
    if (!rounds && text != null) {
      throw new UsageException("--calibrate needs weights of 8 or 4 bits");
    }
    if (!rounds) {
      return NONE;
    }
    if (text == null || text.equals(OWN) || text.equals(NONE)) {
      return text;
    }
    String read = InputFile.beginning(Path.of(text), MOST_BYTES);
    if (read.isEmpty()) {
      throw new UsageException("--calibrate: " + text + " is empty, expected a text");
    }
    return read;
  }

  /**
   * Looks at a model.
   *
   * @param text from {@link #text(Recipe)}
   * @return what was seen; null if nothing was to be looked at
   * @throws CancellationException if it was cancelled
   */
  static Calibration calibrate(Path source, String text, BooleanSupplier cancelled) {
    if (NONE.equals(text)) {
      return null;
    }
    Calibration calibration = Calibration.open(source);
    try {
      if (text == null && !(Tokenizer.exists(source) && calibration.writesQuickly())) {
        calibration.close();
        return null;
      }
      if (!look(calibration, source, text, cancelled)) {
        throw new CancellationException("interrupted");
      }
      return calibration;
    } catch (RuntimeException | Error problem) {
      calibration.close();
      throw problem;
    }
  }

  private static boolean look(
      Calibration calibration, Path source, String text, BooleanSupplier cancelled) {
    int vocabulary = calibration.model().vocabularySize();
    if (!Tokenizer.exists(source)) {
      throw new UsageException("--calibrate: " + source + " has no tokenizer.json");
    }
    try (Tokenizer tokenizer = Tokenizer.load(source, vocabulary)) {
      if (text != null && !text.equals(OWN)) {
        return calibration.read(tokenizer.encode(text), cancelled);
      }
      int[] start = tokenizer.encode("");
      StopTokens end = StopTokens.load(source, tokenizer, vocabulary);
      return calibration.write(start.length == 0 ? new int[1] : start, end::contains, cancelled);
    }
  }
}
