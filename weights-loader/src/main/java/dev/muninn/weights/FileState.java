package dev.muninn.weights;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.util.Objects;

/**
 * What a regular file looked like at one moment, to tell later whether it is still the same.
 *
 * @param path the file, as its user names it; symbolic links are followed
 * @param size its size in bytes
 * @param modified the time of its last change, as exact as the file system keeps it
 * @param key what identifies the file behind the path, or null where the system cannot say
 */
record FileState(Path path, long size, FileTime modified, Object key) {

  /**
   * Looks at a file without opening it, so that a pipe or a device cannot block or act.
   *
   * @throws CheckpointException if it is missing or not a regular file
   */
  static FileState of(Path path) {
    BasicFileAttributes attributes;
    try {
      attributes = Files.readAttributes(path, BasicFileAttributes.class);
    } catch (IOException problem) {
      throw CheckpointException.failure(path, "a regular file", problem);
    }
    if (!attributes.isRegularFile()) {
      throw CheckpointException.refusal(
          path,
          attributes.isDirectory() ? "a directory" : "a pipe, socket or device",
          "a regular file");
    }
    return new FileState(
        path, attributes.size(), attributes.lastModifiedTime(), attributes.fileKey());
  }

  /**
   * Checks that the mapped file was not written to. A path that leads to another file by now, or to
   * none, is no harm: the map keeps the old one.
   *
   * @throws CheckpointException if it was
   */
  void verifyNotWritten() {
    try {
      BasicFileAttributes now = Files.readAttributes(path, BasicFileAttributes.class);
      if (!Objects.equals(now.fileKey(), key)) {
        return;
      }
    } catch (IOException gone) {
      return;
    }
    verifyUnchanged();
  }

  /**
   * Checks that the path still leads to the same file with the same size and time.
   *
   * @throws CheckpointException if it does not
   */
  void verifyUnchanged() {
    FileState now = of(path);
    if (now.size != size) {
      throw CheckpointException.refusal(
          path, "a file of " + now.size + " bytes", size + " bytes as when it was opened");
    }
    // A record's own equals is put together at run time, which a start would wait for.
    if (!now.modified.equals(modified) || !Objects.equals(now.key, key)) {
      throw CheckpointException.refusal(
          path,
          now.modified.equals(modified)
              ? "another file in its place"
              : "a file changed at " + now.modified,
          "the file that was opened, last changed at " + modified);
    }
  }
}
