package dev.muninn.cli.files;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;

/** Says what went wrong with a file. */
public final class FileProblem {
  private FileProblem() {}

  /** What the operating system said, without the names of Java's exceptions. */
  public static String describe(IOException exception) {
    if (exception instanceof FileSystemException problem && problem.getFile() != null) {
      return problem.getFile() + ": " + reason(problem);
    }
    return exception.getMessage() == null ? exception.toString() : exception.getMessage();
  }

  private static String reason(FileSystemException problem) {
    return switch (problem) {
      case NoSuchFileException _ -> "no such file or directory";
      case AccessDeniedException _ -> "permission denied";
      case FileSystemException other when other.getReason() != null -> other.getReason();
      case NotDirectoryException _ -> "not a directory";
      case FileAlreadyExistsException _ -> "exists already";
      case DirectoryNotEmptyException _ -> "the directory is not empty";
      case FileSystemLoopException _ -> "too many levels of symbolic links";
      default -> "cannot be read or written";
    };
  }
}
