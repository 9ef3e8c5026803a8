package dev.muninn.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The launcher script, in a checkout that is built, with a Java that says how it was started. */
@EnabledOnOs(value = OS.LINUX, disabledReason = "paths with colons need Linux's /proc")
class LauncherTest {
  private static final Path SCRIPT = Path.of("..", "muninn").toAbsolutePath().normalize();

  private static final String JAVA =
      """
      #!/bin/sh
      printf 'LC_ALL=%s\\n' "${LC_ALL:-}"
      for argument; do printf '<%s>\\n' "$argument"; done
      for argument; do
        case $argument in
          *.jar:*) [ -f "${argument%%:*}" ] && printf 'found the jar\\n' ;;
          -XX:SharedArchiveFile=*) [ -f "${argument#*=}" ] && printf 'found the archive\\n' ;;
        esac
      done
      """;

  @TempDir private Path directory;
  private Path checkout;

  /** Built: the archive is newer than the jar, the jar newer than the sources. */
  @BeforeEach
  void prepare() throws IOException {
    Path jdk = Files.createDirectories(directory.resolve("jdk/bin")).getParent();
    executable(jdk.resolve("bin/java"), JAVA);
    executable(jdk.resolve("bin/javac"), "");
    Files.writeString(jdk.resolve("release"), "JAVA_VERSION=\"25.0.1\"\n");
  }

  private static void executable(Path file, String text) throws IOException {
    Files.writeString(file, text);
    assertTrue(file.toFile().setExecutable(true));
  }

  private void checkOut(String name) throws IOException {
    checkout = Files.createDirectories(directory.resolve(name));
    Files.writeString(checkout.resolve("pom.xml"), "<version>1</version>\n");
    Files.copy(SCRIPT, checkout.resolve("muninn"));
    Path target = Files.createDirectories(checkout.resolve("cli/target/lib")).getParent();
    Files.writeString(checkout.resolve("cli/launcher.args"), "");
    Files.writeString(target.resolve("muninn-cli-1.jar"), "");
    Files.writeString(target.resolve("muninn.jsa"), "");
  }

  private String start(Map<String, String> environment, String... arguments) throws Exception {
    List<String> command =
        new ArrayList<>(List.of("/bin/sh", checkout.resolve("muninn").toString()));
    command.addAll(List.of(arguments));
    Path said = directory.resolve("said");
    ProcessBuilder builder = new ProcessBuilder(command);
    String path = builder.environment().get("PATH");
    builder.environment().clear();
    builder.environment().putAll(environment);
    builder.environment().put("PATH", path);
    builder.environment().put("JAVA_HOME", directory.resolve("jdk").toString());
    Process process = builder.redirectErrorStream(true).redirectOutput(said.toFile()).start();
    try {
      assertTrue(process.waitFor(60, TimeUnit.SECONDS), "still runs");
    } finally {
      process.destroyForcibly();
    }
    String output = Files.readString(said);
    assertEquals(0, process.exitValue(), output);
    return output;
  }

  @ParameterizedTest
  @ValueSource(strings = {"checkout", "a b", "a b:x"})
  void startsFromAnyPath(String name) throws Exception {
    checkOut(name);
    String output = start(Map.of(), "generate", "a b");
    assertTrue(
        output.contains("found the jar\nfound the archive\n")
            || output.contains("found the archive\nfound the jar\n"),
        output);
    assertTrue(output.contains("<generate>\n<a b>\n"), output);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"LANG=en_XX.UTF-8", "LANG=xx", "LC_ALL=C", "LC_ALL=POSIX", "LC_CTYPE=UTF-8"})
  void everyLocaleBecomesOneThatHasAllLetters(String variable) throws Exception {
    checkOut("checkout");
    String[] setting = variable.split("=");
    String output = start(Map.of(setting[0], setting[1]), "generate", "x");
    assertTrue(output.startsWith("LC_ALL=C.UTF-8\n"), output);
  }

  @Test
  void temporaryFilesGoWhereTheEnvironmentSays() throws Exception {
    checkOut("checkout");
    Path own = Files.createDirectories(directory.resolve("a place"));
    String option = "<-Djava.io.tmpdir=" + own + ">\n";
    assertTrue(start(Map.of("TMPDIR", own.toString())).contains(option));
    assertFalse(start(Map.of("TMPDIR", own + "/missing")).contains("java.io.tmpdir"));
    assertFalse(start(Map.of()).contains("java.io.tmpdir"));
  }

  @Test
  void ourJarsComeFirst() throws Exception {
    checkOut("checkout");
    Path target = checkout.resolve("cli/target");
    String output = start(Map.of(), "generate", "x");
    String expected =
        "<%s/muninn-cli-1.jar:%s/lib/muninn-engine-1.jar:%s/lib/muninn-weights-loader-1.jar:%s/lib/*>\n"
            .replace("%s", target.toString());
    assertTrue(output.contains(expected), output);
  }
}
