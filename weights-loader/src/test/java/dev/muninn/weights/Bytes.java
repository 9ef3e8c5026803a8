package dev.muninn.weights;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.function.Executable;

/** Files made by hand, and what every refusal must look like. */
final class Bytes {

  private Bytes() {}

  /** A safetensors file whose header length is true, followed by so many bytes of data. */
  static byte[] file(byte[] header, int dataBytes) {
    return file(header.length, header, dataBytes);
  }

  static byte[] file(String header, int dataBytes) {
    return file(header.getBytes(StandardCharsets.UTF_8), dataBytes);
  }

  static byte[] file(long headerLength, byte[] header, int dataBytes) {
    ByteBuffer file =
        ByteBuffer.allocate(Long.BYTES + header.length + dataBytes)
            .order(ByteOrder.LITTLE_ENDIAN)
            .putLong(headerLength)
            .put(header);
    for (int i = 0; i < dataBytes; i++) {
      file.put((byte) (i * 31));
    }
    return file.array();
  }

  static String entry(String dtype, String shape, String offsets) {
    return "{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":%s}".formatted(dtype, shape, offsets);
  }

  /** A header of one tensor named a. */
  static String header(String dtype, String shape, String offsets) {
    return "{\"a\":" + entry(dtype, shape, offsets) + "}";
  }

  /** A small shape of up to four dimensions, zeros among them, that ends at a whole byte. */
  static List<Long> randomShape(Random random, DType dtype) {
    List<Long> shape = new ArrayList<>();
    for (int rank = random.nextInt(4); rank > 0; rank--) {
      shape.add((long) random.nextInt(6));
    }
    if (dtype.bits() % Byte.SIZE != 0) {
      shape.add(4L);
    }
    return shape;
  }

  static Path single(Path directory, byte[] content) throws IOException {
    Path file = directory.resolve(Checkpoint.SINGLE_FILE);
    // Some file systems wait for the disk when a file is emptied and written again.
    Files.deleteIfExists(file);
    return Files.write(file, content);
  }

  static Checkpoint open(Path directory, byte[] content) throws IOException {
    single(directory, content);
    return Checkpoint.open(directory);
  }

  static void assertOpens(Path directory, byte[] content) throws IOException {
    open(directory, content).close();
  }

  /** The message of the refusal of such a single file, which must name the file and these texts. */
  static String assertRefused(Path directory, byte[] content, String... texts) throws IOException {
    Path file = single(directory, content);
    String message = refusal(() -> Checkpoint.open(directory).close(), texts);
    assertTrue(message.startsWith(file + ": "), message);
    return message;
  }

  /** The message of the refusal that must come, one line with found, expected and these texts. */
  static String refusal(Executable action, String... texts) {
    String message = assertThrows(CheckpointException.class, action).getMessage();
    assertOneLine(message);
    assertTrue(message.contains("found ") && message.contains(", expected "), message);
    for (String text : texts) {
      assertTrue(message.contains(text), () -> "no <" + text + "> in: " + message);
    }
    return message;
  }

  static void assertOneLine(String message) {
    assertTrue(message.length() <= CheckpointException.MAX_MESSAGE_LENGTH, message);
    assertFalse(message.isBlank());
    assertEquals(1, message.lines().count(), message);
    assertTrue(message.codePoints().noneMatch(Character::isISOControl), message);
  }
}
