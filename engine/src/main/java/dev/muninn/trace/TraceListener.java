package dev.muninn.trace;

/** Hears how far a trace is. */
@FunctionalInterface
public interface TraceListener {
  /** Hears nothing. */
  TraceListener NONE = (done, total) -> {};

  /**
   * @param done rows that went through the recurrent block or the coda
   * @param total rows that will have gone in the end
   */
  void progressed(long done, long total);
}
