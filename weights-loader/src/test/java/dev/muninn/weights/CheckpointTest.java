package dev.muninn.weights;

import static dev.muninn.weights.Bytes.file;
import static dev.muninn.weights.Bytes.header;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.ValueLayout;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Pipe;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CheckpointTest {
  private static final byte[] VALID = file(header("F32", "[2,3]", "[0,24]"), 24);

  @TempDir Path directory;

  private String refusal(String... texts) {
    return assertTimeoutPreemptively(
        Duration.ofSeconds(10),
        () -> Bytes.refusal(() -> Checkpoint.open(directory).close(), texts));
  }

  @Test
  void aSingleFileIsOpened() throws IOException {
    Path file = Bytes.single(directory, VALID);
    try (Checkpoint checkpoint = Checkpoint.open(directory)) {
      assertEquals(directory, checkpoint.directory());
      assertEquals(List.of(file), checkpoint.files());
      assertEquals(VALID.length, checkpoint.mappedBytes());
      assertTrue(checkpoint.contains("a"));
      assertFalse(checkpoint.contains("b"));
      Tensor tensor = checkpoint.tensor("a");
      assertEquals("a", tensor.name());
      assertEquals(file, tensor.file());
      assertTrue(tensor.data().isNative() && tensor.data().isMapped());
      assertTrue(tensor.data().isReadOnly());
      checkpoint.verifyUnchanged();
    }
  }

  @Test
  void missingTensorsAreNamed() throws IOException {
    try (Checkpoint checkpoint = Bytes.open(directory, VALID)) {
      Bytes.refusal(
          () -> checkpoint.tensor("lm_head.weight"),
          directory + ": tensor \"lm_head.weight\": found no such tensor");
      Bytes.refusal(() -> checkpoint.metadata(Path.of("other")), "other: found", "one of");
    }
  }

  @Test
  void theTensorsCannotBeModified() throws IOException {
    try (Checkpoint checkpoint = Bytes.open(directory, VALID)) {
      assertThrows(UnsupportedOperationException.class, () -> checkpoint.tensors().clear());
    }
  }

  @Test
  void closingTwiceIsHarmlessAndReadsEnd() throws IOException {
    Checkpoint checkpoint = Bytes.open(directory, VALID);
    Tensor tensor = checkpoint.tensor("a");
    checkpoint.close();
    checkpoint.close();
    assertThrows(IllegalStateException.class, () -> tensor.get(0));
    assertTrue(checkpoint.contains("a"));
    assertEquals(List.of(2L, 3L), tensor.shape());
  }

  @Test
  void closingWaitsForNobodyWhileOthersRead() throws Exception {
    for (int round = 0; round < 3; round++) {
      Checkpoint checkpoint = Bytes.open(directory, VALID);
      Tensor tensor = checkpoint.tensor("a");
      Thread reader =
          Thread.ofPlatform()
              .start(() -> {
                try {
                  while (true) {
                    tensor.get(5);
                  }
                } catch (IllegalStateException closed) {
                  // The end that a reader must expect.
                }
              });
      checkpoint.close();
      reader.join(10_000);
      assertFalse(reader.isAlive());
    }
  }

  @Test
  void closingDuringATransferIsRefusedAndPossibleAfterIt() throws Exception {
    // More than a pipe takes at once, so that the transfer waits for a reader.
    int bytes = 1 << 20;
    Checkpoint checkpoint =
        Bytes.open(directory, file(header("U8", "[" + bytes + "]", "[0," + bytes + "]"), bytes));
    Pipe pipe = Pipe.open();
    try (Pipe.SinkChannel sink = pipe.sink();
        Pipe.SourceChannel source = pipe.source()) {
      Thread transfer =
          Thread.ofPlatform()
              .start(() -> {
                try {
                  sink.write(checkpoint.tensor("a").data().asByteBuffer());
                } catch (IOException problem) {
                  throw new UncheckedIOException(problem);
                }
              });
      int read = source.read(ByteBuffer.allocate(1));
      Bytes.refusal(checkpoint::close, directory + ": found its data in use");
      assertEquals(31, checkpoint.tensor("a").data().get(ValueLayout.JAVA_BYTE, 1));
      while (read < bytes) {
        read += source.read(ByteBuffer.allocate(1 << 16));
      }
      transfer.join(10_000);
    }
    checkpoint.close();
    assertThrows(
        IllegalStateException.class,
        () -> checkpoint.tensor("a").data().get(ValueLayout.JAVA_BYTE, 1));
  }

  @Test
  void anEmptyDirectoryIsRefused() {
    refusal(directory + ": found neither model.safetensors nor model.safetensors.index.json");
  }

  @Test
  void whatIsNoDirectoryIsRefused() throws IOException {
    Path missing = directory.resolve("missing");
    Bytes.refusal(() -> Checkpoint.open(missing), missing + ": found no such directory");
    Path file = Bytes.single(directory, VALID);
    Bytes.refusal(() -> Checkpoint.open(file), file + ": found a file", "the directory of");
    Path below = file.resolve("below");
    Bytes.refusal(() -> Checkpoint.open(below), below + ": found ");
  }

  @Test
  void theSingleFileWinsOverTheIndex() throws IOException {
    Bytes.single(directory, VALID);
    Files.writeString(directory.resolve(Checkpoint.INDEX_FILE), "not even JSON");
    Checkpoint.open(directory).close();
  }

  @Test
  void directoriesArePlainlyRefused() throws IOException {
    Path file = Files.createDirectory(directory.resolve(Checkpoint.SINGLE_FILE));
    refusal(file + ": found a directory, expected a regular file");
    Files.delete(file);
    Path index = Files.createDirectory(directory.resolve(Checkpoint.INDEX_FILE));
    refusal(index + ": found a directory, expected a regular file");
  }

  @Test
  void pipesAreRefusedWithoutBeingOpened() throws Exception {
    for (String name : List.of(Checkpoint.SINGLE_FILE, Checkpoint.INDEX_FILE)) {
      Path pipe = directory.resolve(name);
      assumeTrue(makePipe(pipe), "no mkfifo here");
      refusal(pipe + ": found a pipe, socket or device");
      Files.delete(pipe);
    }
  }

  static boolean makePipe(Path pipe) throws InterruptedException {
    try {
      return new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor() == 0;
    } catch (IOException notThere) {
      return false;
    }
  }

  @Test
  void socketsAreRefused() throws IOException {
    Path socket = directory.resolve(Checkpoint.SINGLE_FILE);
    try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      server.bind(UnixDomainSocketAddress.of(socket));
      refusal(socket + ": found a pipe, socket or device");
    }
  }

  @Test
  void devicesAreRefused() throws IOException {
    assumeTrue(new File("/dev/zero").exists(), "no devices here");
    Path link = directory.resolve(Checkpoint.SINGLE_FILE);
    Files.createSymbolicLink(link, Path.of("/dev/zero"));
    refusal(link + ": found a pipe, socket or device");
    Files.delete(link);
  }

  @Test
  void linksOfTheSingleFileAreFollowed(@TempDir Path elsewhere) throws IOException {
    Path blob = Files.write(elsewhere.resolve("blob"), VALID);
    Path link = directory.resolve(Checkpoint.SINGLE_FILE);
    Files.createSymbolicLink(link, blob);
    try (Checkpoint checkpoint = Checkpoint.open(directory)) {
      assertEquals(List.of(link), checkpoint.files());
    }
    Files.delete(blob);
    refusal(link + ": found no such file");
  }

  @Test
  void linksInALoopAreRefused() throws IOException {
    Path link = directory.resolve(Checkpoint.SINGLE_FILE);
    Files.createSymbolicLink(link, link.getFileName());
    refusal(link + ": found the error '");
  }

  @Test
  void refusedFilesDoNotStayOpen() throws IOException {
    Path open = Path.of("/proc/self/fd");
    assumeTrue(Files.isDirectory(open), "no list of open files here");
    Bytes.single(directory, file("{}", 1));
    refusal();
    long before = count(open);
    for (int i = 0; i < 100; i++) {
      refusal();
      Bytes.single(directory, VALID);
      Checkpoint.open(directory).close();
      Bytes.single(directory, file("{}", 1));
    }
    assertTrue(count(open) < before + 50);
  }

  private static long count(Path open) throws IOException {
    try (var entries = Files.list(open)) {
      return entries.count();
    }
  }
}
