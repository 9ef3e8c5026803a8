package dev.muninn.cli.process;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.cli.Main;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ArgumentsTest {
  private static final String TYPED = "ü漢😀\ufffd";

  @TempDir private Path directory;

  private static boolean linux() {
    return Files.isReadable(Path.of("/proc/self/cmdline"));
  }

  @Test
  void lastArgumentsOfACommandLineAreReadAsUtf8() throws IOException {
    byte[] line = ("java\0-cp\0x:y\0Main\0\0" + TYPED + "\0").getBytes(StandardCharsets.UTF_8);
    assertArrayEquals(new String[] {"", TYPED}, Arguments.last(2, line));
  }

  @Test
  void whatIsNotUtf8IsRefused() {
    byte[] line = {'j', 0, 'a', 0, (byte) 0xff, 0};
    IOException refusal = assertThrows(IOException.class, () -> Arguments.last(2, line));
    assertEquals("argument 2 is not UTF-8 text", refusal.getMessage());
  }

  /** A command that does not exist is named as it was typed. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "LANG=en_XX.UTF-8",
        "LANG=xx",
        "LC_ALL=C",
        "LC_ALL=POSIX",
        "LC_CTYPE=UTF-8",
        "NONE=1",
        "LC_ALL=C.UTF-8"
      })
  @EnabledIf(value = "linux", disabledReason = "only Linux keeps the bytes of the arguments")
  void promptIsAsTypedInEveryLocale(String variable) throws Exception {
    assertFails(variable, "", "unknown command '" + TYPED + "'", ExitCode.USAGE);
  }

  /** Java itself cannot open files of such names then. */
  @Test
  @EnabledIf(value = "linux", disabledReason = "only Linux keeps the bytes of the arguments")
  void aPathThatTheLocaleCannotNameSaysSo() throws Exception {
    assertFails(
        "LC_ALL=C",
        "inspect",
        "'" + TYPED + "' cannot name a file in this locale; set LC_ALL",
        ExitCode.USAGE);
  }

  private void assertFails(String variable, String command, String expected, int exitCode)
      throws Exception {
    Path said = directory.resolve("said");
    ProcessBuilder builder =
        new ProcessBuilder(
            "sh",
            "-c",
            "exec \"$0\" -XX:TieredStopAtLevel=1 -cp \"$1\" "
                + Main.class.getName()
                + " "
                + command
                + " \"$(cat)\"",
            Path.of(System.getProperty("java.home"), "bin/java").toString(),
            System.getProperty("java.class.path"));
    String path = builder.environment().get("PATH");
    builder.environment().clear();
    builder.environment().put("PATH", path);
    List<String> setting = List.of(variable.split("="));
    builder.environment().put(setting.get(0), setting.get(1));
    // This test's own locale may have no such letters: they go by a file.
    Path typed = Files.writeString(directory.resolve("typed"), TYPED);
    Process process =
        builder
            .redirectInput(typed.toFile())
            .redirectErrorStream(true)
            .redirectOutput(said.toFile())
            .start();
    try {
      assertTrue(process.waitFor(60, TimeUnit.SECONDS), "still runs");
    } finally {
      process.destroyForcibly();
    }
    String output = Files.readString(said);
    assertTrue(output.contains(expected), output);
    assertEquals(exitCode, process.exitValue());
  }
}
