package dev.muninn.weights;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class CheckpointExceptionTest {

  @Test
  void plainMessagesStayAsTheyAre() {
    assertEquals("a/b: größer 雪 🐦", new CheckpointException("a/b: größer 雪 🐦").getMessage());
  }

  @Test
  void theCauseIsKept() {
    Throwable cause = new IllegalStateException();
    assertSame(cause, new CheckpointException("x", cause).getCause());
  }

  @Test
  void nothingBreaksTheLineOrSteersTheTerminal() {
    String hostile = "a\nb\rc\u0000d\u001b[2Je\u0085f\u2028g\u2029h\u202ei\ud800j\u007f";
    String message = new CheckpointException(hostile).getMessage();
    Bytes.assertOneLine(message);
    assertEquals(
        "a\\u{a}b\\u{d}c\\u{0}d\\u{1b}[2Je\\u{85}f\\u{2028}g\\u{2029}h\\u{202e}i\\u{d800}j\\u{7f}",
        message);
  }

  @Test
  void longMessagesKeepBothEnds() {
    String message = new CheckpointException("begin" + "\n".repeat(100_000) + "end").getMessage();
    Bytes.assertOneLine(message);
    assertTrue(message.startsWith("begin") && message.endsWith("end"), message);
  }

  @Test
  void quotesAreBoundedAndUnambiguous() {
    assertEquals("\"wte.weight\"", CheckpointException.quote("wte.weight"));
    assertEquals("\"a\\\"b\\\\c\"", CheckpointException.quote("a\"b\\c"));
    String quoted = CheckpointException.quote("x".repeat(70_000));
    assertTrue(quoted.length() < 200, quoted);
    assertTrue(quoted.endsWith("\" (70000 characters)"), quoted);
  }

  @Test
  void failuresOfTheSystemAreSaidInWords() {
    Path file = Path.of("dir", "file");
    assertFailure("found no such file, expected a file", file, new NoSuchFileException("dir/file"));
    assertFailure("without permission", file, new AccessDeniedException("dir/file"));
    assertFailure(
        "found the error 'No space left on device', expected a file",
        file,
        new FileSystemException("dir/file", null, "No space left on device"));
    assertFailure("found the error 'odd', expected a file", file, new IOException("odd"));
  }

  private static void assertFailure(String text, Path file, IOException cause) {
    CheckpointException failure = CheckpointException.failure(file, "a file", cause);
    assertTrue(failure.getMessage().startsWith(file + ": "), failure.getMessage());
    assertTrue(failure.getMessage().contains(text), failure.getMessage());
    assertSame(cause, failure.getCause());
  }
}
