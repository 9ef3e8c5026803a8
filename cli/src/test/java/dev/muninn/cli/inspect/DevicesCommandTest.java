package dev.muninn.cli.inspect;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.cli.CommandRun;
import dev.muninn.cli.process.ExitCode;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/**
 * What can compute here: the CPU always, the rest where TornadoVM's backend is on the class path.
 */
class DevicesCommandTest {
  private static final String TINY = CommandRun.RAVEN_TINY.toString();

  @Test
  void theProcessorIsListedAndWhatIsMissingIsSaid() {
    CommandRun run = CommandRun.of("devices");
    assertEquals(ExitCode.OK, run.exitCode());
    assertTrue(
        run.out().lines().toList().get(1).startsWith("cpu            vector   cpu"), run.out());
    assertTrue(run.err().contains("set TORNADOVM_HOME"), run.err());
    assertEquals(1, run.err().lines().count());
  }

  @Test
  void theSameAsJson() throws IOException {
    Map<String, Object> json = CommandRun.of("devices", "--json").json();
    assertEquals("cpu", ((Map<?, ?>) ((List<?>) json.get("devices")).getFirst()).get("id"));
    assertTrue(((String) json.get("missing")).contains("needs TornadoVM: install"));
  }

  @Test
  void theBackendThatIsMissingIsNamedInOneLine() {
    CommandRun run = CommandRun.of("generate", "-m", TINY, "--backend", "tornado", "47+8=");
    assertEquals(ExitCode.FAILED, run.exitCode());
    assertEquals("", run.out());
    assertEquals(1, run.err().lines().count());
    assertTrue(run.err().contains("needs TornadoVM: install"), run.err());
  }

  @Test
  void theResultNamesBackendAndDevice() throws IOException {
    String[] arguments = {"generate", "-m", TINY, "--device", "cpu", "-n", "1", "--json", "47+8="};
    Map<String, Object> json = CommandRun.of(arguments).json();
    assertEquals("vector", json.get("backend"));
    assertEquals("cpu", json.get("device"));
  }
}
