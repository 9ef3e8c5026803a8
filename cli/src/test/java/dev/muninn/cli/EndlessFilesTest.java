package dev.muninn.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.muninn.cli.process.ExitCode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A device that never ends, wherever a file can be named, is one line and no end of memory. */
@Timeout(120)
class EndlessFilesTest {
  private static final Path ENDLESS = Path.of("/dev/zero");
  private static final String TINY = CommandRun.RAVEN_TINY.toString();

  @TempDir private Path temporary;

  @BeforeAll
  static void hasSuchADevice() {
    assumeTrue(Files.exists(ENDLESS), "this system has no device without an end");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          generate --prompts /dev/zero                | more than 134217728 bytes, too many for prompts
          generate --prompt-file /dev/zero            | more than 16777216 bytes, too many for a prompt
          eval /dev/zero                              | more than 134217728 bytes, too many for a task
          eval check-digit:8 --shots 1 --pool /dev/zero | more than 134217728 bytes, too many for a task
          serve --port 0 --api-key-file /dev/zero     | more than 4096 bytes, too many for a key
          train --out OUT --data /dev/zero            | more than 268435456 bytes, too many for training
          quantize TINY --out OUT --type q8 --calibrate /dev/zero | found zeros
          quantize TINY --out OUT --type q8 --verify --verify-text /dev/zero | found zeros
          bench --compare /dev/zero                   | a pipe, socket or device, expected a regular file
          """)
  void asInput(String command, String says) {
    String[] arguments =
        command
            .replace("TINY", TINY)
            .replace("OUT", temporary.resolve("out").toString())
            .split(" ");
    CommandRun run = CommandRun.of(arguments);
    run.assertFails(ExitCode.FAILED, says);
    assertTrue(run.err().contains("/dev/zero"), run.err());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "config.json",
        "tokenizer.json",
        "tokenizer_config.json",
        "generation_config.json",
        "chat_template.jinja",
        "model.safetensors"
      })
  void inAModel(String name) throws IOException {
    Path model = Files.createDirectory(temporary.resolve("model"));
    try (var files = Files.list(CommandRun.RAVEN_TINY)) {
      for (Path file : files.toList()) {
        Files.copy(file, model.resolve(file.getFileName().toString()));
      }
    }
    Files.deleteIfExists(model.resolve(name));
    Files.createSymbolicLink(model.resolve(name), ENDLESS);
    CommandRun run = CommandRun.of("generate", "-m", model.toString(), "-n", "1", "1+1=");
    run.assertFails(ExitCode.FAILED, "a pipe, socket or device");
    assertTrue(run.err().contains(name), run.err());
    Files.delete(model.resolve(name));
  }

  @Test
  void asStandardInputOfAChat() {
    CommandRun run = CommandRun.withInput("\0".repeat((16 << 20) + 1), "chat", "-m", TINY);
    assertEquals(ExitCode.FAILED, run.exitCode());
    assertTrue(run.err().contains("too many for a message"), run.err());
  }
}
