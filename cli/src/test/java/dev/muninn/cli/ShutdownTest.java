package dev.muninn.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Runs the command in a JVM of its own, which is then told to end. */
class ShutdownTest {

  @Test
  void interruptionKeepsTheTextAndEndsItsLine() throws IOException, InterruptedException {
    List<String> command =
        List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "--add-modules",
            "jdk.incubator.vector",
            "--enable-native-access=ALL-UNNAMED",
            "-cp",
            System.getProperty("java.class.path"),
            Main.class.getName(),
            "generate",
            "--model",
            CommandRun.RAVEN_TINY.toString(),
            // Much deeper than needed, so that it goes on for long after the first piece of text.
            "--recurrence",
            "300",
            "--max-tokens",
            "240",
            "--ignore-eos",
            "47+8=");
    Process process =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
    try (InputStream out = process.getInputStream()) {
      int first = out.read();
      new ProcessBuilder("kill", "-INT", Long.toString(process.pid())).start().waitFor();
      String text = (char) first + new String(out.readAllBytes(), StandardCharsets.UTF_8);
      assertTrue(text.startsWith("5") && text.endsWith("\n"), text);
      assertTrue(process.waitFor(20, TimeUnit.SECONDS));
      assertEquals(ExitCode.INTERRUPTED, process.exitValue());
    } finally {
      process.destroyForcibly();
    }
  }
}
