package dev.muninn.cli.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.cli.CommandRun;
import dev.muninn.cli.Main;
import dev.muninn.weights.JsonFile;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs the command in a JVM of its own, which is then told to end. */
class ShutdownTest {

  /** Generates at a depth at which it goes on for long after the first piece of text. */
  private static Process start(String... options) throws IOException {
    List<String> command =
        new ArrayList<>(
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
                "--max-tokens",
                "240",
                "--ignore-eos"));
    command.addAll(Arrays.asList(options));
    return new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
  }

  private static void interrupt(Process process) throws IOException, InterruptedException {
    new ProcessBuilder("kill", "-INT", Long.toString(process.pid())).start().waitFor();
  }

  private static void assertInterrupted(Process process) throws InterruptedException {
    assertTrue(process.waitFor(20, TimeUnit.SECONDS));
    assertEquals(ExitCode.INTERRUPTED, process.exitValue());
  }

  @Test
  void interruptionKeepsTheTextAndEndsItsLine() throws IOException, InterruptedException {
    Process process = start("--recurrence", "300", "47+8=");
    try (InputStream out = process.getInputStream()) {
      int first = out.read();
      interrupt(process);
      String text = (char) first + new String(out.readAllBytes(), StandardCharsets.UTF_8);
      assertTrue(text.startsWith("5") && text.endsWith("\n"), text);
      assertInterrupted(process);
    } finally {
      process.destroyForcibly();
    }
  }

  /** The first prompt ends at the end of the context, the second long after it. */
  @Test
  void interruptionKeepsWhatWasMadeOfEveryPromptThatHadBegun(@TempDir Path directory)
      throws IOException, InterruptedException {
    int[] tokens = new int[254];
    Arrays.fill(tokens, '1');
    Path prompts = directory.resolve("prompts.jsonl");
    Files.writeString(
        prompts,
        """
        {"id":1,"prompt_tokens":%s}
        {"id":2,"prompt":"47+8="}
        """
            .formatted(Arrays.toString(tokens)));
    Process process = start("--recurrence", "100", "--prompts", prompts.toString());
    try (BufferedReader out = process.inputReader()) {
      Map<String, Object> whole = JsonFile.readObject("first line", out.readLine());
      interrupt(process);
      assertEquals(1L, whole.get("id"));
      assertEquals("length", whole.get("finish_reason"));
      Map<String, Object> cut = JsonFile.readObject("second line", out.readLine());
      assertEquals(2L, cut.get("id"));
      assertEquals("cancelled", cut.get("finish_reason"));
      assertEquals(null, out.readLine());
      assertInterrupted(process);
    } finally {
      process.destroyForcibly();
    }
  }
}
