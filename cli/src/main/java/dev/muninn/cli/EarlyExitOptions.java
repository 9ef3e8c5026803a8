package dev.muninn.cli;

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
              + " latent-diff, cosine, argmax-stability, none.")
  private String exit = NONE;

  /** What the options say. */
  public ExitOptions exitOptions() {
    if (NONE.equals(exit)) {
      requireNoChecks();
    }
    return exitOptions(exit);
  }
}
