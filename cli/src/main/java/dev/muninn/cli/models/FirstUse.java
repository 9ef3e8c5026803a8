package dev.muninn.cli.models;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.Optional;

/** Finds a model by path or name, and pulls it where it is missing. */
public final class FirstUse {
  private FirstUse() {}

  /**
   * Where a model is on this host. One that has to be pulled is pulled once: programs that need it
   * meanwhile wait.
   *
   * @param asked a path, {@code OWNER/NAME} or {@code OWNER/NAME@REVISION}
   * @param environment says where models are kept and where they come from
   * @param progress hears how far the pull is
   * @throws IOException in one line, if the model cannot be pulled
   */
  public static synchronized Path locateOrPull(
      Path asked, Map<String, String> environment, PrintWriter progress) throws IOException {
    Optional<Path> found = find(asked, environment);
    if (found.isPresent()) {
      return found.get();
    }
    ModelReference model = ModelReference.parse(asked.toString()).orElseThrow();
    Path directory = ModelStore.of(environment).directory(model);
    Files.createDirectories(directory.getParent());
    // Beside the model, whose own lock the pull takes. The system frees it when a program dies.
    Path lock = directory.resolveSibling("." + model.name() + ".first-use");
    try (FileChannel channel =
            FileChannel.open(lock, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        var _ = channel.lock()) {
      // Another program may have pulled it while this one waited.
      found = find(asked, environment);
      if (found.isEmpty()) {
        try (PullProgress console = new ConsoleProgress(progress, false)) {
          new Pull(
                  Endpoint.of(environment),
                  model,
                  directory,
                  Optional.empty(),
                  Patience.DEFAULT,
                  console)
              .run();
        }
        found = Optional.of(directory);
      }
      return found.get();
    }
  }

  /** Empty if a pull may bring it. */
  private static Optional<Path> find(Path asked, Map<String, String> environment)
      throws IOException {
    try {
      return Optional.of(ModelStore.locate(asked, environment));
    } catch (ModelStore.NotHere e) {
      return Optional.empty();
    }
  }
}
