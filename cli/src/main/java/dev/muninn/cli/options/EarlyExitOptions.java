package dev.muninn.cli.options;

import dev.muninn.decode.ExitOptions;
import picocli.CommandLine.Option;

/** When a token has had enough thought. */
public final class EarlyExitOptions extends ExitCheckOptions {
  @Option(
      names = "--exit",
      // Before the options that need it, which are inherited.
      order = -2,
      paramLabel = "NAME[:X]",
      description =
          "Stop a token's recurrences by a criterion and threshold: kl, minp-kl, entropy-diff,"
              + " latent-diff, cosine, argmax-stability, gate, none.")
  private String exit = NONE;

  /** What the options say. */
  public ExitOptions exitOptions() {
    return exitOptions(ExitOptions.Prefill.GROUP);
  }

  /**
   * What the options say.
   *
   * @param unsaid how the rows of a prompt leave if no option says it
   */
  public ExitOptions exitOptions(ExitOptions.Prefill unsaid) {
    if (NONE.equals(exit)) {
      requireNoChecks();
    }
    return exitOptions(exit, unsaid);
  }

  /** The criterion, as the option names it. */
  public String criterion() {
    return exit;
  }
}
