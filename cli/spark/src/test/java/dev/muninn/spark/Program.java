package dev.muninn.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Java programs beside the test, with its class path. */
final class Program {
  /** A file of the JVM's options that the command has. */
  static final String OPTIONS = System.getProperty("muninn.options");

  private static final int MINUTES = 9;

  private Program() {}

  /**
   * A program that has not begun.
   *
   * @param output gets what it prints; a file beside it, ending in .err, what it reports
   * @param heap such as 256m
   * @param arguments the class, and what it is given
   */
  static ProcessBuilder builder(Path output, String heap, List<String> arguments) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(own("--"));
    command.add("@" + OPTIONS);
    command.addAll(compiler());
    command.add("-Xmx" + heap);
    command.addAll(arguments);
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().put("CLASSPATH", System.getProperty("java.class.path"));
    return builder.redirectOutput(output.toFile()).redirectError(errors(output).toFile());
  }

  /** When this JVM compiles a method again, with more effort. */
  static List<String> compiler() {
    return own("-XX:Tier4");
  }

  private static List<String> own(String prefix) {
    return ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
        .filter(option -> option.startsWith(prefix))
        .toList();
  }

  /** Where a program with this output reports what goes wrong. */
  static Path errors(Path output) {
    return output.resolveSibling(output.getFileName() + ".err");
  }

  /** What the muninn command prints. */
  static List<String> muninn(Path directory, String... arguments)
      throws IOException, InterruptedException {
    Path output = Files.createTempFile(directory, "muninn", ".out");
    List<String> command = new ArrayList<>(List.of("dev.muninn.cli.Main"));
    command.addAll(List.of(arguments));
    command.addAll(List.of("--threads", "1"));
    Process process = builder(output, "512m", command).start();
    try {
      assertTrue(process.waitFor(MINUTES, TimeUnit.MINUTES), "muninn goes on and on");
    } finally {
      process.destroyForcibly();
    }
    assertEquals(0, process.exitValue(), Files.readString(errors(output)));
    return Files.readAllLines(output);
  }
}
