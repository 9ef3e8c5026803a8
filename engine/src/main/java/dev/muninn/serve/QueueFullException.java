package dev.muninn.serve;

/** As many requests wait as may. The message is one line. */
public final class QueueFullException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  QueueFullException(int most) {
    super("the queue is full: " + most + (most == 1 ? " request waits" : " requests wait"));
  }
}
