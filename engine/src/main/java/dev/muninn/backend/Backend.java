package dev.muninn.backend;

import dev.muninn.cache.KeyValueLayout;
import dev.muninn.cache.KeyValueStore;

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

  /** Stops threads and frees device memory; the weights stay mapped. */
  @Override
  void close();
}
