package dev.muninn.weights;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import java.util.Set;

/**
 * Directories to which only this user and the administrator can write, so that their content is
 * safe to run and map.
 */
public final class PrivateDirectory {
  private static final FileAttribute<Set<PosixFilePermission>> OWNER_ONLY =
      PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));

  private static final int GROUP_WRITES = 0020;
  private static final int OTHERS_WRITE = 0002;

  /** Entries of such a directory are removed and renamed only by their owners. */
  private static final int STICKY = 01000;

  private static final int ROOT = 0;

  private static final String NO_DIRECTORY = "not a directory";

  private PrivateDirectory() {}

  /** Somebody else could change what lies in a directory. */
  public static final class NotPrivateException extends IOException {
    private static final long serialVersionUID = 1L;

    NotPrivateException(Path path, String reason) {
      super(path + " " + reason + "; expected a directory that only you can write to");
    }
  }

  /**
   * Makes a directory with those above it that are missing, for this user only, or takes the one
   * that is there.
   *
   * @return the directory without symbolic links, which others might turn elsewhere later
   * @throws NotPrivateException in one line, if others could put something in its place or into it
   * @throws IOException if it cannot be made
   */
  public static Path create(Path directory) throws IOException {
    Path absolute = directory.toAbsolutePath().normalize();
    make(absolute);
    Path real = absolute.toRealPath();
    require(real);
    return real;
  }

  /**
   * Refuses what {@link #create} would refuse, and makes nothing.
   *
   * @param directory need not exist
   * @throws NotPrivateException in one line, if others could put something in its place or into it
   * @throws IOException if it, or what is above it, is no directory
   */
  public static void check(Path directory) throws IOException {
    Path absolute = directory.toAbsolutePath().normalize();
    Path found = absolute;
    while (!Files.exists(found) && found.getParent() != null) {
      found = found.getParent();
    }
    if (!Files.isDirectory(found)) {
      throw new FileSystemException(found.toString(), null, NO_DIRECTORY);
    }
    Path real = found.toRealPath();
    if (found.equals(absolute)) {
      require(real);
    } else if (isPosix(real)) {
      requireAbove(real, user(real));
    }
  }

  private static void make(Path directory) throws IOException {
    if (Files.isDirectory(directory)) {
      return;
    }
    if (directory.getParent() != null) {
      make(directory.getParent());
    }
    try {
      if (isPosix(directory)) {
        Files.createDirectory(directory, OWNER_ONLY);
      } else {
        Files.createDirectory(directory);
      }
    } catch (FileAlreadyExistsException e) {
      // Perhaps another start of the program was first.
      if (!Files.isDirectory(directory)) {
        throw new FileSystemException(directory.toString(), null, NO_DIRECTORY);
      }
    }
  }

  /**
   * Checks a directory that is there. Where the system has no owners and permissions of this kind,
   * nothing is checked.
   *
   * @param real a path without symbolic links
   * @throws NotPrivateException in one line, if others could put something in its place or into it
   */
  public static void require(Path real) throws IOException {
    if (!isPosix(real)) {
      return;
    }
    long me = user(real);
    Access own = Access.of(real);
    if (own.user != me) {
      throw new NotPrivateException(real, "belongs to " + Files.getOwner(real).getName());
    }
    if ((own.mode & (GROUP_WRITES | OTHERS_WRITE)) != 0) {
      throw new NotPrivateException(real, "can be written to by others");
    }
    requireAbove(real.getParent(), me);
  }

  /** Checks a directory and those above it, where files of others may lie but not replace ours. */
  private static void requireAbove(Path lowest, long me) throws IOException {
    for (Path above = lowest; above != null; above = above.getParent()) {
      Access access = Access.of(above);
      if (access.user != me && access.user != ROOT) {
        throw new NotPrivateException(above, "belongs to " + Files.getOwner(above).getName());
      }
      // A group with the user's own number is the user's alone.
      int others = access.group == me ? OTHERS_WRITE : GROUP_WRITES | OTHERS_WRITE;
      if ((access.mode & others) != 0 && (access.mode & STICKY) == 0) {
        throw new NotPrivateException(above, "can be written to by others");
      }
    }
  }

  private static boolean isPosix(Path path) {
    return path.getFileSystem().supportedFileAttributeViews().contains("unix");
  }

  /** Whose files this process makes. */
  private static long user(Path directory) throws IOException {
    Path self = Path.of("/proc/self");
    if (Files.exists(self)) {
      return Access.of(self.toRealPath()).user;
    }
    Path own = Files.createTempFile("muninn-", ".user");
    try {
      return Access.of(own).user;
    } finally {
      Files.delete(own);
    }
  }

  /** Who may do what to a file. */
  private record Access(long user, long group, int mode) {
    static Access of(Path path) throws IOException {
      Map<String, Object> attributes =
          Files.readAttributes(path, "unix:uid,gid,mode", LinkOption.NOFOLLOW_LINKS);
      return new Access(
          ((Number) attributes.get("uid")).longValue(),
          ((Number) attributes.get("gid")).longValue(),
          (Integer) attributes.get("mode"));
    }
  }
}
