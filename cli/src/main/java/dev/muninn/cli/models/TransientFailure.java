package dev.muninn.cli.models;

import java.io.IOException;
import java.time.Duration;
import java.util.Optional;

/** A failure that may pass: the same request may succeed a little later. */
final class TransientFailure extends IOException {
  private static final long serialVersionUID = 1L;

  private final transient Duration retryAfter;

  TransientFailure(String message) {
    this(message, null, null);
  }

  /**
   * @param retryAfter how long the server asks to wait, or null
   */
  TransientFailure(String message, Duration retryAfter, Throwable cause) {
    super(message, cause);
    this.retryAfter = retryAfter;
  }

  Optional<Duration> retryAfter() {
    return Optional.ofNullable(retryAfter);
  }
}
