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
  private static final int MOST_CHARACTERS = 16 << 20;

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
      String first = line(MOST_CHARACTERS);
      if (first == null) {
        return Optional.empty();
      }
      StringBuilder lines = new StringBuilder(first);
      boolean open = InputText.isOpen(first);
      while (open) {
        String next = line(MOST_CHARACTERS - lines.length());
        if (next == null) {
          break;
        }
        lines.append('\n').append(next);
        open = InputText.staysOpen(first, next);
      }
      return Optional.of(InputText.message(lines.toString()));
    } catch (CharacterCodingException e) {
      throw Utf8Text.notUtf8(SOURCE, e);
    }
  }

  /** A line without its end, or null where there is no more; a device may have no line ends. */
  private String line(int most) throws IOException {
    StringBuilder line = new StringBuilder();
    int character = reader.read();
    if (character < 0) {
      return null;
    }
    for (; character >= 0 && character != '\n'; character = reader.read()) {
      if (line.length() >= most) {
        throw new IOException(
            SOURCE + " has more than " + MOST_CHARACTERS + " characters, too many for a message");
      }
      line.append((char) character);
    }
    if (!line.isEmpty() && line.charAt(line.length() - 1) == '\r') {
      line.setLength(line.length() - 1);
    }
    return line.toString();
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
