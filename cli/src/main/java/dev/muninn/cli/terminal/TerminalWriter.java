package dev.muninn.cli.terminal;

import java.io.FilterWriter;
import java.io.IOException;
import java.io.Writer;
import java.util.function.BooleanSupplier;

/**
 * Text from models and files on its way to standard output. A terminal must not obey it: there,
 * control characters other than line feed and tab become Java's escapes, which JSON reads as well.
 */
final class TerminalWriter extends FilterWriter {
  private final BooleanSupplier isTerminal;

  /**
   * @param isTerminal is asked when there is something to escape: text that needs it is rare, and
   *     the answer takes time
   */
  TerminalWriter(Writer out, BooleanSupplier isTerminal) {
    super(out);
    this.isTerminal = isTerminal;
  }

  @Override
  public void write(int character) throws IOException {
    write(String.valueOf((char) character));
  }

  @Override
  public void write(char[] characters, int offset, int length) throws IOException {
    write(new String(characters, offset, length));
  }

  @Override
  public void write(String text, int offset, int length) throws IOException {
    for (int i = offset; i < offset + length; i++) {
      if (Printable.steersTerminal(text.charAt(i)) && isTerminal.getAsBoolean()) {
        out.write(Printable.text(text.substring(offset, offset + length)));
        return;
      }
    }
    out.write(text, offset, length);
  }
}
