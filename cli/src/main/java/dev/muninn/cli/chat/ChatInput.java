package dev.muninn.cli.chat;

import dev.muninn.decode.Cancellation;
import java.io.IOException;
import java.util.Optional;

/** Where a user's messages come from. */
interface ChatInput extends AutoCloseable {

  /**
   * The next message or command, of one or several lines; empty at the end.
   *
   * @throws IOException if it cannot be read
   */
  Optional<String> read() throws IOException;

  /** Whether a person sits there, who can be told of mistakes and wants to go on after them. */
  boolean interactive();

  /** What Ctrl-C cancels from now on, where it does not end the program. */
  void interruptCancels(Cancellation cancellation);

  @Override
  void close() throws IOException;
}
