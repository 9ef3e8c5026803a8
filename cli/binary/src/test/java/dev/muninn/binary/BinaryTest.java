package dev.muninn.binary;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs the built binary in an empty environment: no Java is to be found there. */
class BinaryTest {
  private static final Path BINARY = Path.of(System.getProperty("muninn.binary"));

  /** Where the binary is unpacked for all tests but those of unpacking. */
  @TempDir private static Path sharedHome;

  @TempDir private Path temporary;

  /** What a process did. */
  private record Run(int exitCode, String out, String err) {
    void assertFails(int expectedExitCode, String expectedText) {
      assertEquals("", out);
      assertTrue(err.startsWith("muninn: ") && err.contains(expectedText), err);
      assertEquals(1, err.lines().count(), err);
      assertEquals(expectedExitCode, exitCode);
    }

    void assertAnswers(String expected) {
      assertEquals("", err);
      assertEquals(expected + "\n", out);
      assertEquals(0, exitCode);
    }
  }

  @BeforeAll
  static void unpack() throws IOException, InterruptedException {
    run(home(sharedHome), BINARY, "--version");
  }

  private static Map<String, String> home(Path directory) {
    return Map.of("HOME", directory.toString());
  }

  private static Process start(
      Path directory, Map<String, String> environment, Path program, String... arguments)
      throws IOException {
    List<String> command = new ArrayList<>(List.of(program.toString()));
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command).directory(directory.toFile());
    builder.environment().clear();
    builder.environment().putAll(environment);
    return builder.start();
  }

  private static Run finish(Process process) throws IOException, InterruptedException {
    process.getOutputStream().close();
    try (InputStream out = process.getInputStream();
        InputStream err = process.getErrorStream()) {
      String printed = new String(out.readAllBytes(), StandardCharsets.UTF_8);
      String said = new String(err.readAllBytes(), StandardCharsets.UTF_8);
      assertTrue(process.waitFor(60, TimeUnit.SECONDS));
      return new Run(process.exitValue(), printed, said);
    } finally {
      process.destroyForcibly();
    }
  }

  private static Run run(Map<String, String> environment, Path program, String... arguments)
      throws IOException, InterruptedException {
    return finish(start(Path.of("/"), environment, program, arguments));
  }

  private static Path image(Path home) throws IOException {
    try (Stream<Path> entries = Files.list(home.resolve(".cache/muninn"))) {
      return entries
          .filter(entry -> entry.getFileName().toString().length() == 64)
          .findFirst()
          .orElseThrow();
    }
  }

  @Test
  void answersWithoutJavaOrAnythingElseInTheEnvironment() throws Exception {
    run(home(temporary), BINARY, "generate", "47+8=").assertAnswers("55");
  }

  @Test
  void isBelowSixtyMegabytes() throws IOException {
    assertTrue(Files.size(BINARY) < 60_000_000, Files.size(BINARY) + " bytes");
  }

  @Test
  void tenStartAtOnceOnAnEmptyCache() throws Exception {
    List<Process> processes = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      processes.add(start(temporary, home(temporary), BINARY, "generate", "12+34="));
    }
    for (Process process : processes) {
      finish(process).assertAnswers("46");
    }
    try (Stream<Path> entries = Files.list(temporary.resolve(".cache/muninn"))) {
      assertEquals(
          List.of(image(temporary).getFileName().toString(), "lock", "raven-tiny"),
          entries
              .map(entry -> entry.getFileName().toString().replaceFirst("^(raven-tiny)-.*", "$1"))
              .sorted()
              .toList());
    }
  }

  @Test
  void unpacksForItsUserOnly() throws IOException {
    assertEquals(
        "rwx------",
        PosixFilePermissions.toString(Files.getPosixFilePermissions(image(sharedHome))));
  }

  /** Also where an image lies that looks as if it had been verified. */
  @Test
  void aCacheThatOthersCanWriteToIsRefused() throws Exception {
    Path open = Files.createDirectory(temporary.resolve("open"));
    Path planted = Files.createDirectories(open.resolve(image(sharedHome).getFileName()));
    Files.createFile(planted.resolve("verified"));
    Map<String, String> environment = Map.of("MUNINN_CACHE", open.toString());
    for (Path path : List.of(open, planted)) {
      Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rwxrwxrwx"));
      run(environment, BINARY, "--version").assertFails(1, path + " can be written to by others");
      Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rwxr-xr-x"));
    }
  }

  @Test
  void promptsAndPathsAreAsTypedInEveryLocale() throws Exception {
    for (String setting :
        List.of("LANG=en_XX.UTF-8", "LANG=xx", "LC_ALL=C", "LC_ALL=POSIX", "LC_CTYPE=UTF-8")) {
      String[] parts = setting.split("=");
      Map<String, String> environment = Map.of("HOME", sharedHome.toString(), parts[0], parts[1]);
      run(environment, BINARY, "inspect", "/no where/\u00fc\u6f22")
          .assertFails(1, "/no where/\u00fc\u6f22");
    }
  }

  @Test
  void aCacheWithAColonSaysSo() throws Exception {
    Path colon = temporary.resolve("a:b");
    run(Map.of("MUNINN_CACHE", colon.toString()), BINARY, "--version").assertFails(1, "colon");
  }

  @Test
  void truncatedCopySaysSo() throws Exception {
    for (long size : new long[] {20_000, Files.size(BINARY) - 1}) {
      Path copy = Files.copy(BINARY, temporary.resolve("cut" + size));
      try (FileChannel channel = FileChannel.open(copy, StandardOpenOption.WRITE)) {
        channel.truncate(size);
      }
      run(home(temporary), copy, "--version").assertFails(1, "truncated or altered");
      run(home(sharedHome), copy, "--version").assertFails(1, "truncated or altered");
    }
    assertTrue(Files.notExists(temporary.resolve(".cache")));
  }

  @Test
  void alteredCopySaysSo() throws Exception {
    Path copy = Files.copy(BINARY, temporary.resolve("altered"));
    try (FileChannel channel = FileChannel.open(copy, StandardOpenOption.WRITE)) {
      channel.write(StandardCharsets.US_ASCII.encode("altered"), channel.size() / 2);
    }
    run(home(temporary), copy, "--version").assertFails(1, "truncated or altered");
    run(home(sharedHome), copy, "--version").assertFails(1, "truncated or altered");
  }

  @Test
  void withoutAPlaceToUnpackSaysSo() throws Exception {
    run(Map.of(), BINARY, "--version").assertFails(1, "HOME is not set");
    Path file = Files.createFile(temporary.resolve("file"));
    run(home(file), BINARY, "--version").assertFails(1, "cannot write to " + file);
    run(Map.of("MUNINN_CACHE", file.toString()), BINARY, "--version")
        .assertFails(1, "cannot write to " + file);
  }

  @Test
  void unpacksWhereTheEnvironmentSays() throws Exception {
    Path own = temporary.resolve("a place");
    run(Map.of("MUNINN_CACHE", own.toString()), BINARY, "generate", "47+8=").assertAnswers("55");
    run(Map.of("MUNINN_CACHE", own.toString()), BINARY, "generate", "1+2=").assertAnswers("3");
    assertTrue(Files.isDirectory(own));
  }

  @Test
  void runsThroughASymbolicLinkAndFromADirectoryThatCannotBeWritten() throws Exception {
    Path link = Files.createSymbolicLink(temporary.resolve("my muninn"), BINARY);
    finish(start(Path.of("/proc"), home(sharedHome), link, "generate", "47+8="))
        .assertAnswers("55");
  }

  @Test
  void writesNothingButItsCache() throws Exception {
    run(home(sharedHome), BINARY, "generate", "47+8=").assertAnswers("55");
    try (Stream<Path> files =
        Stream.concat(Files.list(sharedHome), Files.list(sharedHome.resolve(".cache")))) {
      assertEquals(
          List.of(".cache", "muninn"),
          files.map(file -> file.getFileName().toString()).sorted().toList());
    }
  }

  @Test
  void whatAnotherJavaIsToldIsNotHeard() throws Exception {
    Map<String, String> environment =
        Map.of(
            "HOME", sharedHome.toString(),
            "JAVA_TOOL_OPTIONS", "-Dx=y",
            "JDK_JAVA_OPTIONS", "-Dx=y",
            "_JAVA_OPTIONS", "-Dx=y",
            "CLASSPATH", "/nowhere");
    run(environment, BINARY, "generate", "47+8=").assertAnswers("55");
  }

  @Test
  void passesOnArgumentsAndExitCodes() throws Exception {
    run(home(sharedHome), BINARY, "generate", "a b", "-n", "0").assertFails(2, "not '0'");
    run(home(sharedHome), BINARY, "inspect", "/no where/é").assertFails(1, "/no where/é");
  }

  @Test
  void statisticsSayWhereTheTimeGoes() throws Exception {
    Run run = run(home(sharedHome), BINARY, "generate", "--stats", "47+8=");
    assertEquals("55\n", run.out());
    List<String> lines = run.err().lines().toList();
    assertTrue(lines.get(0).matches("start +\\d+ ms for Java, [\\d.]+ ms for .*"), run.err());
    assertTrue(
        lines.get(1).matches("load +.* ms: map .* ms, tokenizer .* ms, warm-up .* ms"), run.err());
    assertTrue(lines.get(2).startsWith("prefill "), run.err());
    assertTrue(lines.get(3).startsWith("decode "), run.err());
  }

  @Test
  void interruptionReachesJava() throws Exception {
    Process process =
        start(
            temporary,
            home(sharedHome),
            BINARY,
            "generate",
            "--recurrence",
            "300",
            "--max-tokens",
            "240",
            "--ignore-eos",
            "47+8=");
    int first = process.getInputStream().read();
    new ProcessBuilder("kill", "-INT", Long.toString(process.pid())).start().waitFor();
    Run run = finish(process);
    assertTrue(first == '5' && run.out().endsWith("\n"), run.out());
    assertEquals(130, run.exitCode());
  }

  @Test
  void mendsAnImageThatLostAFile() throws Exception {
    run(home(temporary), BINARY, "generate", "47+8=").assertAnswers("55");
    Files.delete(image(temporary).resolve("lib/libtokenizers.so"));
    run(home(temporary), BINARY, "generate", "47+8=").assertAnswers("55");
    assertTrue(Files.exists(image(temporary).resolve("lib/libtokenizers.so")));
  }

  /** Java is told to end where it cannot use the cache, which is bound to the jars' times. */
  @Test
  void cacheOfClassesFitsWhereItIsUnpacked() throws Exception {
    Path image = image(sharedHome);
    String script = Files.readString(image.resolve("lib/launch.sh"));
    Path strict = temporary.resolve("strict.sh");
    Files.writeString(
        strict,
        "root=" + image + "\n" + script.replace("-XX:AOTCache=", "-XX:AOTMode=on -XX:AOTCache="));
    run(home(sharedHome), Path.of("/bin/sh"), strict.toString(), "generate", "47+8=")
        .assertAnswers("55");
    Files.move(image.resolve("lib/muninn.aot"), temporary.resolve("muninn.aot"));
    try {
      Run without = run(home(sharedHome), Path.of("/bin/sh"), strict.toString(), "--version");
      assertEquals(1, without.exitCode(), without.err());
    } finally {
      Files.move(temporary.resolve("muninn.aot"), image.resolve("lib/muninn.aot"));
    }
  }

  @Test
  void plainArchiveHoldsTheSameImage() throws Exception {
    Path archive = BINARY.resolveSibling(BINARY.getFileName() + ".tar.gz");
    Process tar =
        new ProcessBuilder("tar", "-xzf", archive.toString(), "-C", temporary.toString()).start();
    assertEquals(0, finish(tar).exitCode());
    Path program = temporary.resolve(BINARY.getFileName()).resolve("bin/muninn");
    run(home(sharedHome), program, "generate", "47+8=").assertAnswers("55");
    Path link = Files.createSymbolicLink(temporary.resolve("link"), program);
    run(home(sharedHome), link, "generate", "47+8=").assertAnswers("55");
  }

  @Test
  void tornadoWithoutItsSdkSaysSo() throws Exception {
    Map<String, String> environment =
        Map.of("HOME", sharedHome.toString(), "TORNADOVM_HOME", temporary.toString());
    run(environment, BINARY, "generate", "--backend", "tornado", "47+8=")
        .assertFails(1, "no tornado-argfile");
    run(environment, BINARY, "generate", "47+8=").assertAnswers("55");
  }

  /** Java itself says which options reached it. */
  @Test
  void tornadoStartsWithTheOptionsOfItsSdk() throws Exception {
    Path sdk = Files.createDirectories(temporary.resolve("an sdk"));
    Files.writeString(
        sdk.resolve("tornado-argfile.template"),
        """
        # === Native library path ===
        -Djava.library.path=${TORNADOVM_HOME}/lib:${TORNADOVM_HOME}/more

        --module-path .:${TORNADOVM_HOME}/share/java/tornado
        --add-modules no.such.module
        """);
    Map<String, String> environment =
        Map.of("HOME", sharedHome.toString(), "TORNADOVM_HOME", sdk.toString());
    Run run = run(environment, BINARY, "generate", "--backend=tornado", "47+8=");
    assertEquals(1, run.exitCode());
    assertTrue((run.out() + run.err()).contains("no.such.module"), run.err());
    Files.writeString(
        sdk.resolve("tornado-argfile.template"), "-XX:+PrintCommandLineFlags\n-version\n");
    assertTrue(
        run(environment, BINARY, "generate", "--backend=tornado", "x").err().contains("OpenJDK"));
  }
}
