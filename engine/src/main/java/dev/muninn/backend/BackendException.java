package dev.muninn.backend;

/** A backend that is not there, or a device that failed; one line says what and what to do. */
public class BackendException extends RuntimeException {
  private static final long serialVersionUID = 1;

  public BackendException(String message) {
    super(message);
  }

  public BackendException(String message, Throwable cause) {
    super(message, cause);
  }
}
