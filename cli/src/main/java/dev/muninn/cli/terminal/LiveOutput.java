package dev.muninn.cli.terminal;

import dev.muninn.decode.Cancellation;
import dev.muninn.serve.GenerationListener;
import java.io.IOException;
import java.io.Writer;

/** Writes a generation to standard output while it is made. */
public final class LiveOutput {
  private final Writer out;
  private final Cancellation cancellation;
  private String lastPiece = "";
  private IOException failure;

  /**
   * @param cancellation is cancelled when the output's reader is gone, so that no work is wasted
   */
  public LiveOutput(Writer out, Cancellation cancellation) {
    this.out = out;
    this.cancellation = cancellation;
  }

  /** Hears the text. */
  public GenerationListener text() {
    return this::write;
  }

  /** Hears the token ids, for a model without a tokenizer. */
  public GenerationListener tokens() {
    return new GenerationListener() {
      @Override
      public void onToken(int token, int recurrences) {
        write(lastPiece.isEmpty() ? Integer.toString(token) : " " + token);
      }

      @Override
      public void onText(String text) {}
    };
  }

  private void write(String piece) {
    if (failure != null) {
      return;
    }
    try {
      out.write(piece);
      out.flush();
      lastPiece = piece;
    } catch (IOException e) {
      failure = e;
      cancellation.cancel();
    }
  }

  /** Ends the last line, if it is not ended. */
  public void finish() throws IOException {
    if (!lastPiece.endsWith("\n")) {
      write("\n");
    }
    if (failure != null) {
      throw failure;
    }
  }

  /** Ends a line that was begun, so that an error message gets its own line. */
  public void abandon() {
    if (!lastPiece.isEmpty() && !lastPiece.endsWith("\n")) {
      write("\n");
    }
  }
}
