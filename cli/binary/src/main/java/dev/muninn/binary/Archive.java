package dev.muninn.binary;

import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Path;
import java.util.List;

/** A tar.gz, the same for the same content. */
final class Archive {
  private Archive() {}

  /** Packs a folder of a directory. */
  static void write(Path directory, String folder, Path archive)
      throws IOException, InterruptedException {
    List<ProcessBuilder> pipeline =
        List.of(
            new ProcessBuilder(
                "tar",
                "-C",
                directory.toString(),
                "--format=gnu",
                "--sort=name",
                "--owner=0",
                "--group=0",
                "--numeric-owner",
                "--mode=u+rw,go=rX",
                "-cf",
                "-",
                folder),
            new ProcessBuilder("gzip", "-9n").redirectOutput(archive.toFile()));
    pipeline.forEach(program -> program.redirectError(Redirect.INHERIT));
    for (Process process : ProcessBuilder.startPipeline(pipeline)) {
      if (process.waitFor() != 0) {
        throw new IOException(archive + " could not be packed");
      }
    }
  }
}
