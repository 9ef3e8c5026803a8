package dev.muninn.cache;

/** A backend's memory for the keys and values of one sequence. */
public interface KeyValueStore extends AutoCloseable {

  /** Frees the memory. */
  @Override
  void close();
}
