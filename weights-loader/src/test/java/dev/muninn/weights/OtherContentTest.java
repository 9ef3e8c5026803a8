package dev.muninn.weights;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What stands where a model's file should be, and other ways to write text. */
class OtherContentTest {
  private static final String POINTER =
      """
      version https://git-lfs.github.com/spec/v1
      oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393
      size 12345
      """;

  @TempDir Path directory;

  @Test
  void pointersOfGitAreNamed() throws IOException {
    for (String end : List.of("\n", "\r\n")) {
      byte[] pointer = POINTER.replace("\n", end).getBytes(StandardCharsets.UTF_8);
      Bytes.assertRefused(directory, pointer, "a Git LFS pointer", "'git lfs pull' fetches it");
    }
    Path file = Files.writeString(directory.resolve("config.json"), POINTER);
    Bytes.refusal(() -> JsonFile.readObject(file), file + ": found a Git LFS pointer");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "<!DOCTYPE html><html><head><title>404</title></head></html>",
        "<!doctype HTML>\n<p>Sign in",
        "\n\n  <html lang='en'>\n<body>Gateway timeout</body></html>",
        "\uFEFF<!DOCTYPE html>\n<html></html>",
        "<head><title>Moved</title></head>",
        "<!-- saved from a browser -->\n<html></html>",
        "<?xml version='1.0'?><!DOCTYPE html><html xmlns='x'></html>"
      })
  void pagesAreNamed(String page) throws IOException {
    byte[] bytes = page.getBytes(StandardCharsets.UTF_8);
    Bytes.assertRefused(directory, bytes, "found an HTML page", "expected safetensors weights");
    Path file = Files.write(directory.resolve("config.json"), bytes);
    Bytes.refusal(() -> JsonFile.readObject(file), "found an HTML page", "expected JSON");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          <?xml version="1.0"?><Error><Code>AccessDenied</Code></Error> | an XML document
          <Error><Code>NoSuchKey</Code></Error>                         | an XML document
          {"error":"Repository not found"}                              | JSON text
          [{"error":"x"}]                                               | JSON text
          Entry not found                                               | a text that begins "Entry not found"
          Invalid username or password.                                 | a text that begins "Invalid
          """)
  void messagesOfServersAreNamed(String text, String what) throws IOException {
    Bytes.assertRefused(directory, text.getBytes(StandardCharsets.UTF_8), "found " + what);
  }

  @ParameterizedTest
  @CsvSource({
    "504b030414000000080000,a ZIP archive",
    "1f8b0800000000000003,gzip-compressed data",
    "800263746f7263680a,a Python pickle",
    "80049567000000000000008c,a Python pickle",
    "4747554603000000,a GGUF file",
    "894844460d0a1a0a00,an HDF5 file",
    "934e554d505901007600,a NumPy file",
    "28b52ffd0458,Zstandard-compressed data",
    "7f454c4602010100,an ELF binary",
    "fffe7b002200,UTF-16 text",
    "feff007b0022,UTF-16 text",
    "255044462d312e37,a PDF document"
  })
  void otherFormatsAreNamed(String begin, String what) throws IOException {
    byte[] bytes = Arrays.copyOf(HexFormat.of().parseHex(begin), 4_000_000);
    Bytes.assertRefused(directory, bytes, "found " + what, "expected safetensors weights");
  }

  @Test
  void archivesAndUnfinishedDownloadsAreNamed() throws IOException {
    byte[] tar = new byte[4096];
    byte[] name = "model.safetensors".getBytes(StandardCharsets.US_ASCII);
    System.arraycopy(name, 0, tar, 0, name.length);
    System.arraycopy("ustar".getBytes(StandardCharsets.US_ASCII), 0, tar, 257, 5);
    Bytes.assertRefused(directory, tar, "found a tar archive");
    Bytes.assertRefused(directory, new byte[4096], "found zeros");
    String old = POINTER.replace("git-lfs.github.com", "hawser.github.com");
    Bytes.assertRefused(directory, old.getBytes(StandardCharsets.UTF_8), "found a Git LFS pointer");
  }

  @Test
  void anEmptyFileIsNamed() throws IOException {
    Bytes.assertRefused(directory, new byte[0], "found an empty file");
    Path file = Files.write(directory.resolve("config.json"), new byte[0]);
    Bytes.refusal(() -> JsonFile.readObject(file), "found an empty file");
  }

  @Test
  void weightsOfOtherKindsAreNamedWhereThereAreNone() throws IOException {
    Files.write(directory.resolve("pytorch_model.bin"), new byte[10]);
    String found = "found neither model.safetensors nor model.safetensors.index.json, but \"";
    Bytes.refusal(() -> Checkpoint.open(directory), found + "pytorch_model.bin\", expected");
    Files.write(directory.resolve("model-00001-of-00002.safetensors"), new byte[10]);
    Bytes.refusal(
        () -> Checkpoint.open(directory), found + "model-00001-of-00002.safetensors\" and 1 more");
  }

  @Test
  void aByteOrderMarkIsNotPartOfJson() throws IOException {
    Path file = Files.writeString(directory.resolve("config.json"), "\uFEFF{\"a\": 1}");
    assertEquals(Map.of("a", 1L), JsonFile.readObject(file));
    Files.writeString(file, "\uFEFF \n[1]");
    assertEquals(List.of(1L), JsonFile.readArray(file));
    assertEquals(Map.of("a", 1L), JsonFile.readObject("answer", "\uFEFF{\"a\": 1}"));
    Files.writeString(file, "\uFEFF\uFEFF{}");
    Bytes.refusal(() -> JsonFile.readObject(file), "line 1");
  }

  @ParameterizedTest
  @ValueSource(strings = {"UTF-16", "UTF-16LE", "UTF-16BE", "UTF-32"})
  void otherEncodingsOfJsonAreNamed(String encoding) throws IOException {
    byte[] text = "{\"model_type\": \"huginn_raven\"}".getBytes(Charset.forName(encoding));
    Path file = Files.write(directory.resolve("config.json"), text);
    String message = Bytes.refusal(() -> JsonFile.readObject(file));
    assertEquals(encoding.startsWith("UTF-16"), message.contains("found UTF-16 text"), message);
  }

  @Test
  void linesMayBeginWithAMark() throws IOException {
    Path file = Files.writeString(directory.resolve("a.jsonl"), "\uFEFF{\"a\": 1}\n{\"a\": 2}\n");
    assertEquals(2, JsonLines.read(file, "prompts").size());
    Files.write(file, "{\"a\": 1}\n".getBytes(StandardCharsets.UTF_16LE));
    String message =
        assertThrows(IOException.class, () -> JsonLines.read(file, "prompts")).getMessage();
    assertEquals(file + " is UTF-16 or binary, expected UTF-8 text", message);
  }

  @Test
  void textsAreDecoded() throws IOException {
    assertEquals("", Utf8Text.decode("x", new byte[0]));
    for (String text : List.of("a", "\n", "\uFEFFa", "\uFFFEä雪", "\uEFFF", "a\0")) {
      String expected = text.equals("\uFEFFa") ? "a" : text;
      byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
      if (text.equals("a\0")) {
        assertThrows(IOException.class, () -> Utf8Text.decode("x", bytes));
      } else {
        assertEquals(expected, Utf8Text.decode("x", bytes));
      }
    }
    byte[] marked = "aä".getBytes(StandardCharsets.UTF_16);
    String message =
        assertThrows(IOException.class, () -> Utf8Text.decode("x", marked)).getMessage();
    assertEquals("x is UTF-16 text, expected UTF-8", message);
    byte[] latin = {'a', 'b', (byte) 0xE4};
    message = assertThrows(IOException.class, () -> Utf8Text.decode("x", latin)).getMessage();
    assertEquals("x is not UTF-8 text", message);
  }

  /** Who types one line and waits for the answer must get it. */
  @Test
  void noMoreIsReadThanIsThere() throws IOException {
    InputStream oneByte =
        new InputStream() {
          private boolean given;

          @Override
          public int read() {
            assertFalse(given, "the second byte would never come");
            given = true;
            return '\n';
          }

          @Override
          public int read(byte[] target, int offset, int length) {
            if (length == 0) {
              return 0;
            }
            target[offset] = (byte) read();
            return 1;
          }
        };
    assertEquals('\n', Utf8Text.reader("x", oneByte).read(new char[1], 0, 1) == 1 ? '\n' : 0);
    assertTrue(new ByteArrayInputStream(new byte[0]).read() < 0);
  }

  @Test
  void tensorsHaveTheirSecondNames() throws IOException {
    String header =
        "{\"__metadata__\":{\"format\":\"pt\",\"embedding\":\"head\",\"lost\":\"none\","
            + "\"head\":\"head\"},\"head\":"
            + Bytes.entry("F32", "[2]", "[0,8]")
            + "}";
    try (Checkpoint checkpoint = Bytes.open(directory, Bytes.file(header, 8))) {
      assertTrue(checkpoint.contains("embedding"));
      assertFalse(checkpoint.contains("lost"));
      assertFalse(checkpoint.contains("format"));
      assertEquals("embedding", checkpoint.tensor("embedding").name());
      assertEquals(checkpoint.tensor("head").data(), checkpoint.tensor("embedding").data());
      assertEquals(List.of("head"), List.copyOf(checkpoint.tensors().keySet()));
      Bytes.refusal(() -> checkpoint.tensor("lost"), "no such tensor");
    }
  }

  @Test
  void anIndexMayMapSecondNames() throws IOException {
    String shard = "model-00001-of-00001.safetensors";
    String header =
        "{\"__metadata__\":{\"embedding\":\"head\"},\"head\":"
            + Bytes.entry("F32", "[2]", "[0,8]")
            + "}";
    Files.write(directory.resolve(shard), Bytes.file(header, 8));
    Path index = directory.resolve(Checkpoint.INDEX_FILE);
    for (String names : List.of("'head'", "'head','embedding'")) {
      String map = names.replaceAll("'([a-z]+)'", "\"$1\":\"" + shard + "\"");
      Files.writeString(index, "{\"weight_map\":{" + map + "}}");
      try (Checkpoint checkpoint = Checkpoint.open(directory)) {
        assertTrue(checkpoint.contains("embedding"));
      }
    }
    Files.writeString(
        index, "{\"weight_map\":{\"head\":\"" + shard + "\",\"other\":\"" + shard + "\"}}");
    Bytes.refusal(() -> Checkpoint.open(directory), "tensor \"other\": found no such tensor");
  }
}
