package dev.muninn.cli.models;

import java.io.IOException;

/** The server's data does not match its listing. */
final class WrongContent extends IOException {
  private static final long serialVersionUID = 1L;

  WrongContent(String message) {
    super(message);
  }
}
