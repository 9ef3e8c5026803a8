package dev.muninn.binary;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** What Java learns of the application in a training run: its classes, loaded and linked. */
final class AotCache {
  private AotCache() {}

  /** Writes the image's cache by a run of that very image. */
  static void train(Path image, List<String> classPath, Path target)
      throws IOException, InterruptedException {
    Path lib = image.resolve("lib");
    Path cache = lib.resolve("muninn.aot");
    Path home = Files.createTempDirectory(target, "training");
    File log = target.resolve("training.log").toFile();
    ProcessBuilder builder =
        new ProcessBuilder(
            image.resolve("runtime/bin/java").toString(),
            "@" + lib.resolve("java.args"),
            "-XX:AOTCacheOutput=" + cache,
            "-DRUST_LIBRARY_PATH=" + lib.resolve("libtokenizers.so"),
            "-cp",
            BuildBinary.inRoot(classPath, lib + "/"),
            "dev.muninn.cli.TrainingRun");
    builder.environment().clear();
    builder.environment().put("HOME", home.toString());
    builder.redirectErrorStream(true).redirectOutput(log);
    BuildBinary.run(builder);
    if (!Files.isRegularFile(cache)) {
      throw new IOException("Java wrote no AOT cache; what it said is in " + log);
    }
  }
}
