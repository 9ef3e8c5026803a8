package dev.muninn.cli.serve;

import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * How the server meets its clients.
 *
 * @param address where it listens
 * @param key what clients must know, if anything
 * @param origins pages of other servers that may ask, each as a browser names it
 * @param mostBody most bytes of a request's content
 * @param patience how long a client may take to send a request, or to read a piece of an answer
 */
record Settings(
    InetSocketAddress address,
    Optional<String> key,
    List<String> origins,
    int mostBody,
    Duration patience) {

  Settings {
    Objects.requireNonNull(address, "address");
    Objects.requireNonNull(key, "key");
    origins = List.copyOf(origins);
    if (mostBody < 1 || patience.isNegative() || patience.isZero()) {
      throw new IllegalArgumentException("limits must be positive");
    }
  }
}
