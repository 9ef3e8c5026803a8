package dev.muninn.weights;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PrivateDirectoryTest {
  @TempDir private Path directory;

  @BeforeEach
  void needsPermissions() {
    assumeTrue(
        directory.getFileSystem().supportedFileAttributeViews().contains("unix"),
        "this system has no owners and permissions of Unix");
  }

  private static void allow(Path path, String permissions) throws IOException {
    Files.setPosixFilePermissions(path, PosixFilePermissions.fromString(permissions));
  }

  private static void assertRefused(Path path, String expected) {
    PrivateDirectory.NotPrivateException refusal =
        assertThrows(
            PrivateDirectory.NotPrivateException.class, () -> PrivateDirectory.create(path));
    PrivateDirectory.NotPrivateException sameWithoutMaking =
        assertThrows(
            PrivateDirectory.NotPrivateException.class, () -> PrivateDirectory.check(path));
    assertEquals(refusal.getMessage(), sameWithoutMaking.getMessage());
    assertTrue(refusal.getMessage().contains(expected), refusal.getMessage());
    assertEquals(1, refusal.getMessage().lines().count());
  }

  @Test
  void whatItMakesIsTheUsersAlone() throws IOException {
    Path made = PrivateDirectory.create(directory.resolve("a/b"));
    for (Path path : new Path[] {made, made.getParent()}) {
      assertEquals("rwx------", PosixFilePermissions.toString(Files.getPosixFilePermissions(path)));
    }
    assertEquals(made, PrivateDirectory.create(made));
  }

  @ParameterizedTest
  @ValueSource(strings = {"rwxrwx---", "rwxr-xrwx", "rwxrwxrwx"})
  void whatOthersCanWriteToIsRefused(String permissions) throws IOException {
    Path open = Files.createDirectory(directory.resolve("open"));
    allow(open, permissions);
    assertRefused(open, open.toRealPath() + " can be written to by others");
  }

  @Test
  void soIsWhatOthersCanReplace() throws IOException {
    Path open = Files.createDirectory(directory.resolve("open"));
    allow(open, "rwxrwxrwx");
    assertRefused(open.resolve("inner"), open.toRealPath() + " can be written to by others");
    Path link = Files.createSymbolicLink(directory.resolve("link"), open.resolve("inner"));
    assertRefused(link, open.toRealPath() + " can be written to by others");
  }

  @Test
  void whatBelongsToAnotherIsRefused() throws IOException {
    Path other = Files.createDirectory(directory.resolve("other"));
    try {
      Files.setAttribute(other, "unix:uid", 65_534);
    } catch (IOException e) {
      assumeTrue(false, "only root can give a directory away");
    }
    assertRefused(other, "belongs to ");
    assertRefused(other.resolve("inner"), other.toRealPath() + " belongs to ");
  }

  @Test
  void aFileIsNoDirectory() throws IOException {
    Path file = Files.createFile(directory.resolve("file"));
    for (Path path : new Path[] {file, file.resolve("inner")}) {
      for (Executable attempt :
          new Executable[] {
            () -> PrivateDirectory.create(path), () -> PrivateDirectory.check(path)
          }) {
        FileSystemException refusal = assertThrows(FileSystemException.class, attempt);
        assertEquals(file + ": not a directory", refusal.getMessage());
      }
    }
  }

  @Test
  void checkingMakesNothing() throws IOException {
    PrivateDirectory.check(directory.resolve("a/b"));
    assertTrue(Files.notExists(directory.resolve("a")));
  }
}
