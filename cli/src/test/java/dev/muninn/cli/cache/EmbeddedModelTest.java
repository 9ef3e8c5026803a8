package dev.muninn.cli.cache;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.cli.CommandRun;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EmbeddedModelTest {
  @TempDir private Path cache;

  private Path directory() throws IOException {
    return EmbeddedModel.read().directory(Map.of("MUNINN_CACHE", cache.toString()));
  }

  private static List<String> names(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files
          .map(file -> file.getFileName().toString())
          .filter(name -> !name.equals(EmbeddedModel.RECORD))
          .sorted()
          .toList();
    }
  }

  private static void assertWhole(Path directory) throws IOException {
    assertEquals(names(CommandRun.RAVEN_TINY), names(directory));
    for (String name : names(directory)) {
      assertArrayEquals(
          Files.readAllBytes(CommandRun.RAVEN_TINY.resolve(name)),
          Files.readAllBytes(directory.resolve(name)),
          name);
    }
  }

  /** The version is a digest of names and contents, so that other files get another directory. */
  @Test
  void listFitsTheFiles() throws IOException, NoSuchAlgorithmException {
    EmbeddedModel model = EmbeddedModel.read();
    MessageDigest digest = MessageDigest.getInstance("SHA-256");
    List<EmbeddedModel.EmbeddedFile> expected = new ArrayList<>();
    for (String name : names(CommandRun.RAVEN_TINY)) {
      byte[] contents = Files.readAllBytes(CommandRun.RAVEN_TINY.resolve(name));
      digest.update((name + "\n").getBytes(StandardCharsets.UTF_8));
      digest.update(contents);
      String hash = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(contents));
      expected.add(new EmbeddedModel.EmbeddedFile(name, hash, contents.length));
    }
    String version = HexFormat.of().formatHex(digest.digest()).substring(0, 16);
    assertEquals(new EmbeddedModel(version, expected), model);
  }

  @Test
  void copiesTheFilesOnce() throws IOException {
    Path first = directory();
    assertEquals(cache, first.getParent());
    assertWhole(first);
    Path weights = first.resolve("model.safetensors");
    Object identity = Files.getAttribute(weights, "unix:ino");
    assertEquals(first, directory());
    assertEquals(identity, Files.getAttribute(weights, "unix:ino"));
  }

  @Test
  void replacesWhatIsMissingOrCut() throws IOException {
    Path directory = directory();
    Files.delete(directory.resolve("tokenizer.json"));
    Files.write(directory.resolve("model.safetensors"), new byte[7]);
    assertEquals(directory, directory());
    assertWhole(directory);
  }

  /** Of the same size and time, as somebody would plant it. */
  @Test
  void replacesWhatIsAltered() throws IOException {
    Path weights = directory().resolve("model.safetensors");
    FileTime time = Files.getLastModifiedTime(weights);
    byte[] contents = Files.readAllBytes(weights);
    contents[contents.length / 2] ^= 1;
    Files.write(weights, contents);
    Files.setLastModifiedTime(weights, time);
    assertWhole(directory());
  }

  @Test
  void aCacheThatOthersCanWriteToIsRefused() throws IOException {
    Files.setPosixFilePermissions(cache, PosixFilePermissions.fromString("rwxrwxrwx"));
    IOException refusal = assertThrows(IOException.class, this::directory);
    assertTrue(refusal.getMessage().contains("can be written to by others"), refusal.getMessage());
    CommandRun.run(
            new byte[0],
            new ByteArrayOutputStream(),
            Map.of("MUNINN_CACHE", cache.toString()),
            "generate",
            "47+8=")
        .assertFails(1, "can be written to by others");
  }

  @Test
  void isForItsUserOnly() throws IOException {
    assertEquals(
        "rwx------", PosixFilePermissions.toString(Files.getPosixFilePermissions(directory())));
  }

  @Test
  void tenMayStartAtOnce() throws InterruptedException, ExecutionException, IOException {
    try (ExecutorService executor = Executors.newFixedThreadPool(10)) {
      Callable<Path> start = this::directory;
      for (Future<Path> directory : executor.invokeAll(Collections.nCopies(10, start))) {
        assertWhole(directory.get());
      }
    }
    assertEquals(1, names(cache).size());
  }

  @Test
  void usesATemporaryDirectoryWhereTheCacheCannotBeWritten() throws IOException {
    Path file = Files.createFile(cache.resolve("file"));
    Path directory = EmbeddedModel.read().directory(Map.of("HOME", file.toString()));
    assertFalse(directory.startsWith(file));
    assertWhole(directory);
  }

  @Test
  void usesATemporaryDirectoryWithoutAHome() throws IOException {
    assertWhole(EmbeddedModel.read().directory(Map.of("HOME", "?")));
    assertFalse(Files.exists(Path.of("?")));
  }

  @Test
  void findsTheCacheAsTheEnvironmentSays() throws IOException {
    EmbeddedModel model = EmbeddedModel.read();
    String home = cache.toString();
    assertEquals(
        cache.resolve(".cache").resolve("muninn"),
        model.directory(Map.of("HOME", home, "MUNINN_CACHE", "")).getParent());
    assertEquals(
        cache.resolve(".cache").resolve("muninn"),
        model.directory(Map.of("HOME", home, "XDG_CACHE_HOME", "relative")).getParent());
    assertEquals(
        cache.resolve("muninn"),
        model.directory(Map.of("HOME", "/nowhere", "XDG_CACHE_HOME", home)).getParent());
  }

  @Test
  void isTheDefaultModel() throws IOException {
    CommandRun run =
        CommandRun.run(
            new byte[0],
            new ByteArrayOutputStream(),
            Map.of("MUNINN_CACHE", cache.toString()),
            "generate",
            "47+8=");
    assertEquals("", run.err());
    assertEquals("55\n", run.out());
  }
}
