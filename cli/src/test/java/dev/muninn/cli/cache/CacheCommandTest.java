package dev.muninn.cli.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.muninn.cli.CommandRun;
import dev.muninn.cli.process.ExitCode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CacheCommandTest {
  private static final String HASH = "0123456789abcdef".repeat(4);

  @TempDir private Path cache;

  private CommandRun run(String... arguments) {
    return CommandRun.run(
        new byte[0],
        new ByteArrayOutputStream(),
        Map.of("MUNINN_CACHE", cache.toString()),
        arguments);
  }

  private Path directory(String name) throws IOException {
    Path directory = Files.createDirectories(cache.resolve(name));
    Files.write(Files.createDirectories(directory.resolve("lib")).resolve("file"), new byte[1000]);
    return directory;
  }

  @Test
  void listsWhatIsThere() throws IOException {
    directory(HASH);
    directory("raven-tiny-" + EmbeddedModel.read().version());
    directory("somebody-elses");
    CommandRun run = run("cache");
    assertEquals("", run.err());
    assertEquals(4, run.out().lines().count(), run.out());
    assertTrue(run.out().startsWith(cache + "\n"), run.out());
    assertTrue(run.out().contains("unpacked program "), run.out());
    assertTrue(run.out().contains("built-in model, in use "), run.out());
    assertTrue(run.out().endsWith("kept 2.0 kB\n"), run.out());
  }

  @Test
  void cleanRemovesOldVersionsOnly() throws IOException {
    Path image = directory(HASH);
    Path oldModel = directory("raven-tiny-" + "0".repeat(16));
    Path model = directory("raven-tiny-" + EmbeddedModel.read().version());
    Path other = directory("somebody-elses");
    Path unfinished = directory(HASH + ".Ab3xYz");
    Path abandoned = directory(HASH + ".Ab3xYy");
    Files.setLastModifiedTime(abandoned, FileTime.from(Instant.now().minus(Duration.ofHours(1))));
    CommandRun run = run("cache", "--clean");
    assertEquals("", run.err());
    assertTrue(run.out().endsWith("removed 3.0 kB\n"), run.out());
    assertFalse(Files.exists(image));
    assertFalse(Files.exists(oldModel));
    assertFalse(Files.exists(abandoned));
    assertTrue(Files.exists(model.resolve("lib/file")));
    assertTrue(Files.exists(other.resolve("lib/file")));
    assertTrue(Files.exists(unfinished.resolve("lib/file")));
    assertTrue(run("cache", "--clean").out().endsWith("nothing to remove\n"));
  }

  /** Each command says the same of a cache that cannot be used. */
  private void assertRefused(Path bad, String complaint) {
    Set<String> said = new HashSet<>();
    for (String[] command :
        List.<String[]>of(
            new String[] {"cache"},
            new String[] {"cache", "--clean"},
            new String[] {"cache", "--json"},
            new String[] {"inspect"},
            new String[] {"generate", "x"},
            new String[] {"score", "x"})) {
      CommandRun run =
          CommandRun.run(
              new byte[0],
              new ByteArrayOutputStream(),
              Map.of("MUNINN_CACHE", bad.toString()),
              command);
      run.assertFails(ExitCode.FAILED, complaint);
      said.add(run.err());
    }
    assertEquals(1, said.size(), said.toString());
  }

  @Test
  void aFileIsRefusedByAllCommands() throws IOException {
    Path file = Files.createFile(cache.resolve("file"));
    assertRefused(file, "MUNINN_CACHE: " + file + ": not a directory, expected");
    assertRefused(file.resolve("inner"), "MUNINN_CACHE: " + file + ": not a directory, expected");
  }

  /** What the system says of a full disk names no file. */
  @Test
  void aFailureWithoutANameGetsTheCaches() {
    assertEquals(
        "MUNINN_CACHE: "
            + cache
            + ": No space left on device, expected a directory that only you can write to",
        new CacheDirectory(cache).refusal(new IOException("No space left on device")).getMessage());
  }

  @Test
  void soIsWhatOthersCanWriteTo() throws IOException {
    Path open = Files.createDirectory(cache.resolve("open"));
    assumeTrue(
        open.getFileSystem().supportedFileAttributeViews().contains("unix"),
        "this system has no owners and permissions of Unix");
    Files.setPosixFilePermissions(open, PosixFilePermissions.fromString("rwxrwxrwx"));
    assertRefused(open, "can be written to by others");
    assertRefused(open.resolve("inner"), "can be written to by others");
  }

  @Test
  void soIsWhatBelongsToAnother() throws IOException {
    Path other = Files.createDirectory(cache.resolve("other"));
    try {
      Files.setAttribute(other, "unix:uid", 65_534);
    } catch (IOException | UnsupportedOperationException e) {
      assumeTrue(false, "only root can give a directory away");
    }
    assertRefused(other, "belongs to ");
    assertRefused(other.resolve("inner"), "belongs to ");
  }

  @Test
  void jsonNamesWhatWasRemoved() throws IOException {
    directory(HASH);
    assertTrue(run("cache", "--json").json().get("entries").toString().contains(HASH));
    assertTrue(run("cache", "--clean", "--json").json().get("removed").toString().contains(HASH));
  }

  @Test
  void cacheThatIsNotThereIsEmpty() throws IOException {
    Files.delete(cache);
    assertEquals(cache + "\nempty\n", run("cache").out());
    Files.createDirectory(cache);
  }
}
