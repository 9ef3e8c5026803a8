package dev.muninn.cache;

/** A backend's memory for the keys and values of one sequence. */
public interface KeyValueStore extends AutoCloseable {

  /** Frees the memory. Closing twice does no harm. */
  @Override
  void close();
}
