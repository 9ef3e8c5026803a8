package dev.muninn.weights;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class InputFileTest {
  private static final Path ENDLESS = Path.of("/dev/zero");

  @TempDir Path directory;

  private static String refusal(org.junit.jupiter.api.function.Executable read) {
    String message = assertThrows(IOException.class, read).getMessage();
    assertEquals(1, message.lines().count(), message);
    return message;
  }

  @Test
  void aFileIsReadUpToItsBound() throws IOException {
    Path file = Files.writeString(directory.resolve("text"), "abcd");
    assertArrayEquals(new byte[] {'a', 'b', 'c', 'd'}, InputFile.read(file, 4, "a word"));
    String expected = file + ": has more than 3 bytes, too many for a word";
    assertEquals(expected, refusal(() -> InputFile.read(file, 3, "a word")));
    assertEquals(expected, refusal(() -> InputFile.readRegular(file, 3, "a word")));
  }

  @Test
  void aSparseFileOfManyGigabytesIsNotRead() throws IOException {
    Path file = directory.resolve("sparse");
    try (RandomAccessFile sparse = new RandomAccessFile(file.toFile(), "rw")) {
      sparse.setLength(100L << 30);
    }
    assertTrue(refusal(() -> InputFile.read(file, 9, "a word")).contains("more than 9 bytes"));
    assertTrue(refusal(() -> JsonLines.read(file, "prompts")).contains("too many for prompts"));
    assertTrue(refusal(() -> InputFile.beginning(file, 1000)).contains("found zeros"));
  }

  @Test
  void aDeviceWithoutAnEndIsRefused() {
    assumeTrue(Files.exists(ENDLESS), "this system has no device without an end");
    assertTrue(refusal(() -> InputFile.read(ENDLESS, 9, "a word")).startsWith("/dev/zero: has"));
    assertTrue(refusal(() -> JsonLines.read(ENDLESS, "prompts")).startsWith("/dev/zero: has"));
    assertEquals(
        "/dev/zero: is a pipe, socket or device, expected a regular file",
        refusal(() -> InputFile.readRegular(ENDLESS, 9, "a word")));
  }

  @Test
  void aPipeWithoutAnEndIsRefused() throws Exception {
    Path pipe = directory.resolve("pipe");
    Process made;
    try {
      made = new ProcessBuilder("mkfifo", pipe.toString()).start();
    } catch (IOException e) {
      made = null;
    }
    assumeTrue(made != null && made.waitFor() == 0, "this system makes no named pipes");
    Thread writer =
        Thread.ofVirtual()
            .start(() -> {
              byte[] line = "{\"a\": 1}\n".repeat(100).getBytes(StandardCharsets.UTF_8);
              try (OutputStream out = Files.newOutputStream(pipe)) {
                while (!Thread.interrupted()) {
                  out.write(line);
                }
              } catch (IOException closed) {
                // As expected: nobody reads any more.
              }
            });
    assertEquals(
        pipe + ": has more than 1000 bytes, too many for a word",
        refusal(() -> InputFile.read(pipe, 1000, "a word")));
    writer.join();
    assertTrue(refusal(() -> InputFile.readRegular(pipe, 9, "a word")).contains("is a pipe"));
  }

  @Test
  void aStreamOfLinesWithoutAnEndIsRefused() {
    byte[] line = "\n{\"a\": 1}\n".getBytes(StandardCharsets.UTF_8);
    InputStream endless =
        new InputStream() {
          private int at;

          @Override
          public int read() {
            return line[at++ % line.length];
          }

          @Override
          public int available() {
            return 1;
          }
        };
    assertEquals(
        "input, line 2000002: expected at most 1000000 prompts",
        refusal(() -> JsonLines.read("input", endless, "prompts")));
  }

  @Test
  void theBeginningOfATextEndsWithAWholeCharacter() throws IOException {
    Path file = Files.writeString(directory.resolve("text"), "aö€\uD83D\uDE00z");
    for (int most = 1; most < 12; most++) {
      String beginning = InputFile.beginning(file, most);
      assertTrue("aö€\uD83D\uDE00z".startsWith(beginning), beginning);
    }
    assertEquals("aö", InputFile.beginning(file, 4));
    assertEquals("aö€\uD83D\uDE00z", InputFile.beginning(file, 100));
  }

  @Test
  void aDirectoryIsNamed() {
    FileSystemException problem =
        assertThrows(FileSystemException.class, () -> InputFile.read(directory, 9, "a word"));
    assertEquals(directory + ": is a directory", problem.getMessage());
  }

  @Test
  void otherFilesThanTextsAreKnown() {
    assertEquals(Optional.empty(), other("{\"a\": 1}"));
    assertEquals(Optional.empty(), other(""));
    assertEquals(Optional.empty(), other("<doc id=\"1\">a text</doc>"));
    assertEquals(Optional.of("a PDF document"), other("%PDF-1.7\n"));
    assertEquals(Optional.of("an RTF document"), other("{\\rtf1 text}"));
    assertTrue(other("\n<!DOCTYPE html>\n<p>").orElseThrow().startsWith("an HTML page"));
    assertTrue(other("<title>x</title>").orElseThrow().startsWith("an HTML page"));
    assertTrue(
        other("version https://git-lfs.github.com/spec/v1\n").orElseThrow().contains("pointer"));
  }

  private static Optional<String> other(String text) {
    return InputFile.otherThanText(text.getBytes(StandardCharsets.ISO_8859_1));
  }

  @Test
  void aStreamIsReadWhole() throws IOException {
    InputStream stream = new ByteArrayInputStream(new byte[5]);
    assertEquals(5, InputFile.read("input", stream, 5, "a word").length);
  }
}
