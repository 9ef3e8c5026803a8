package dev.muninn.cli.chat;

import dev.muninn.decode.Cancellation;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/** Messages from a pipe or a file, without a terminal. Ctrl-C ends the program. */
final class PipedInput implements ChatInput {
  private final BufferedReader reader;

  PipedInput(InputStream stream) {
    reader = new BufferedReader(new InputStreamReader(stream, StandardCharsets.UTF_8.newDecoder()));
  }

  @Override
  public Optional<String> read() throws IOException {
    try {
      String lines = reader.readLine();
      if (lines == null) {
        return Optional.empty();
      }
      while (InputText.isOpen(lines)) {
        String next = reader.readLine();
        if (next == null) {
          break;
        }
        lines += "\n" + next;
      }
      return Optional.of(InputText.message(lines));
    } catch (CharacterCodingException e) {
      throw new IOException("standard input is not UTF-8 text", e);
    }
  }

  @Override
  public boolean interactive() {
    return false;
  }

  @Override
  public void interruptCancels(Cancellation cancellation) {}

  @Override
  public void close() {}
}
