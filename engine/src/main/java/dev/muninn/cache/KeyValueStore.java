package dev.muninn.cache;

/** A backend's memory for the keys and values of one sequence. */
public interface KeyValueStore extends AutoCloseable {

  /**
   * Copies the first positions of all planes to a store of the same model, policy and type.
   *
   * @return false if this backend cannot; nothing is then copied
   */
  default boolean copyTo(KeyValueStore target, int positions) {
    return false;
  }

  /** Frees the memory. Closing twice does no harm. */
  @Override
  void close();
}
