package dev.muninn.spark;

/** A row that cannot be computed. The message, one line, becomes its error column. */
final class BadRow extends Exception {
  private static final long serialVersionUID = 1L;

  BadRow(String message) {
    super(message);
  }

  BadRow(String message, Throwable cause) {
    super(message, cause);
  }
}
