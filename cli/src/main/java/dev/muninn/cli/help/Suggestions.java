package dev.muninn.cli.help;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.Model.CommandSpec;

/** The option that was probably meant by an unknown one. */
public final class Suggestions {
  /** Names that other programs have for options of ours, without dashes at their beginning. */
  private static final Map<String, String> ELSEWHERE =
      Map.ofEntries(
          Map.entry("max-new-tokens", "--max-tokens"),
          Map.entry("max-completion-tokens", "--max-tokens"),
          Map.entry("max-gen-tokens", "--max-tokens"),
          Map.entry("max-length", "--max-tokens"),
          Map.entry("n-predict", "--max-tokens"),
          Map.entry("num-predict", "--max-tokens"),
          Map.entry("predict", "--max-tokens"),
          Map.entry("tokens", "--max-tokens"),
          Map.entry("temp", "--temperature"),
          Map.entry("ctx-size", "--context"),
          Map.entry("ctx-len", "--context"),
          Map.entry("context-size", "--context"),
          Map.entry("context-length", "--context"),
          Map.entry("max-seq-len", "--context"),
          Map.entry("max-model-len", "--context"),
          Map.entry("n-ctx", "--context"),
          Map.entry("num-ctx", "--context"),
          Map.entry("repeat-penalty", "--repetition-penalty"),
          Map.entry("file", "--prompt-file"),
          Map.entry("text", "--prompt"),
          Map.entry("input", "--prompt"),
          Map.entry("model-path", "--model"),
          Map.entry("model-dir", "--model"),
          Map.entry("model-name-or-path", "--model"),
          Map.entry("checkpoint", "--model"),
          Map.entry("num-threads", "--threads"),
          Map.entry("n-threads", "--threads"),
          Map.entry("nthreads", "--threads"),
          Map.entry("num-steps", "--recurrence"),
          Map.entry("steps", "--recurrence"),
          Map.entry("loops", "--recurrence"),
          Map.entry("num-loops", "--recurrence"),
          Map.entry("depth", "--recurrence"),
          Map.entry("iterations", "--recurrence"),
          Map.entry("recurrences", "--recurrence"),
          Map.entry("random-seed", "--seed"),
          Map.entry("rng-seed", "--seed"),
          Map.entry("batch-size", "--batch"),
          Map.entry("stop-sequence", "--stop"),
          Map.entry("stop-sequences", "--stop"),
          Map.entry("reverse-prompt", "--stop"),
          Map.entry("system-prompt", "--system"),
          Map.entry("draft-max", "--lookahead"),
          Map.entry("num-speculative-tokens", "--lookahead"),
          Map.entry("cache-type", "--kv-type"),
          Map.entry("cache-type-k", "--kv-type"),
          Map.entry("output", "--out"),
          Map.entry("output-dir", "--out"),
          Map.entry("dataset", "--data"),
          Map.entry("train-file", "--data"),
          Map.entry("max-steps", "--steps"),
          Map.entry("lr", "--learning-rate"),
          Map.entry("save-steps", "--save-every"),
          Map.entry("num-fewshot", "--shots"),
          Map.entry("num-shots", "--shots"),
          Map.entry("tasks", "--task"),
          Map.entry("debug", "--verbose"));

  private Suggestions() {}

  /**
   * The option or command that was meant.
   *
   * @param typed what there is not, perhaps with = and a value
   * @param nearest what is spelt alike, the nearest first
   */
  public static Optional<String> of(CommandSpec command, String typed, List<String> nearest) {
    int equals = typed.indexOf('=');
    String name = equals < 0 ? typed : typed.substring(0, equals);
    if (name.startsWith("-")) {
      String plain = name.replaceFirst("^-+", "").replace('_', '-').toLowerCase(Locale.ROOT);
      String same = "--" + plain;
      if (command.findOption(same) != null) {
        return Optional.of(same);
      }
      String ours = ELSEWHERE.get(plain);
      if (ours != null && command.findOption(ours) != null) {
        return Optional.of(ours);
      }
    }
    return nearest.stream().filter(candidate -> isAlike(name, candidate)).findFirst();
  }

  /** Whether a third of the letters or less is wrong. */
  private static boolean isAlike(String typed, String candidate) {
    return distance(typed, candidate) * 3 <= Math.max(typed.length(), candidate.length());
  }

  /** Letters that must be put in, left out or changed to make one of the other. */
  private static int distance(String one, String other) {
    int[] row = new int[other.length() + 1];
    for (int j = 0; j < row.length; j++) {
      row[j] = j;
    }
    for (int i = 1; i <= one.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j < row.length; j++) {
        int changed = diagonal + (one.charAt(i - 1) == other.charAt(j - 1) ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(changed, Math.min(row[j], row[j - 1]) + 1);
      }
    }
    return row[other.length()];
  }
}
