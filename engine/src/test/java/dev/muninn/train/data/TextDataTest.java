package dev.muninn.train.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.ModelFiles;
import dev.muninn.text.Tokenizer;
import dev.muninn.train.TrainingException;
import java.io.IOException;
import java.io.OutputStream;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TextDataTest {
  private static final int BEGIN = 256;
  private static final int END = 257;

  private static Tokenizer tokenizer;

  @TempDir Path directory;

  @BeforeAll
  static void open() {
    tokenizer = Tokenizer.load(ModelFiles.ravenTiny(), 272);
  }

  @AfterAll
  static void close() {
    tokenizer.close();
  }

  private TextData data(String name, String content, int length) throws IOException {
    Path file = directory.resolve(name);
    Files.writeString(file, content);
    return new TextData(file, tokenizer, 3, length, 0.25, 5);
  }

  @Test
  void jsonIsKnownByItsContent() throws IOException {
    String lines = "{\"text\":\"abcdefgh\"}\n".repeat(8);
    for (String name : new String[] {"a.json", "a.txt", "a.jsonl"}) {
      TextData data = data(name, lines, 10);
      assertEquals(8, data.documents(), name);
      assertEquals(6, data.sequences(), name);
    }
    for (String content :
        new String[] {"{\n \"text\": \"a\"\n}\n", "[{\"text\":\"a\"}]", "{}", "7"}) {
      TrainingException refusal =
          assertThrows(TrainingException.class, () -> data("b.json", content, 10));
      assertTrue(refusal.getMessage().contains("b.json: JSON is not a text"), refusal.getMessage());
    }
    assertEquals(1, data("c.txt", "{ is a brace and no JSON }\n".repeat(9), 10).documents());
  }

  @Test
  void aTextIsCutIntoSequencesThatPredictTheNextToken() throws IOException {
    String text = "abcdefghij".repeat(30);
    TextData data = data("a.txt", text, 20);
    // 301 positions, of which a quarter is held out.
    assertEquals(12, data.sequences());
    Set<Integer> starts = new HashSet<>();
    for (long number = 0; number < 4; number++) {
      Batch batch = data.batch(number);
      for (int i = 0; i < batch.tokens().length; i++) {
        int label = batch.labels()[i];
        if (label != Batch.IGNORED && batch.tokens()[i] != BEGIN) {
          assertEquals((batch.tokens()[i] - 'a' + 1) % 10, label - 'a');
        }
      }
      starts.add(batch.tokens()[0]);
    }
    ValidationSet validation = data.validation().getFirst();
    assertEquals(75, validation.count());
    assertTrue(Arrays.stream(validation.batch().labels()).anyMatch(label -> label == END));
  }

  @Test
  void anEpochHasEverySequenceOnceInAnOrderOfItsOwn() throws IOException {
    StringBuilder lines = new StringBuilder();
    for (char letter = 'A'; letter < 'Q'; letter++) {
      lines.append("{\"text\": \"").append(String.valueOf(letter).repeat(9)).append("\"}\n");
    }
    TextData data = data("a.jsonl", lines.toString(), 10);
    assertEquals(12, data.sequences());
    String first = letters(data, 0);
    String second = letters(data, 4);
    assertEquals(12, first.chars().distinct().count());
    assertEquals(first.chars().sorted().boxed().toList(), second.chars().sorted().boxed().toList());
    assertFalse(first.equals(second));
    assertEquals(first, letters(data, 0));
    for (int token : data.validation().getFirst().batch().tokens()) {
      assertTrue(token == BEGIN || first.indexOf(token) < 0);
    }
  }

  /** The letter of each sequence of four batches. */
  private static String letters(TextData data, long from) {
    StringBuilder letters = new StringBuilder();
    for (long number = from; number < from + 4; number++) {
      Batch batch = data.batch(number);
      for (int sequence = 0; sequence < batch.count(); sequence++) {
        letters.append((char) batch.tokens()[sequence * batch.length() + 1]);
      }
    }
    return letters.toString();
  }

  @Test
  void onlyCompletionsAreLearntAndPiecesStayTogether() throws IOException {
    String line = "{\"prompt\": \"2+2=\", \"completion\": \"4!\"}\n";
    TextData data = data("a.jsonl", line.repeat(8), 17);
    // A document has 7 positions; two fit into a sequence and a third is not cut.
    assertEquals(3, data.sequences());
    Batch batch = data.batch(0);
    int[] expected = {-100, -100, -100, -100, '4', '!', END};
    for (int sequence = 0; sequence < 3; sequence++) {
      int at = sequence * 17;
      assertArrayEquals(expected, Arrays.copyOfRange(batch.labels(), at, at + 7));
      assertArrayEquals(expected, Arrays.copyOfRange(batch.labels(), at + 7, at + 14));
      assertEquals(BEGIN, batch.tokens()[at + 7]);
      assertArrayEquals(
          new int[] {-100, -100, -100}, Arrays.copyOfRange(batch.labels(), at + 14, at + 17));
    }
  }

  @Test
  void dataThatCannotServeIsRefusedInOneLine() throws IOException {
    assertRefused("a.jsonl", "{\"text\": 1}\n", "line 1: expected either text, or prompt");
    assertRefused(
        "a.jsonl", "{\"text\": \"a\"}\n{\"prompt\": \"a\"}\n", "line 2: expected either text");
    assertRefused("a.jsonl", "{\"text\": \"a\"\n", "line 1");
    assertRefused("a.txt", " \n", "nothing to learn");
    assertRefused("a.txt", "", "nothing to learn");
    assertRefused("a.zip", "PK\3\4\0\0", "found a ZIP archive");
    assertRefused("a.bin", "ab\0\0", "found a NUL at character 2, expected text");
    assertRefused("a.txt", "<!DOCTYPE html>\n<html><p>a</p>", "a.txt: found an HTML page");
    assertRefused("a.txt", "%PDF-1.7\n1 0 obj", "a.txt: found a PDF document, expected a text");
    assertRefused("a.jsonl", "<html>502 Bad Gateway</html>", "found an HTML page");
    assertRefused(
        "a.txt", "version https://git-lfs.github.com/spec/v1\n", "found a Git LFS pointer");
    assertRefused("a.txt", "{\\rtf1\\ansi text}", "found an RTF document");
    assertRefused("a.txt", "[\n {\"text\": \"a\"}\n]\n", "a.txt: JSON is not a text");
    assertRefused("a.txt", "{\n \"cells\": []\n}\n", "a.txt: JSON is not a text");
    assertRefused("a.txt", "{\"content\": \"a\"}\n", "line 1: expected either text, or prompt");
    TrainingException missing =
        assertThrows(
            TrainingException.class,
            () -> new TextData(directory.resolve("none"), tokenizer, 1, 8, 0.1, 0));
    assertTrue(missing.getMessage().endsWith("none: no such file"), missing.getMessage());
  }

  /** A tokenizer takes a million bytes at once. */
  @Test
  void aLineMayBeLongerThanATokenizerTakes() throws IOException {
    for (String line :
        new String[] {"abcde fghij ".repeat(200_000), "a\uD83D\uDE00".repeat(400_000)}) {
      TextData data = data("long.txt", line, 1000);
      int bytes = line.getBytes(StandardCharsets.UTF_8).length;
      assertEquals(bytes * 3L / 4 / 1000.0, data.sequences(), 2);
    }
    assertRefused(
        "long.jsonl",
        "{\"text\": \"" + "a".repeat(1_100_000) + "\"}\n",
        "long.jsonl, line 1: a text of 1100000 bytes is too long");
  }

  @Test
  void compressedDataAndEndlessFilesAreRefusedInOneLine() throws IOException {
    Path packed = directory.resolve("a.txt.gz");
    try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(packed))) {
      out.write(new byte[100]);
    }
    assertUnread(packed, "found gzip-compressed data");
    Path sparse = directory.resolve("sparse.txt");
    try (RandomAccessFile file = new RandomAccessFile(sparse.toFile(), "rw")) {
      file.setLength(100L << 30);
    }
    assertUnread(sparse, "has more than 268435456 bytes, too many for training data");
    Path endless = Path.of("/dev/zero");
    if (Files.exists(endless)) {
      assertUnread(endless, "/dev/zero: has more than 268435456 bytes");
    }
  }

  private void assertUnread(Path file, String expected) {
    String message =
        assertThrows(TrainingException.class, () -> new TextData(file, tokenizer, 1, 8, 0.1, 0))
            .getMessage();
    assertTrue(message.contains(expected), message);
    assertFalse(message.contains("\n"), message);
  }

  private void assertRefused(String name, String content, String expected) {
    TrainingException thrown = assertThrows(TrainingException.class, () -> data(name, content, 8));
    assertTrue(thrown.getMessage().contains(expected), thrown.getMessage());
    assertFalse(thrown.getMessage().contains("\n"), thrown.getMessage());
  }

  @Test
  void otherDataIsNotGoneOnWith() throws IOException {
    Map<String, String> state = data("a.txt", "one text that is long", 4).state();
    data("a.txt", "one text that is long", 4).restore(state);
    TextData other = data("a.txt", "one text that is longer", 4);
    assertThrows(TrainingException.class, () -> other.restore(state));
  }
}
