package dev.muninn.cli.chat;

import dev.muninn.decode.Cancellation;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Optional;
import org.jline.reader.CompletingParsedLine;
import org.jline.reader.EOFError;
import org.jline.reader.EndOfFileException;
import org.jline.reader.LineReader;
import org.jline.reader.LineReaderBuilder;
import org.jline.reader.ParsedLine;
import org.jline.reader.Parser;
import org.jline.reader.UserInterruptException;
import org.jline.terminal.Terminal;
import org.jline.terminal.TerminalBuilder;

/** Messages that a person types into a terminal, with a line editor and a history. */
final class TerminalInput implements ChatInput {
  private static final String PROMPT = "> ";
  private static final String PROMPT_OF_MORE_LINES = ". ";

  private final Terminal terminal;
  private final LineReader reader;
  private volatile Cancellation cancellation = new Cancellation();

  /**
   * @param history where what is typed is kept from one chat to the next; empty for nowhere
   */
  TerminalInput(Terminal terminal, Optional<Path> history) {
    this.terminal = terminal;
    LineReaderBuilder builder =
        LineReaderBuilder.builder()
            .terminal(terminal)
            .appName("muninn")
            .parser(TerminalInput::parse)
            .variable(LineReader.SECONDARY_PROMPT_PATTERN, PROMPT_OF_MORE_LINES)
            // A message may hold exclamation marks.
            .option(LineReader.Option.DISABLE_EVENT_EXPANSION, true);
    history
        .filter(TerminalInput::prepare)
        .ifPresent(file -> builder.variable(LineReader.HISTORY_FILE, file));
    this.reader = builder.build();
    terminal.handle(Terminal.Signal.INT, signal -> cancellation.cancel());
  }

  /** Opens the terminal that this program runs on. */
  static TerminalInput open(Optional<Path> history) throws IOException {
    return new TerminalInput(
        TerminalBuilder.builder()
            .system(true)
            .nativeSignals(true)
            // Else the terminal is asked what it can, and the start waits for its answer.
            .graphemeCluster(false)
            .build(),
        history);
  }

  /** A user's input is private. A chat works without a history, too. */
  private static boolean prepare(Path file) {
    try {
      if (!Files.exists(file)) {
        Files.createDirectories(file.toAbsolutePath().getParent());
        Files.createFile(
            file,
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
      }
      return Files.isRegularFile(file) && Files.isWritable(file);
    } catch (IOException | UnsupportedOperationException e) {
      return false;
    }
  }

  private static ParsedLine parse(String line, int cursor, Parser.ParseContext context) {
    if (context != Parser.ParseContext.COMPLETE && InputText.isOpen(line)) {
      throw new EOFError(-1, -1, "the message goes on", "");
    }
    return new WholeLine(line, cursor);
  }

  /** A line is one word: nothing here knows its words. */
  private record WholeLine(String line, int cursor) implements CompletingParsedLine {
    @Override
    public String word() {
      return line;
    }

    @Override
    public int wordCursor() {
      return cursor;
    }

    @Override
    public int wordIndex() {
      return 0;
    }

    @Override
    public List<String> words() {
      return List.of(line);
    }

    @Override
    public CharSequence escape(CharSequence candidate, boolean complete) {
      return candidate;
    }

    @Override
    public int rawWordCursor() {
      return cursor;
    }

    @Override
    public int rawWordLength() {
      return line.length();
    }
  }

  @Override
  public Optional<String> read() {
    while (true) {
      try {
        return Optional.of(InputText.message(reader.readLine(PROMPT)));
      } catch (UserInterruptException e) {
        // Ctrl-C throws away what was typed and asks anew. The editor leaves its interrupt behind.
        Thread.interrupted();
      } catch (EndOfFileException e) {
        return Optional.empty();
      }
    }
  }

  @Override
  public boolean interactive() {
    return true;
  }

  @Override
  public void interruptCancels(Cancellation cancellation) {
    this.cancellation = cancellation;
  }

  @Override
  public void close() throws IOException {
    terminal.close();
  }
}
