package dev.muninn.cli.train;

import dev.muninn.cli.help.HelpHeading;
import dev.muninn.cli.options.NumberConverters;
import dev.muninn.cli.options.UsageException;
import dev.muninn.cli.output.Units;
import dev.muninn.cli.terminal.Printable;
import dev.muninn.text.Tokenizer;
import dev.muninn.train.data.TaskData;
import dev.muninn.train.data.TextData;
import dev.muninn.train.data.TrainingData;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;

/** Options for the training data. */
@HelpHeading("Data")
final class DataOptions {
  @Option(
      names = "--data",
      paramLabel = "FILE",
      description =
          "A text, or .jsonl with text or with prompt and completion; only the completion is"
              + " learnt.")
  private Path file;

  @Option(
      names = "--task",
      paramLabel = "NAME",
      converter = Task.class,
      description =
          "Generated problems: check-digits, sums, mix, or chat-mix, which also asks in conversations"
              + " (default without --data: mix).")
  private TaskData.Kind task;

  @Option(
      names = "--digits",
      paramLabel = "N",
      converter = NumberConverters.AtLeastTwo.class,
      description = "Most digits of a check digit's string (default: 20).")
  private Integer digits;

  @Option(
      names = "--operands",
      paramLabel = "N",
      converter = NumberConverters.AtLeastTwo.class,
      description = "Most numbers of a sum (default: 3).")
  private Integer operands;

  @Option(
      names = "--length",
      paramLabel = "N",
      converter = NumberConverters.AtLeastTwo.class,
      description = "Tokens of a sequence (default: " + Preset.LENGTH + ").")
  private int length = Preset.LENGTH;

  @Option(
      names = "--batch",
      paramLabel = "N",
      converter = NumberConverters.Positive.class,
      description = "Sequences of a batch (default: " + Preset.BATCH + ").")
  private int batch = Preset.BATCH;

  @Option(
      names = "--validation",
      paramLabel = "SHARE",
      converter = NumberConverters.ProbabilityAboveZero.class,
      description = "Share of --data that is held out (default: 0.05).")
  private Float validation;

  int length() {
    return length;
  }

  /** Refuses options that do not go together. */
  void requireConsistent(boolean init) {
    boolean problems = digits != null || operands != null;
    if (file != null && (task != null || problems)) {
      throw new UsageException("--data excludes --task, --digits and --operands");
    }
    if (file == null && validation != null) {
      throw new UsageException("--validation needs --data");
    }
    if (validation != null && validation == 1) {
      throw new UsageException("--validation: expected a share below 1, not '1'");
    }
    if (init && file == null && task == null) {
      throw new UsageException("--init needs --data or --task");
    }
  }

  TrainingData open(Tokenizer tokenizer, long seed) {
    if (file != null) {
      float share = validation == null ? Preset.VALIDATION_SHARE : validation;
      return new TextData(file, tokenizer, batch, length, share, seed);
    }
    return new TaskData(
        task == null ? TaskData.Kind.MIX : task,
        tokenizer,
        batch,
        length,
        digits == null ? Preset.DIGITS : digits,
        operands == null ? Preset.OPERANDS : operands,
        seed);
  }

  /** What was read, for people: a file that was read as another kind shows by its numbers. */
  Optional<String> summary(TrainingData data) {
    return data instanceof TextData text
        ? Optional.of(
            "read %s from %s: %s of at most %d tokens to learn"
                .formatted(
                    Units.count(text.documents(), "document"),
                    Printable.line(file.toString()),
                    Units.count(text.sequences(), "sequence"),
                    length))
        : Optional.empty();
  }

  /** The name of a task. */
  static final class Task implements ITypeConverter<TaskData.Kind> {
    @Override
    public TaskData.Kind convert(String value) {
      for (TaskData.Kind kind : TaskData.Kind.values()) {
        if (kind.name().toLowerCase(Locale.ROOT).replace('_', '-').equals(value)) {
          return kind;
        }
      }
      throw NumberConverters.expected("check-digits, sums, mix or chat-mix", value);
    }
  }
}
