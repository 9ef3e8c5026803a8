package dev.muninn.backend;

import dev.muninn.cache.KeyValueLayout;
import dev.muninn.cache.KeyValueStore;
import java.util.List;
import java.util.Optional;

/**
 * A device that computes one model. Everything above it (the loop over recurrences, exits,
 * strategies, samplers, cache policies) is written once for all backends. Calls of one backend come
 * from one thread at a time.
 */
public interface Backend extends AutoCloseable {

  /** The device that computes. */
  ComputeDevice device();

  /** What computes, for people: the backend's name, the instruction set or device, threads. */
  String description();

  /**
   * Waits for what the device still compiles, where the first call would lose more than that by
   * going ahead without. May be left out.
   */
  default void prepare() {}

  /** Room for the keys and values of one sequence. */
  KeyValueStore allocate(KeyValueLayout layout);

  /** Row slots for up to {@code capacity} rows in flight. */
  LatentRows rows(int capacity);

  /** What the device reaches, measured now, which may take seconds. */
  DeviceLimits measureLimits();

  /** What opening it took; empty where kernels are not sent anywhere. */
  default Optional<OpeningTimes> openingTimes() {
    return Optional.empty();
  }

  /**
   * Times each kernel by itself, on the shapes of the model's recurrent block and head; none where
   * kernels do not stand alone.
   *
   * @param rows numbers of rows, each up to 256
   */
  default List<KernelTime> measureKernels(List<Integer> rows) {
    return List.of();
  }

  /** Stops threads and frees device memory; the weights stay mapped. */
  @Override
  void close();
}
