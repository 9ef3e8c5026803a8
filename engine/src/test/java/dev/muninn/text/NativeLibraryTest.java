package dev.muninn.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.backend.InferenceException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NativeLibraryTest {
  @TempDir Path directory;

  @Test
  void itsDirectoryIsMadeForThisUserAlone() throws IOException {
    Path own = NativeLibrary.own(directory.resolve("own"));
    assertEquals("rwx------", PosixFilePermissions.toString(Files.getPosixFilePermissions(own)));
    assertEquals(own, NativeLibrary.own(own));
  }

  @Test
  void whatOthersMayWriteToIsRefused() throws IOException {
    Path shared = Files.createDirectory(directory.resolve("shared"));
    Files.setPosixFilePermissions(shared, PosixFilePermissions.fromString("rwxrwxrwx"));
    assertRefused(shared, "can be written to by others");
    assertRefused(shared.resolve("own"), "can be written to by others");
    Path link = Files.createSymbolicLink(directory.resolve("link"), shared);
    assertThrows(InferenceException.class, () -> NativeLibrary.own(link));
    Path file = Files.createFile(directory.resolve("file"));
    assertThrows(IOException.class, () -> NativeLibrary.own(file));
  }

  @Test
  void aChosenPlaceThatIsNoDirectoryIsRefused() throws IOException {
    Path file = Files.createFile(directory.resolve("file"));
    for (String chosen : new String[] {file.toString(), file + "/below", "/dev/null", "a\0b"}) {
      String message =
          assertThrows(InferenceException.class, () -> NativeLibrary.chosen(chosen, "own"))
              .getMessage();
      assertEquals(
          "DJL_CACHE_DIR is " + chosen + ", which is no directory that can be written to", message);
    }
    assertEquals(directory.resolve("own"), NativeLibrary.chosen(directory.toString(), "own"));
  }

  @Test
  void anotherContentIsReplaced() throws IOException {
    Path packed = directory.resolve("packed");
    Path unpacked = directory.resolve("unpacked");
    Files.writeString(packed, "the library");
    for (String planted : new String[] {"the librarz", "", "the library and more"}) {
      Files.writeString(unpacked, planted);
      NativeLibrary.unpack(packed.toUri().toURL(), unpacked);
      assertArrayEquals(Files.readAllBytes(packed), Files.readAllBytes(unpacked));
    }
    try (var files = Files.list(directory)) {
      assertEquals(2, files.count());
    }
  }

  @Test
  void theLibraryIsComparedWithTheArchive() throws IOException {
    NativeLibrary.provide();
    Path library = Path.of(System.getProperty("RUST_LIBRARY_PATH"));
    assertTrue(Files.size(library) > 1_000_000);
    Path planted = directory.resolve(library.getFileName());
    Files.copy(library, planted);
    byte[] content = Files.readAllBytes(planted);
    content[content.length / 2] ^= 1;
    Files.write(planted, content);
    NativeLibrary.unpack(NativeLibrary.resource(library.getFileName().toString()), planted);
    assertEquals(-1, Files.mismatch(library, planted));
  }

  private static void assertRefused(Path path, String complaint) {
    String message =
        assertThrows(InferenceException.class, () -> NativeLibrary.own(path)).getMessage();
    assertTrue(message.contains("shared " + complaint), message);
  }
}
