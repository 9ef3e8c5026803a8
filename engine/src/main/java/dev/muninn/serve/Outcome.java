package dev.muninn.serve;

import java.util.NoSuchElementException;
import java.util.Objects;
import java.util.Optional;

/**
 * What became of one of many requests: a result; or a failure, which is this request's alone; or
 * neither, if all was cancelled before it came to a result.
 *
 * @param result what was computed
 * @param failure a {@link RuntimeException} or an {@link Error} that ended this request: its exit
 *     criterion or the listener threw, or the model computed logits that are NaN
 */
public record Outcome<T>(Optional<T> result, Optional<Throwable> failure) {

  public Outcome {
    Objects.requireNonNull(result, "result");
    Objects.requireNonNull(failure, "failure");
    if (result.isPresent() && failure.isPresent()) {
      throw new IllegalArgumentException("a request that failed has no result");
    }
  }

  /** A result. */
  public static <T> Outcome<T> of(T result) {
    return new Outcome<>(Optional.of(result), Optional.empty());
  }

  /** A failure. */
  public static <T> Outcome<T> failed(Throwable failure) {
    return new Outcome<>(Optional.empty(), Optional.of(failure));
  }

  /** Cancelled before there was a result. */
  public static <T> Outcome<T> none() {
    return new Outcome<>(Optional.empty(), Optional.empty());
  }

  /** Whether there is a result. */
  public boolean isPresent() {
    return result.isPresent();
  }

  /** Whether there is none. */
  public boolean isEmpty() {
    return result.isEmpty();
  }

  /**
   * The result.
   *
   * @throws RuntimeException the failure, if there is one; an error likewise
   * @throws NoSuchElementException if the request was cancelled before there was a result
   */
  public T orElseThrow() {
    if (failure.isPresent()) {
      throw unchecked(failure.get());
    }
    return result.orElseThrow(() -> new NoSuchElementException("cancelled before it was computed"));
  }

  /** A failure as what can be thrown anywhere. */
  static RuntimeException unchecked(Throwable failure) {
    if (failure instanceof Error error) {
      throw error;
    }
    return (RuntimeException) failure;
  }
}
