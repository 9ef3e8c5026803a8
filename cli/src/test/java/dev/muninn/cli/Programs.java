package dev.muninn.cli;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** Programs that tests use where the machine has them. */
public final class Programs {
  private Programs() {}

  /** The first of the names that is on the path. */
  public static Optional<Path> find(String... names) {
    for (String folder : System.getenv().getOrDefault("PATH", "").split(File.pathSeparator)) {
      for (String name : names) {
        Path candidate = Path.of(folder, name);
        if (Files.isExecutable(candidate)) {
          return Optional.of(candidate);
        }
      }
    }
    return Optional.empty();
  }

  /** A browser, if there is one. */
  public static Optional<Path> chromium() {
    return find("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome");
  }
}
