package dev.muninn.binary;

import java.io.File;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** What Java learns of the application in a training run: its classes, loaded and linked. */
final class AotCache {
  private static final String TRAINING = "dev.muninn.cli.TrainingRun";

  private AotCache() {}

  /** Writes the image's cache by a run of that very image. */
  static void train(Path image, List<String> classPath, Path target)
      throws IOException, InterruptedException {
    Path lib = image.resolve("lib");
    Path cache = lib.resolve("muninn.aot");
    Path home = Files.createTempDirectory(target, "training");
    File log = target.resolve("training.log").toFile();
    Files.deleteIfExists(log.toPath());
    Path configuration = target.resolve("muninn.aotconf");
    // In two steps: Java's own way to do both at once fails where a path has spaces.
    for (String step : List.of("-XX:AOTMode=record", "-XX:AOTMode=create")) {
      ProcessBuilder builder =
          new ProcessBuilder(
              image.resolve("runtime/bin/java").toString(),
              "@" + lib.resolve("java.args"),
              step,
              "-XX:AOTConfiguration=" + configuration,
              "-DRUST_LIBRARY_PATH=" + lib.resolve("libtokenizers.so"),
              "-cp",
              BuildBinary.inRoot(classPath, lib + "/"));
      builder.command().add(step.endsWith("create") ? "-XX:AOTCache=" + cache : TRAINING);
      builder.environment().clear();
      builder.environment().put("HOME", home.toString());
      builder.redirectErrorStream(true).redirectOutput(Redirect.appendTo(log));
      BuildBinary.run(builder);
    }
    if (!Files.isRegularFile(cache)) {
      throw new IOException("Java wrote no AOT cache; what it said is in " + log);
    }
    BuildBinary.deleteTree(home);
  }
}
