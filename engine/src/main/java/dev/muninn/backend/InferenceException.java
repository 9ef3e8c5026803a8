package dev.muninn.backend;

/**
 * A computation could not go on: the model computed NaN, or this machine lacks something that the
 * computation needs. The message is one line.
 */
public class InferenceException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /**
   * Creates an exception from a message.
   *
   * @param message what was found, what was expected and where, in one line
   */
  public InferenceException(String message) {
    super(message);
  }

  /**
   * Creates an exception from a message and its cause.
   *
   * @param message what was found, what was expected and where, in one line
   * @param cause what went wrong below
   */
  public InferenceException(String message, Throwable cause) {
    super(message, cause);
  }
}
