package dev.muninn.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.cli.terminal.StandardStreams;
import dev.muninn.weights.JsonFile;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * One command, run in this JVM with streams of its own.
 *
 * @param exitCode what the process would have ended with
 * @param out what went to standard output
 * @param err what went to standard error
 */
public record CommandRun(int exitCode, String out, String err) {
  /** A model without a tokenizer. */
  public static final Path UNTIED = resource("raven-1-2-1-untied");

  /** The built-in model, where the build put it. */
  public static final Path RAVEN_TINY = resource("raven-tiny");

  public static CommandRun of(String... arguments) {
    return withInput("", arguments);
  }

  public static CommandRun withInput(String input, String... arguments) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    return run(input.getBytes(StandardCharsets.UTF_8), out, Map.of(), arguments);
  }

  public static CommandRun run(
      byte[] input, OutputStream out, Map<String, String> environment, String... arguments) {
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    StandardStreams streams = StandardStreams.of(new ByteArrayInputStream(input), out, err);
    int exitCode = MuninnCommand.run(streams, environment, arguments);
    streams.err().flush();
    return new CommandRun(exitCode, out.toString(), err.toString(StandardCharsets.UTF_8));
  }

  /** The object that --json printed: one line, and nothing on standard error. */
  public Map<String, Object> json() throws IOException {
    assertEquals("", err);
    assertEquals(1, out.lines().count(), out);
    Path file = Files.createTempFile("muninn-test", ".json");
    try {
      Files.writeString(file, out);
      return JsonFile.readObject(file);
    } finally {
      Files.delete(file);
    }
  }

  /** Checks that the command failed with this exit code and one line that holds this text. */
  public void assertFails(int expectedExitCode, String expectedText) {
    assertEquals("", out);
    assertTrue(err.startsWith("muninn: ") && err.contains(expectedText), err);
    assertEquals(1, err.lines().count(), err);
    assertEquals(expectedExitCode, exitCode, err);
  }

  /** The hidden names in a directory, sorted. */
  public static List<String> hidden(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files
          .map(file -> file.getFileName().toString())
          .filter(name -> name.startsWith("."))
          .sorted()
          .toList();
    }
  }

  private static Path resource(String name) {
    try {
      return Path.of(CommandRun.class.getResource(name).toURI());
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }
}
