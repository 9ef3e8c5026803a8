package dev.muninn.cli.terminal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.decode.Cancellation;
import dev.muninn.serve.GenerationListener;
import java.io.IOException;
import java.io.StringWriter;
import java.io.Writer;
import org.junit.jupiter.api.Test;

class LiveOutputTest {
  private final Cancellation cancellation = new Cancellation();

  private static String written(String... pieces) throws IOException {
    StringWriter out = new StringWriter();
    LiveOutput output = new LiveOutput(out, new Cancellation());
    for (String piece : pieces) {
      output.text().onText(piece);
    }
    output.finish();
    return out.toString();
  }

  @Test
  void endsWithOneLineEnd() throws IOException {
    assertEquals("\n", written());
    assertEquals("ab\n", written("a", "b"));
    assertEquals("a\nb\n", written("a\n", "b\n"));
  }

  @Test
  void separatesTokens() throws IOException {
    StringWriter out = new StringWriter();
    LiveOutput output = new LiveOutput(out, cancellation);
    GenerationListener listener = output.tokens();
    listener.onToken(12, 1);
    listener.onToken(3, 1);
    assertEquals("12 3", out.toString());
    output.finish();
    assertEquals("12 3\n", out.toString());
    assertFalse(cancellation.isCancelled());
  }

  @Test
  void abandonsNoLineThatWasNotBegun() {
    StringWriter out = new StringWriter();
    LiveOutput output = new LiveOutput(out, cancellation);
    output.abandon();
    assertEquals("", out.toString());
    output.text().onText("a");
    output.abandon();
    assertEquals("a\n", out.toString());
  }

  @Test
  void cancelsWhenNobodyReads() {
    Writer broken =
        new Writer() {
          @Override
          public void write(char[] buffer, int offset, int length) throws IOException {
            throw new IOException("Broken pipe");
          }

          @Override
          public void flush() {}

          @Override
          public void close() {}
        };
    LiveOutput output = new LiveOutput(broken, cancellation);
    output.text().onText("a");
    assertTrue(cancellation.isCancelled());
    output.text().onText("b");
    assertEquals("Broken pipe", assertThrows(IOException.class, output::finish).getMessage());
  }
}
