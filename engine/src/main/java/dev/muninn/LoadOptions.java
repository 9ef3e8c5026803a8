package dev.muninn;

import dev.muninn.backend.Backends;
import dev.muninn.serve.ServiceOptions;
import java.util.Objects;
import java.util.Optional;

/**
 * How a model is opened.
 *
 * @param threads threads that compute on the CPU, the caller's among them, from 1 to {@link
 *     #MOST_THREADS}
 * @param backend what computes: one of {@link Backends#NAMES}
 * @param device id of the device that computes, or empty for the backend's choice
 * @param service how many requests are computed at once, and how many wait
 */
public record LoadOptions(
    int threads, String backend, Optional<String> device, ServiceOptions service) {

  /** More than any machine has processors. */
  public static final int MOST_THREADS = 4096;

  public LoadOptions {
    Objects.requireNonNull(device, "device");
    Objects.requireNonNull(service, "service");
    if (threads < 1 || threads > MOST_THREADS) {
      throw new IllegalArgumentException(
          "threads must be from 1 to " + MOST_THREADS + ", not " + threads);
    }
    if (!Backends.NAMES.contains(backend)) {
      throw new IllegalArgumentException(
          "backend must be one of " + String.join(", ", Backends.NAMES) + ", not " + backend);
    }
  }

  /** The usual service. */
  public LoadOptions(int threads, String backend, Optional<String> device) {
    this(threads, backend, device, ServiceOptions.defaults());
  }

  /** Automatic choice of the backend. */
  public LoadOptions(int threads) {
    this(threads, Backends.AUTO, Optional.empty());
  }

  /** One thread per physical core, automatic choice of the backend. */
  public static LoadOptions defaults() {
    return new LoadOptions(dev.muninn.vector.PhysicalCores.count());
  }

  /** The same by another backend, on the device that it chooses. */
  public LoadOptions withBackend(String name) {
    return new LoadOptions(threads, name, Optional.empty(), service);
  }

  /** The same with another service. */
  public LoadOptions withService(ServiceOptions other) {
    return new LoadOptions(threads, backend, device, other);
  }
}
