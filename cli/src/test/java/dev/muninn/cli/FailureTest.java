package dev.muninn.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.muninn.cli.process.ExitCode;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FailureTest {
  private static final String TINY = CommandRun.RAVEN_TINY.toString();
  private static final String UNTIED = CommandRun.UNTIED.toString();

  @TempDir private Path temporary;

  private static void assertModelFails(Path model, String line) {
    String directory = model.toString();
    CommandRun.of("generate", "-m", directory, "--prompt-tokens", "1")
        .assertFails(ExitCode.FAILED, line);
    CommandRun.of("score", "-m", directory, "--prompt-tokens", "1,2")
        .assertFails(ExitCode.FAILED, line);
    CommandRun.of("inspect", directory).assertFails(ExitCode.FAILED, line);
  }

  private Path copyOfUntied() throws IOException {
    Path copy = Files.createDirectory(temporary.resolve("model"));
    for (String name : List.of("config.json", "model.safetensors")) {
      Files.copy(CommandRun.UNTIED.resolve(name), copy.resolve(name));
    }
    return copy;
  }

  @Test
  void noSuchDirectory() {
    assertModelFails(temporary.resolve("nowhere"), "nowhere: no such directory");
  }

  @Test
  void notADirectory() {
    assertModelFails(CommandRun.UNTIED.resolve("config.json"), "not a directory");
  }

  @Test
  void noConfiguration() {
    assertModelFails(temporary, "no config.json");
  }

  @Test
  void anotherModelType() throws IOException {
    Files.writeString(temporary.resolve("config.json"), "{\"model_type\": \"llama\"}");
    assertModelFails(temporary, "model_type is \"llama\", expected \"huginn_raven\"");
  }

  @Test
  void noWeights() throws IOException {
    Path model = copyOfUntied();
    Files.delete(model.resolve("model.safetensors"));
    assertModelFails(model, "neither model.safetensors nor model.safetensors.index.json");
  }

  @Test
  void truncatedWeights() throws IOException {
    Path model = copyOfUntied();
    try (FileChannel weights =
        FileChannel.open(model.resolve("model.safetensors"), StandardOpenOption.WRITE)) {
      weights.truncate(weights.size() / 2);
    }
    assertModelFails(model, "model.safetensors: ");
  }

  @Test
  void promptThatTheModelCannotTake() {
    CommandRun.of("generate", "-m", UNTIED, "--prompt-tokens", "1,128")
        .assertFails(ExitCode.USAGE, "token 128 is outside the vocabulary, 0 to 127");
    CommandRun.of("generate", "-m", UNTIED, "--prompt-tokens", "-1")
        .assertFails(ExitCode.USAGE, "token -1 is outside the vocabulary");
    CommandRun.of("generate", "-m", UNTIED, "--prompt-tokens", "1,2,3", "--context", "2")
        .assertFails(ExitCode.USAGE, "the prompt has 3 tokens, more than the context of 2");
    CommandRun.of("generate", "-m", UNTIED, "--prompt-tokens", "1" + ",1".repeat(64))
        .assertFails(ExitCode.USAGE, "the prompt has 65 tokens, more than the context of 64");
    CommandRun.of("generate", "-m", UNTIED, "--prompt-tokens", "1", "--context", "65")
        .assertFails(ExitCode.USAGE, "context length 65 exceeds the model's 64");
    CommandRun.of("generate", "-m", UNTIED, "text").assertFails(ExitCode.USAGE, "tokenizer");
    CommandRun.of("generate", "-m", UNTIED, "--prompt-tokens", "1", "--stop", "x")
        .assertFails(ExitCode.USAGE, "tokenizer");
    CommandRun.of("score", "-m", UNTIED, "--prompt-tokens", "1")
        .assertFails(ExitCode.USAGE, "needs at least 2 tokens");
  }

  @Test
  void promptFileThatCannotBeRead() throws IOException {
    CommandRun.of("generate", "--prompt-file", temporary.resolve("nothing").toString())
        .assertFails(ExitCode.FAILED, "nothing: no such file");
    CommandRun.of("generate", "--prompt-file", temporary.toString())
        .assertFails(ExitCode.FAILED, temporary + ": ");
    Path file = temporary.resolve("latin");
    Files.write(file, new byte[] {(byte) 0xE9, 't', (byte) 0xE9});
    CommandRun.of("score", "--prompt-file", file.toString())
        .assertFails(ExitCode.FAILED, "latin is not UTF-8 text");
  }

  @Test
  void promptFileWithoutAnEnd() {
    Path endless = Path.of("/dev/zero");
    assumeTrue(Files.exists(endless), "this system has no device without an end");
    CommandRun.of("generate", "--prompt-file", endless.toString())
        .assertFails(ExitCode.FAILED, "/dev/zero: has more than 16777216 bytes");
  }

  @Test
  void stackTraceOnlyOnRequest() {
    String missing = temporary.resolve("nowhere").toString();
    CommandRun run = CommandRun.of("generate", "-m", missing, "--verbose", "x");
    assertEquals(ExitCode.FAILED, run.exitCode());
    assertTrue(run.err().contains("\tat dev.muninn."), run.err());
    assertTrue(run.err().lines().anyMatch(line -> line.startsWith("muninn: ")), run.err());
  }

  @Test
  void memoryThatIsNotThereIsOneLine() {
    // Keys and values of a hundred million recurrences.
    CommandRun.of("generate", "-m", TINY, "-r", "100000000", "x")
        .assertFails(ExitCode.FAILED, "memory");
  }
}
