package dev.muninn.weights;

import static dev.muninn.weights.Bytes.file;
import static dev.muninn.weights.Bytes.header;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Rule 8: files that change after they were mapped. */
class ChangedFileTest {
  private static final int ELEMENTS = 1 << 18;

  @TempDir Path directory;
  private Path file;
  private byte[] content;

  @BeforeEach
  void write() throws IOException {
    content = file(header("F32", "[" + ELEMENTS + "]", "[0," + 4 * ELEMENTS + "]"), 4 * ELEMENTS);
    file = Bytes.single(directory, content);
    // Long ago, so that any change shows however coarse the clock of the file system is.
    Files.setLastModifiedTime(file, FileTime.fromMillis(1_000_000_000_000L));
  }

  @FunctionalInterface
  private interface Change {
    void apply() throws IOException;
  }

  private void assertNoticed(Change change, String... texts) throws IOException {
    try (Checkpoint checkpoint = Checkpoint.open(directory)) {
      checkpoint.verifyUnchanged();
      change.apply();
      String message = Bytes.refusal(checkpoint::verifyUnchanged, texts);
      assertTrue(message.startsWith(file + ": "), message);
    }
  }

  @Test
  void aShrunkFileIsNoticed() throws IOException {
    assertNoticed(
        () -> {
          try (RandomAccessFile shrunk = new RandomAccessFile(file.toFile(), "rw")) {
            shrunk.setLength(1_000);
          }
        },
        "found a file of 1000 bytes, expected " + content.length + " bytes");
  }

  @Test
  void aGrownFileIsNoticed() throws IOException {
    assertNoticed(
        () -> {
          try (RandomAccessFile grown = new RandomAccessFile(file.toFile(), "rw")) {
            grown.setLength(content.length + 1);
          }
        },
        "found a file of " + (content.length + 1) + " bytes");
  }

  @Test
  void aFileWrittenInPlaceIsNoticed() throws IOException {
    assertNoticed(
        () -> {
          try (RandomAccessFile written = new RandomAccessFile(file.toFile(), "rw")) {
            written.seek(content.length - 1);
            written.write(1);
          }
        },
        "found a file changed at ",
        "last changed at 2001-09-09T01:46:40Z");
  }

  /** In compiled code the fault may come after the read itself. */
  @Test
  void aFaultOfAFileThatShrankNamesIt() throws IOException {
    InternalError fault = new InternalError("a fault occurred");
    try (Checkpoint checkpoint = Checkpoint.open(directory)) {
      assertEquals("read", checkpoint.guard(() -> "read"));
      Checkpoint.Reading<String, RuntimeException> faulty =
          () -> {
            throw fault;
          };
      assertSame(fault, assertThrows(InternalError.class, () -> checkpoint.guard(faulty)));
      Files.write(file, Arrays.copyOf(content, content.length / 2));
      Bytes.refusal(() -> checkpoint.guard(faulty), file + ": found a file of ");
    }
  }

  @Test
  void onlyTheFaultOfAFileThatShrankIsCalledSo() throws IOException {
    InternalError fault = new InternalError("a fault occurred");
    RuntimeException other = new IllegalStateException("something else");
    try (Checkpoint checkpoint = Checkpoint.open(directory)) {
      assertSame(fault, checkpoint.explain(fault));
      Files.write(file, Arrays.copyOf(content, content.length / 2));
      assertSame(other, checkpoint.explain(other));
      assertSame(fault, checkpoint.explain(fault).getSuppressed()[0]);
      Bytes.refusal(
          () -> {
            throw (CheckpointException) checkpoint.explain(fault);
          },
          file + ": found a file of ");
    }
  }

  @Test
  void aDeletedFileIsNoticed() throws IOException {
    assertNoticed(() -> Files.delete(file), "found no such file");
  }

  @Test
  void aReplacedFileIsNoticedAndDoesNoHarm() throws IOException {
    try (Checkpoint checkpoint = Checkpoint.open(directory)) {
      float before = checkpoint.tensor("a").get(ELEMENTS - 1);
      Path other = Files.write(directory.resolve("other"), new byte[content.length]);
      Files.setLastModifiedTime(other, Files.getLastModifiedTime(file));
      Files.move(other, file, StandardCopyOption.ATOMIC_MOVE);
      Bytes.refusal(checkpoint::verifyUnchanged, file + ": found another file in its place");
      assertEquals(before, checkpoint.tensor("a").get(ELEMENTS - 1));
    }
  }

  @Test
  void aLongComputationNoticesThatTheFileShrank() throws Exception {
    try (Checkpoint checkpoint = Checkpoint.open(directory)) {
      checkpoint.watch();
      try (RandomAccessFile shrunk = new RandomAccessFile(file.toFile(), "rw")) {
        shrunk.setLength(1_000);
      }
      Bytes.refusal(() -> watchFor(checkpoint, 5_000), "found a file of 1000 bytes");
    }
  }

  @Test
  void aLongComputationIsNotStoppedByAnotherFileInThePlace() throws Exception {
    try (Checkpoint checkpoint = Checkpoint.open(directory)) {
      Path other = Files.write(directory.resolve("other"), new byte[10]);
      Files.move(other, file, StandardCopyOption.ATOMIC_MOVE);
      watchFor(checkpoint, 150);
      Files.delete(file);
      watchFor(checkpoint, 150);
    }
  }

  private static void watchFor(Checkpoint checkpoint, long milliseconds)
      throws InterruptedException {
    for (long end = System.currentTimeMillis() + milliseconds; System.currentTimeMillis() < end; ) {
      checkpoint.watch();
      Thread.sleep(5);
    }
  }

  @Test
  void aDirectoryInItsPlaceIsNoticed() throws IOException {
    assertNoticed(
        () -> {
          Files.delete(file);
          Files.createDirectory(file);
        },
        "found a directory");
  }

  /** In a JVM of its own: whether the fault is survived is the very question. */
  @Test
  void readingBehindTheEndIsAnErrorAndNoCrash() throws Exception {
    Process reader =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx64m",
                "-cp",
                System.getProperty("java.class.path"),
                ShrinkingReader.class.getName(),
                directory.toString())
            .redirectErrorStream(true)
            .start();
    String output = new String(reader.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertTrue(reader.waitFor(20, TimeUnit.SECONDS));
    assertEquals(0, reader.exitValue(), output);
    assertTrue(output.contains("read: " + file + ": tensor \"a\": found no data at its"), output);
    assertTrue(output.contains("verify: " + file + ": found a file of 4096 bytes"), output);
    assertTrue(output.contains("write: " + directory.resolve("copy")), output);
    assertTrue(output.contains("raw: java.lang.InternalError"), output);
    assertTrue(output.contains(", lost: true"), output);
  }

  /** Opens a checkpoint, cuts its file behind its back and reads on. */
  static final class ShrinkingReader {

    private ShrinkingReader() {}

    public static void main(String[] arguments) throws IOException {
      Path directory = Path.of(arguments[0]);
      Checkpoint checkpoint = Checkpoint.open(directory);
      Tensor tensor = checkpoint.tensor("a");
      try (RandomAccessFile file = new RandomAccessFile(tensor.file().toFile(), "rw")) {
        file.setLength(4096);
      }
      tensor.get(0);
      try {
        float sum = 0;
        for (long i = 0; i < tensor.elements(); i++) {
          sum += tensor.get(i);
        }
        System.out.println("sum: " + sum);
      } catch (CheckpointException expected) {
        System.out.println("read: " + expected.getMessage());
      }
      try {
        checkpoint.verifyUnchanged();
      } catch (CheckpointException expected) {
        System.out.println("verify: " + expected.getMessage());
      }
      try {
        new SafetensorsWriter(directory.resolve("copy")).add(tensor).write();
      } catch (CheckpointException expected) {
        System.out.println("write: " + expected.getMessage());
      }
      try {
        System.out.println(tensor.data().toArray(ValueLayout.JAVA_BYTE).length);
      } catch (InternalError expected) {
        System.out.println("raw: " + expected + ", lost: " + Checkpoint.isLostData(expected));
      }
      checkpoint.close();
    }
  }
}
