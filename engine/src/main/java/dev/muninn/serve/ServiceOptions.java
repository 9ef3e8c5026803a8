package dev.muninn.serve;

import dev.muninn.decode.DecodingOptions;
import java.util.Objects;

/**
 * How many requests a model computes at once, and how many wait.
 *
 * @param parallel most sequences in flight, at least 1; a batch that asks for more gets more
 * @param keyValueBytes most memory for keys and values, reserved when a request begins; kept
 *     prefixes give way to requests
 * @param maxQueue most requests that are submitted and wait; callers of {@code generate} wait in
 *     any number
 * @param prefixReuse which submitted requests go on from the keys and values of earlier ones
 */
public record ServiceOptions(
    int parallel, long keyValueBytes, int maxQueue, PrefixReuse prefixReuse) {

  /** Stands for as much memory as there is. */
  public static final long UNLIMITED = Long.MAX_VALUE;

  public ServiceOptions {
    Objects.requireNonNull(prefixReuse, "prefixReuse");
    if (parallel < 1) {
      throw new IllegalArgumentException("parallel must be at least 1, not " + parallel);
    }
    if (keyValueBytes < 1) {
      throw new IllegalArgumentException(
          "memory for keys and values must be at least 1 byte, not " + keyValueBytes);
    }
    if (maxQueue < 0) {
      throw new IllegalArgumentException("the queue must have at least 0 places, not " + maxQueue);
    }
  }

  /** Whether requests that are decoded in a way go on from earlier ones. */
  boolean reuses(DecodingOptions decoding) {
    return switch (prefixReuse) {
      case OFF -> false;
      case EXACT -> decoding.computesPositionsAlone();
      case ANY -> true;
    };
  }

  /** Eight at once, 256 waiting, any memory, nothing kept. */
  public static ServiceOptions defaults() {
    return new ServiceOptions(8, UNLIMITED, 256, PrefixReuse.OFF);
  }
}
