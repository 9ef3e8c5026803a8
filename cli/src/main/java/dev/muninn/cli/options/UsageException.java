package dev.muninn.cli.options;

/** Options that parse one by one and make no sense together, or not for this model. */
public final class UsageException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public UsageException(String message) {
    super(message);
  }
}
