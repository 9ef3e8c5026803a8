package dev.muninn.weights;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AtomicFileTest {
  @TempDir Path directory;

  private static void write(Path file, String text) throws IOException {
    AtomicFile.requireWritable(file);
    AtomicFile.write(file, text.getBytes(StandardCharsets.UTF_8));
  }

  private List<String> names() throws IOException {
    try (var files = Files.list(directory)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  /** A checkout whose path has a colon is built so. */
  @Test
  void aDirectoryIsWrittenToThroughItsDescriptor() throws IOException {
    Path descriptors = Path.of("/proc/self/fd");
    assumeTrue(Files.isDirectory(descriptors), "this system does not list open files");
    try (FileChannel open = FileChannel.open(directory, StandardOpenOption.READ);
        Stream<Path> all = Files.list(descriptors)) {
      assertTrue(open.isOpen());
      Path through =
          all.filter(fd -> leadsTo(fd, directory)).findFirst().orElseThrow().resolve("new");
      AtomicFile.requireWritable(through);
      AtomicFile.write(through, new byte[] {1});
      AtomicFile.write(through, new byte[] {2, 3});
    }
    assertArrayEquals(new byte[] {2, 3}, Files.readAllBytes(directory.resolve("new")));
    try (Stream<Path> left = Files.list(directory)) {
      assertEquals(1, left.count());
    }
  }

  private static boolean leadsTo(Path descriptor, Path directory) {
    try {
      return Files.readSymbolicLink(descriptor).equals(directory.toRealPath());
    } catch (IOException closed) {
      return false;
    }
  }

  @Test
  void aFileIsWrittenAndReplaced() throws IOException {
    Path file = directory.resolve("größe");
    write(file, "a");
    write(file, "b");
    assertEquals("b", Files.readString(file));
    assertEquals(List.of("größe"), names());
  }

  @Test
  void whatLinksLeadToIsWritten() throws IOException {
    Path folder = Files.createDirectory(directory.resolve("folder"));
    Path file = folder.resolve("file");
    Path link = Files.createSymbolicLink(directory.resolve("link"), Path.of("folder", "file"));
    Path second = Files.createSymbolicLink(directory.resolve("second"), link.getFileName());
    write(second, "new");
    assertEquals("new", Files.readString(file));
    write(second, "newer");
    assertEquals("newer", Files.readString(file));
    assertTrue(Files.isSymbolicLink(link) && Files.isSymbolicLink(second));
    Files.createSymbolicLink(directory.resolve("loop"), Path.of("loop"));
    String reason =
        assertThrows(FileSystemException.class, () -> write(directory.resolve("loop"), "a"))
            .getReason();
    assertEquals("Too many levels of symbolic links", reason);
  }

  @Test
  void permissionsStay() throws IOException {
    Path file = Files.writeString(directory.resolve("secret"), "a");
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
    write(file, "b");
    assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(file)));
  }

  @Test
  void devicesAreWrittenTo() throws IOException {
    Path device = Path.of("/dev/null");
    assumeTrue(Files.exists(device) && !Files.isRegularFile(device), "no /dev/null here");
    Object key = Files.getAttribute(device, "unix:rdev");
    write(device, "a");
    assertFalse(Files.isRegularFile(device));
    assertEquals(key, Files.getAttribute(device, "unix:rdev"));
    Path link = Files.createSymbolicLink(directory.resolve("link"), device);
    write(link, "a");
    assertTrue(Files.isSymbolicLink(link));
  }

  @Test
  void aFullDeviceIsNamed() {
    Path full = Path.of("/dev/full");
    assumeTrue(Files.exists(full), "no /dev/full here");
    FileSystemException failure = assertThrows(FileSystemException.class, () -> write(full, "a"));
    assertEquals("/dev/full: No space left on device", failure.getMessage());
  }

  @Test
  void pipesAreWrittenTo() throws Exception {
    Path pipe = directory.resolve("pipe");
    assumeTrue(CheckpointTest.makePipe(pipe), "no mkfifo here");
    CompletableFuture<String> read =
        CompletableFuture.supplyAsync(() -> {
          try {
            return Files.readString(pipe);
          } catch (IOException e) {
            throw new AssertionError(e);
          }
        });
    write(pipe, "through");
    assertEquals("through", read.get(60, TimeUnit.SECONDS));
    assertEquals(List.of("pipe"), names());
  }

  /** What was printed before stays before. */
  @Test
  void theProgramsOwnOutputIsWrittenTo() throws Exception {
    assumeTrue(Files.exists(Path.of("/dev/stdout")), "no /dev/stdout here");
    Path output = directory.resolve("output");
    for (String name : List.of("/dev/stdout", "/dev/fd/1", "/proc/self/fd/1")) {
      Process process =
          new ProcessBuilder(
                  Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                  "-cp",
                  System.getProperty("java.class.path"),
                  Printing.class.getName(),
                  name)
              .redirectOutput(output.toFile())
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .start();
      try {
        assertTrue(process.waitFor(60, TimeUnit.SECONDS));
      } finally {
        process.destroyForcibly();
      }
      assertEquals("printed, written", Files.readString(output), name);
      assertEquals(List.of("output"), names());
    }
  }

  static final class Printing {
    private Printing() {}

    public static void main(String[] arguments) throws IOException {
      System.out.print("printed, ");
      System.out.flush();
      write(Path.of(arguments[0]), "written");
    }
  }

  @Test
  void failuresNameTheFileThatWasAskedFor() throws IOException {
    Path nowhere = directory.resolve("no/file");
    assertEquals(
        directory.resolve("no").toString(),
        assertThrows(NoSuchFileException.class, () -> write(nowhere, "a")).getFile());
    assertEquals(
        directory.resolve("no").toString(),
        assertThrows(NoSuchFileException.class, () -> AtomicFile.write(nowhere, new byte[1]))
            .getFile());
    assertThrows(IOException.class, () -> write(directory, "a"));
    FileSystemException failure =
        assertThrows(FileSystemException.class, () -> AtomicFile.write(directory, new byte[1]));
    assertEquals(directory.toString(), failure.getFile());
    assertEquals(List.of(), names());
  }
}
