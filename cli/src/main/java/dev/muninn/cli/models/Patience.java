package dev.muninn.cli.models;

import java.time.Duration;

/**
 * How long a pull puts up with a server.
 *
 * @param attempts failures in a row without a byte gained before it gives up
 * @param first pause after the first of them; each further one doubles it
 * @param longest longest pause of its own accord
 * @param longestAsked longest pause that a server may ask for
 * @param silence how long a connection may bring nothing
 */
record Patience(
    int attempts, Duration first, Duration longest, Duration longestAsked, Duration silence) {
  static final Patience DEFAULT =
      new Patience(
          6,
          Duration.ofMillis(500),
          Duration.ofSeconds(30),
          Duration.ofMinutes(5),
          Duration.ofSeconds(60));

  /** The pause after a number of failures in a row, at least 1. */
  Duration pause(int failures) {
    Duration pause = first.multipliedBy(1L << Math.min(failures - 1, 20));
    return pause.compareTo(longest) < 0 ? pause : longest;
  }
}
