package dev.muninn.cli.chat;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.decode.Cancellation;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import org.jline.terminal.Size;
import org.jline.terminal.Terminal;
import org.jline.terminal.TerminalBuilder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A line editor on a terminal that is not the test's own. */
@Timeout(60)
class TerminalInputTest {
  private static final String UP = "\u001bOA";
  private static final String CONTROL_D = "\u0004";

  @TempDir private Path temporary;

  /** Types the next keys whenever the prompt has appeared. */
  private static final class Typist extends OutputStream {
    private final PipedInputStream keys = new PipedInputStream();
    private final PipedOutputStream keyboard;
    private final Deque<String> waiting;
    private int last;

    Typist(String... keys) throws IOException {
      this.keyboard = new PipedOutputStream(this.keys);
      this.waiting = new ArrayDeque<>(List.of(keys));
    }

    @Override
    public synchronized void write(int shown) throws IOException {
      if (last == '>' && shown == ' ' && !waiting.isEmpty()) {
        keyboard.write(waiting.remove().getBytes(StandardCharsets.UTF_8));
        keyboard.flush();
      }
      last = shown;
    }

    Terminal terminal() throws IOException {
      return TerminalBuilder.builder()
          .system(false)
          .type("xterm")
          .size(Size.of(80, 24))
          .encoding(StandardCharsets.UTF_8)
          .graphemeCluster(false)
          .streams(keys, this)
          .build();
    }
  }

  private static List<String> messages(Optional<Path> history, String... keys) throws IOException {
    List<String> messages = new ArrayList<>();
    Terminal terminal = new Typist(keys).terminal();
    try (TerminalInput input = new TerminalInput(terminal, history)) {
      assertTrue(input.interactive());
      for (Optional<String> read = input.read(); read.isPresent(); read = input.read()) {
        messages.add(read.get());
      }
    }
    return messages;
  }

  @Test
  void readsLinesUntilControlD() throws IOException {
    assertEquals(
        List.of("hello!", "a\nb", "c\nd", "\u00e9"),
        messages(
            Optional.empty(), "hello!\r", "a\\\rb\r", "\"\"\"c\rd\"\"\"\r", "\u00e9\r", CONTROL_D));
  }

  @Test
  void historyOutlivesTheChat() throws IOException {
    Path history = temporary.resolve("new/folder/history");
    messages(Optional.of(history), "first!\r", "\"\"\"a\rb\"\"\"\r", CONTROL_D);
    assertEquals(
        "rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(history)));
    assertEquals(
        List.of("a\nb", "first!"),
        messages(Optional.of(history), UP + "\r", UP + UP + UP + "\r", CONTROL_D));
  }

  @Test
  void historyThatCannotBeWrittenIsDoneWithout() throws IOException {
    Path file = Files.createFile(temporary.resolve("file"));
    assertEquals(
        List.of("hello"), messages(Optional.of(file.resolve("history")), "hello\r", CONTROL_D));
  }

  @Test
  void interruptCancelsTheAnswerOfTheTime() throws IOException {
    try (Terminal terminal = new Typist().terminal();
        TerminalInput input = new TerminalInput(terminal, Optional.empty())) {
      Cancellation first = new Cancellation();
      Cancellation second = new Cancellation();
      input.interruptCancels(first);
      input.interruptCancels(second);
      terminal.raise(Terminal.Signal.INT);
      assertFalse(first.isCancelled());
      assertTrue(second.isCancelled());
    }
  }
}
