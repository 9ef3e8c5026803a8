package dev.muninn.format;

import com.google.googlejavaformat.java.Formatter;
import com.google.googlejavaformat.java.FormatterException;
import com.google.googlejavaformat.java.ImportOrderer;
import com.google.googlejavaformat.java.JavaFormatterOptions;
import com.google.googlejavaformat.java.RemoveUnusedImports;
import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Checks, or with {@code apply} corrects, the format of every Java file under a directory. The
 * build runs it by the toolchain's JDK, because the formatter does not run on every JDK that Maven
 * does.
 */
final class Format {

  private static final Set<String> PASSED_OVER = Set.of("target", ".git");

  private Format() {}

  public static void main(String[] arguments) throws IOException {
    boolean apply = arguments[0].equals("apply");
    Path root = Path.of(arguments[1]).toRealPath();
    List<String> wrong =
        sources(root).parallelStream()
            .filter(file -> isWrong(file, apply))
            .map(file -> root.relativize(file).toString())
            .sorted()
            .toList();
    if (apply) {
      wrong.forEach(file -> System.out.println("formatted " + file));
    } else if (!wrong.isEmpty()) {
      System.err.println(
          "Not formatted: "
              + String.join(", ", wrong)
              + ". To format: mvn -q -pl .ci/format verify -Dformat=apply");
      System.exit(1);
    }
  }

  private static List<Path> sources(Path root) throws IOException {
    List<Path> files = new ArrayList<>();
    Files.walkFileTree(
        root,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes attributes) {
            return PASSED_OVER.contains(directory.getFileName().toString())
                ? FileVisitResult.SKIP_SUBTREE
                : FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
            if (file.toString().endsWith(".java")) {
              files.add(file);
            }
            return FileVisitResult.CONTINUE;
          }
        });
    return files;
  }

  private static boolean isWrong(Path file, boolean apply) {
    try {
      String source = Files.readString(file);
      // Not the formatter's one call for all of it, which breaks long texts anew, too.
      String imports =
          ImportOrderer.reorderImports(
              RemoveUnusedImports.removeUnusedImports(source), JavaFormatterOptions.Style.GOOGLE);
      String formatted = new Formatter().formatSource(imports);
      if (formatted.equals(source)) {
        return false;
      }
      if (apply) {
        Files.writeString(file, formatted);
      }
      return true;
    } catch (FormatterException | IOException failure) {
      throw new IllegalStateException(file + ": " + failure.getMessage(), failure);
    }
  }
}
