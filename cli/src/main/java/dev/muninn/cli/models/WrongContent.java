package dev.muninn.cli.models;

import java.io.IOException;

/** What a server sent cannot be the file that its listing describes. */
final class WrongContent extends IOException {
  private static final long serialVersionUID = 1L;

  WrongContent(String message) {
    super(message);
  }
}
