package dev.muninn.cli.models;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.cli.CommandRun;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FirstUseTest {
  @TempDir private Path temporary;

  private final StringWriter told = new StringWriter();

  private Path find(Path asked, Map<String, String> environment) throws IOException {
    return FirstUse.locateOrPull(asked, environment, new PrintWriter(told, true));
  }

  /** Another program that needs the model. */
  static final class Program {
    private Program() {}

    public static void main(String... arguments) throws IOException {
      PrintWriter progress = new PrintWriter(System.err, true);
      System.out.println(FirstUse.locateOrPull(Path.of(arguments[0]), System.getenv(), progress));
    }
  }

  /** Several programs of a host that need the same model at once: one pulls, the others wait. */
  @Test
  void aModelIsPulledOnceOnAHost() throws IOException, InterruptedException {
    try (FakeHub hub = FakeHub.of(CommandRun.UNTIED)) {
      Map<String, String> environment =
          Map.of(
              "HF_ENDPOINT", hub.server.address(),
              "MUNINN_MODELS", temporary.resolve("models").toString());
      Path expected = temporary.resolve("models").resolve(FakeHub.MODEL);
      List<Process> programs = new ArrayList<>();
      try {
        for (int i = 0; i < 2; i++) {
          ProcessBuilder builder =
              new ProcessBuilder(
                  Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                  "-cp",
                  System.getProperty("java.class.path"),
                  Program.class.getName(),
                  FakeHub.MODEL);
          builder.environment().putAll(environment);
          Path output = temporary.resolve("program" + i);
          programs.add(builder.redirectErrorStream(true).redirectOutput(output.toFile()).start());
        }
        assertEquals(expected, find(Path.of(FakeHub.MODEL), environment));
        for (int i = 0; i < 2; i++) {
          assertTrue(programs.get(i).waitFor(2, TimeUnit.MINUTES));
          List<String> lines = Files.readAllLines(temporary.resolve("program" + i));
          assertEquals(expected.toString(), lines.getLast(), lines.toString());
        }
      } finally {
        programs.forEach(Process::destroyForcibly);
      }
      assertEquals(1, hub.requests(FakeHub.API).size());
      assertEquals(1, hub.requests(hub.file("model.safetensors")).size());
      assertEquals(expected, find(Path.of(FakeHub.MODEL), environment));
      assertEquals(1, hub.requests(FakeHub.API).size());
    }
  }

  @Test
  void aPathIsItself() throws IOException {
    assertEquals(temporary, find(temporary, Map.of()));
    Path missing = temporary.resolve("missing");
    assertEquals(missing, find(missing, Map.of()));
  }

  @Test
  void whatNobodyHasIsOneLine() throws IOException {
    try (FakeHub hub = FakeHub.of(CommandRun.UNTIED)) {
      Map<String, String> environment =
          Map.of("HF_ENDPOINT", hub.server.address(), "MUNINN_MODELS", temporary.toString());
      IOException failure =
          assertThrows(IOException.class, () -> find(Path.of("raven/unknown"), environment));
      assertEquals(1, failure.getMessage().lines().count());
    }
  }
}
