package dev.muninn.weights;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JsonFileTest {
  @TempDir Path directory;

  private Path file(String text) throws IOException {
    return Files.writeString(directory.resolve("config.json"), text);
  }

  private Map<String, Object> read(String text) throws IOException {
    return JsonFile.readObject(file(text));
  }

  private void assertRefused(String text, String... texts) throws IOException {
    Path file = file(text);
    String message = Bytes.refusal(() -> JsonFile.readObject(file), texts);
    assertTrue(message.startsWith(file + ": "), message);
  }

  @Test
  void everyKindOfValueIsRead() throws IOException {
    Map<String, Object> object =
        read(
            """
             {"z": 1, "a": -9223372036854775808, "big": 9223372036854775808, "d": 1.5, "e": 1e3,
              "t": true, "f": false, "n": null, "s": "größe \\ud83d\\udc26 \\u0000", "": "",
              "l": [1, [], {"x": [null]}], "zero": -0, "small": 1e-400}
            """);
    assertEquals(
        List.of("z", "a", "big", "d", "e", "t", "f", "n", "s", "", "l", "zero", "small"),
        List.copyOf(object.keySet()));
    assertEquals(1L, object.get("z"));
    assertEquals(Long.MIN_VALUE, object.get("a"));
    assertEquals(BigInteger.TWO.pow(63), object.get("big"));
    assertEquals(1.5, object.get("d"));
    assertEquals(1000.0, object.get("e"));
    assertEquals(true, object.get("t"));
    assertEquals(false, object.get("f"));
    assertNull(object.get("n"));
    assertEquals("größe 🐦 \0", object.get("s"));
    assertEquals("", object.get(""));
    List<?> list = assertInstanceOf(ArrayList.class, object.get("l"));
    assertEquals(List.of(1L, List.of()), list.subList(0, 2));
    assertInstanceOf(LinkedHashMap.class, list.get(2));
    assertEquals(0L, object.get("zero"));
    assertEquals(0.0, object.get("small"));
    assertInstanceOf(LinkedHashMap.class, object);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        " ",
        "[]",
        "null",
        "1",
        "\"a\"",
        "{",
        "{\"a\":1",
        "{\"a\":1,}",
        "{\"a\":[1,]}",
        "{} {}",
        "{}x",
        "{\"a\":NaN}",
        "{\"a\":-Infinity}",
        "{\"a\":01}",
        "{\"a\":+1}",
        "{\"a\":.5}",
        "{\"a\":1.}",
        "{\"a\":0x1}",
        "{'a':1}",
        "{a:1}",
        "{\"a\":1 /* x */}",
        "{\"a\":1 // x\n}",
        "# x\n{}",
        "{\"a\":\"\t\"}",
        "{\"a\":\"\\q\"}",
        "{\"a\":\"\\ud800\"}",
        "{\"a\":undefined}",
        "{\"a\":tru}",
        "{\"a\":1e}",
        "{\"a\" 1}",
        "{\"a\":1 \"b\":2}",
        "}",
        "]"
      })
  void otherTextsAreRefused(String text) throws IOException {
    assertRefused(text, "line ", "column ");
  }

  @Test
  void errorsNameLineAndColumn() throws IOException {
    assertRefused("{\n  \"a\": 1,\n  \"b\": oops\n}", "at line 3, column 8");
    assertRefused("{\n  \"a\": 1,\n  \"a\": 2\n}", "the key \"a\" twice at line 3, column 3");
    assertRefused("{}\n x", "at line 2, column 2");
  }

  @Test
  void duplicatesAreRefusedAtEveryLevel() throws IOException {
    assertRefused("{\"a\":1,\"a\":1}", "the key \"a\" twice");
    assertRefused("{\"a\":null,\"a\":null}", "the key \"a\" twice");
    assertRefused("{\"a\":[{\"b\":1,\"\\u0062\":1}]}", "the key \"b\" twice");
  }

  @Test
  void numbersBeyondADoubleAreRefused() throws IOException {
    assertRefused("{\"a\":1e400}", "the number \"1e400\"", "within a double");
    assertRefused("{\"a\":-1e999999999}", "within a double");
    assertEquals(new BigInteger("7".repeat(400)), read("{\"a\":" + "7".repeat(400) + "}").get("a"));
    assertRefused("{\"a\":" + "7".repeat(1_001) + "}", "1000");
  }

  @Test
  void nestingIsLimited() throws IOException {
    read("{\"a\":" + "[".repeat(99) + "]".repeat(99) + "}");
    assertRefused("{\"a\":" + "[".repeat(100) + "]".repeat(100) + "}", "depth", "100");
    assertRefused("{\"a\":".repeat(1_000_000), "depth");
  }

  @Test
  void theNumberOfValuesIsLimited() throws IOException {
    assertRefused("{\"a\":[" + "{},".repeat(2_500_000) + "{}]}", "5000000");
  }

  @Test
  void badUtf8IsRefused() throws IOException {
    Path file = directory.resolve("config.json");
    Files.write(file, new byte[] {'{', '"', (byte) 0xc0, (byte) 0x80, '"', ':', '1', '}'});
    Bytes.refusal(() -> JsonFile.readObject(file), file + ": found bytes", "UTF-8 at byte 2");
    Files.write(file, "{\"a\":1}".getBytes(StandardCharsets.UTF_16));
    Bytes.refusal(() -> JsonFile.readObject(file), "found UTF-16 text, expected JSON in UTF-8");
  }

  @Test
  void whatIsNoFileIsRefused() throws Exception {
    Path missing = directory.resolve("missing.json");
    Bytes.refusal(() -> JsonFile.readObject(missing), missing + ": found no such file");
    Bytes.refusal(() -> JsonFile.readObject(directory), directory + ": found a directory");
    Path pipe = directory.resolve("pipe");
    assumeTrue(CheckpointTest.makePipe(pipe), "no mkfifo here");
    assertTimeoutPreemptively(
        Duration.ofSeconds(10),
        () -> Bytes.refusal(() -> JsonFile.readObject(pipe), "found a pipe"));
  }

  @Test
  void theSizeIsCheckedBeforeReading() throws IOException {
    Path file = directory.resolve("config.json");
    try (RandomAccessFile large = new RandomAccessFile(file.toFile(), "rw")) {
      large.setLength(100_000_001);
    }
    Bytes.refusal(
        () -> JsonFile.readObject(file), "found a file of 100000001 bytes", "at most 100000000");
  }
}
