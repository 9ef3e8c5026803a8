package dev.muninn.weights;

import static dev.muninn.weights.Bytes.file;
import static dev.muninn.weights.Bytes.header;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A tensor's data mapped once more, with what stands before it. */
class PrivateMapTest {
  private static final byte[] FILE = file(header("F32", "[2,3]", "[0,24]"), 24);

  @TempDir Path directory;

  @Test
  void writingReachesNeitherTheFileNorTheTensor() throws IOException {
    try (Checkpoint checkpoint = Bytes.open(directory, FILE);
        Arena arena = Arena.ofConfined()) {
      MemorySegment data = checkpoint.tensor("a").data();
      for (long from = 0; from < data.byteSize(); from += 5) {
        MemorySegment part = data.asSlice(from);
        MemorySegment mapped = checkpoint.mapPrivate(part, 16, arena);
        assertEquals(16 + part.byteSize(), mapped.byteSize());
        assertEquals(-1, part.mismatch(mapped.asSlice(16)));
        mapped.fill((byte) 77);
        assertEquals(77, mapped.get(ValueLayout.JAVA_BYTE, mapped.byteSize() - 1));
      }
      assertArrayEquals(FILE, Files.readAllBytes(checkpoint.files().getFirst()));
      assertEquals(0, checkpoint.tensor("a").data().get(ValueLayout.JAVA_BYTE, 0));
      checkpoint.verifyUnchanged();
    }
  }

  @Test
  void theWholeFileMayStandBefore() throws IOException {
    try (Checkpoint checkpoint = Bytes.open(directory, FILE);
        Arena arena = Arena.ofConfined()) {
      MemorySegment data = checkpoint.tensor("a").data();
      int before = FILE.length - 24;
      assertArrayEquals(
          FILE, checkpoint.mapPrivate(data, before, arena).toArray(ValueLayout.JAVA_BYTE));
      String message =
          assertThrows(
                  IllegalArgumentException.class,
                  () -> checkpoint.mapPrivate(data, before + 1, arena))
              .getMessage();
      assertEquals(
          checkpoint.files().getFirst()
              + " has "
              + before
              + " bytes before the data, not "
              + (before + 1),
          message);
    }
  }

  @Test
  void otherDataIsRefused() throws IOException {
    try (Checkpoint checkpoint = Bytes.open(directory, FILE);
        Arena arena = Arena.ofConfined()) {
      MemorySegment other = arena.allocate(24);
      assertThrows(IllegalArgumentException.class, () -> checkpoint.mapPrivate(other, 16, arena));
      MemorySegment heap = MemorySegment.ofArray(new byte[24]);
      assertThrows(IllegalArgumentException.class, () -> checkpoint.mapPrivate(heap, 16, arena));
    }
  }

  @Test
  void aFileThatWasReplacedIsRefused() throws IOException {
    try (Checkpoint checkpoint = Bytes.open(directory, FILE);
        Arena arena = Arena.ofConfined()) {
      Path file = checkpoint.files().getFirst();
      Path other = directory.resolve("other");
      Files.write(other, FILE);
      Files.delete(file);
      Files.move(other, file);
      MemorySegment data = checkpoint.tensor("a").data();
      Bytes.refusal(() -> checkpoint.mapPrivate(data, 16, arena), file + ": found");
    }
  }
}
