package dev.muninn.cli.chat;

import dev.muninn.decode.Cancellation;
import dev.muninn.weights.Utf8Text;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.CharacterCodingException;
import java.util.Optional;

/** Messages from a pipe or a file, without a terminal. Ctrl-C ends the program. */
final class PipedInput implements ChatInput {
  private static final String SOURCE = "standard input";

  private final InputStream stream;
  private BufferedReader reader;

  PipedInput(InputStream stream) {
    this.stream = stream;
  }

  @Override
  public Optional<String> read() throws IOException {
    try {
      if (reader == null) {
        reader = new BufferedReader(Utf8Text.reader(SOURCE, stream));
      }
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
      throw Utf8Text.notUtf8(SOURCE, e);
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
