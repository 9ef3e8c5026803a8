package dev.muninn.cli.terminal;

import java.io.BufferedWriter;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.util.function.BooleanSupplier;

/**
 * The streams that a command reads and writes. Text is UTF-8 whatever the locale says. What a
 * terminal would obey is escaped on the way to it; pipes and files get every byte.
 *
 * @param in standard input
 * @param out standard output; unlike a {@link java.io.PrintStream} it throws when its reader is
 *     gone
 * @param err standard error, flushed at the end of a line
 * @param colours standard output for text with colours, whose writer has made the rest of it
 *     harmless
 */
public record StandardStreams(InputStream in, Writer out, PrintWriter err, Writer colours) {
  /** How the message of a failure to write to standard output begins. */
  public static final String OUTPUT_FAILED = "standard output: ";

  /** Streams over bytes. */
  public static StandardStreams of(InputStream in, OutputStream out, OutputStream err) {
    return of(in, out, err, () -> false);
  }

  /** This process's streams. */
  public static StandardStreams ofProcess() {
    return of(
        System.in,
        new FileOutputStream(FileDescriptor.out),
        System.err,
        Terminal::isStandardOutput);
  }

  static StandardStreams of(
      InputStream in, OutputStream out, OutputStream err, BooleanSupplier isTerminal) {
    Writer plain = utf8(new NamedOutput(out));
    PrintWriter messages = new PrintWriter(utf8(err), true);
    return new StandardStreams(in, new TerminalWriter(plain, isTerminal), messages, plain);
  }

  /** Says of a failure that it is standard output's: the system names only what went wrong. */
  private static final class NamedOutput extends FilterOutputStream {
    NamedOutput(OutputStream stream) {
      super(stream);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      try {
        out.write(bytes, offset, length);
      } catch (IOException e) {
        throw new IOException(OUTPUT_FAILED + e.getMessage(), e);
      }
    }
  }

  private static Writer utf8(OutputStream stream) {
    return new BufferedWriter(new OutputStreamWriter(stream, StandardCharsets.UTF_8));
  }
}
