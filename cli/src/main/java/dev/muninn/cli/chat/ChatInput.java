package dev.muninn.cli.chat;

import dev.muninn.decode.Cancellation;
import java.io.IOException;
import java.util.Optional;

/** The source of a user's messages. */
interface ChatInput extends AutoCloseable {

  /**
   * The next message or command, of one or several lines; empty at the end.
   *
   * @throws IOException if it cannot be read
   */
  Optional<String> read() throws IOException;

  /** Whether the input is interactive: a mistake is then reported, and the chat continues. */
  boolean interactive();

  /** The cancellation that Ctrl-C triggers from now on instead of ending the program. */
  void interruptCancels(Cancellation cancellation);

  @Override
  void close() throws IOException;
}
