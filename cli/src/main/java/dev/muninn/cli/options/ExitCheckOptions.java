package dev.muninn.cli.options;

import dev.muninn.cli.help.HelpHeading;
import dev.muninn.decode.ExitCriteria;
import dev.muninn.decode.ExitOptions;
import java.util.Optional;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;

/** When a criterion is looked at, whichever it is. */
@HelpHeading("Early exits")
public abstract class ExitCheckOptions {
  /** The name that stands for no criterion. */
  public static final String NONE = "none";

  @Option(
      names = "--min-recurrence",
      paramLabel = "N",
      converter = NumberConverters.Positive.class,
      description = "Recurrences before the first check (default: 1).")
  private Integer minimumRecurrence;

  @Option(
      names = "--exit-every",
      paramLabel = "N",
      converter = NumberConverters.Positive.class,
      description = "Recurrences from check to check (default: 1).")
  private Integer every;

  @Option(names = "--no-exit-in-prefill", description = "Give the prompt all recurrences.")
  private boolean notInPrefill;

  @Option(
      names = "--prefill-exit",
      paramLabel = "group|row",
      converter = PrefillConverter.class,
      description = "Prompt rows exit together or alone (default: group; in a chat, row).")
  private ExitOptions.Prefill prefill;

  /** Refuses options that need a criterion. */
  protected final void requireNoChecks() {
    refuseWithoutExit("--min-recurrence", minimumRecurrence != null);
    refuseWithoutExit("--exit-every", every != null);
    refuseWithoutExit("--no-exit-in-prefill", notInPrefill);
    refuseWithoutExit("--prefill-exit", prefill != null);
  }

  /**
   * A criterion and what the options say of it.
   *
   * @param exit the criterion's name and threshold, or {@link #NONE}
   */
  protected final ExitOptions exitOptions(String exit) {
    return exitOptions(exit, ExitOptions.Prefill.GROUP);
  }

  /**
   * A criterion and what the options say of it.
   *
   * @param exit the criterion's name and threshold, or {@link #NONE}
   * @param unsaid how the rows of a prompt leave if no option says it
   */
  public final ExitOptions exitOptions(String exit, ExitOptions.Prefill unsaid) {
    if (notInPrefill && prefill != null) {
      throw new UsageException("--no-exit-in-prefill and --prefill-exit exclude each other");
    }
    if (NONE.equals(exit)) {
      return ExitOptions.none();
    }
    ExitCriteria.Factory criterion;
    try {
      criterion = ExitCriteria.parse(exit);
    } catch (IllegalArgumentException e) {
      throw new UsageException("--exit: " + e.getMessage());
    }
    return new ExitOptions(
        Optional.of(criterion),
        minimumRecurrence == null ? 1 : minimumRecurrence,
        every == null ? 1 : every,
        notInPrefill ? ExitOptions.Prefill.NONE : prefill == null ? unsaid : prefill);
  }

  private static void refuseWithoutExit(String option, boolean given) {
    if (given) {
      throw new UsageException(option + " needs --exit");
    }
  }

  private static final class PrefillConverter implements ITypeConverter<ExitOptions.Prefill> {
    @Override
    public ExitOptions.Prefill convert(String value) {
      return switch (value) {
        case "group" -> ExitOptions.Prefill.GROUP;
        case "row" -> ExitOptions.Prefill.ROW;
        default -> throw NumberConverters.expected("group or row", value);
      };
    }
  }
}
