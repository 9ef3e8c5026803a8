package dev.muninn.tornado;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.muninn.weights.JsonFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The check of one command, in a checkout where muninn and Maven are scripts that only answer. */
class GpuCheckTest {
  private static final Path SCRIPT = Path.of("..", "bench", "gpu-check");

  @TempDir private Path root;

  /** What the script did. */
  private record Run(int exitCode, String err) {}

  @BeforeEach
  void copyTheScript() throws IOException {
    assumeTrue(Files.isExecutable(Path.of("/bin/sh")), "no shell here");
    Files.createDirectories(root.resolve("bench"));
    Files.copy(SCRIPT, root.resolve("bench/gpu-check"));
    Files.createDirectories(root.resolve("sdk"));
    Files.createDirectories(root.resolve("bin"));
  }

  private void script(String name, String... lines) throws IOException {
    Path file = root.resolve(name);
    Files.writeString(file, "#!/bin/sh\n" + String.join("\n", lines) + "\n");
    assertTrue(file.toFile().setExecutable(true));
  }

  private void devices(String kind) throws IOException {
    Files.createFile(root.resolve("sdk/tornado-argfile"));
    script(
        "muninn",
        "case \"$1 $*\" in",
        "devices*) echo '{\"devices\": [{\"id\": \"cpu\", \"backend\": \"vector\", \"kind\": \"cpu\"},'",
        "  echo ' {\"id\": \"cl-0\", \"backend\": \"tornado\", \"kind\": \"" + kind + "\"}]}' ;;",
        "generate*) echo '{\"text\": \"55\"}' ;;",
        "*broken*) echo 'muninn: no \"such\" model' >&2; exit 1 ;;",
        "*--kernels*) echo '[{\"kernel\": \"join\"}]' ;;",
        "bench*) echo '[{\"test\": \"pp16\"}]' ;;",
        "esac");
    script(
        "bin/mvn",
        "mkdir -p tornado-tasks/target/surefire-reports",
        "echo '<testsuite name=\"A\" tests=\"7\" errors=\"0\" skipped=\"1\" failures=\"0\">'"
            + " >tornado-tasks/target/surefire-reports/TEST-A.xml",
        "echo '<testsuite name=\"B\" tests=\"5\" errors=\"0\" skipped=\"1\" failures=\"0\">'"
            + " >tornado-tasks/target/surefire-reports/TEST-B.xml");
  }

  private Run run(String home, String... arguments) throws Exception {
    List<String> command = new ArrayList<>(List.of("/bin/sh", "bench/gpu-check"));
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.directory(root.toFile());
    builder.environment().remove("TORNADOVM_HOME");
    if (home != null) {
      builder.environment().put("TORNADOVM_HOME", home);
    }
    builder.environment().merge("PATH", "", (path, none) -> root.resolve("bin") + ":" + path);
    builder.redirectOutput(ProcessBuilder.Redirect.DISCARD);
    Path err = root.resolve("err");
    builder.redirectError(err.toFile());
    Process process = builder.start();
    try {
      assertTrue(process.waitFor(60, TimeUnit.SECONDS), "the check hangs");
    } finally {
      process.destroyForcibly();
    }
    return new Run(process.exitValue(), Files.readString(err, StandardCharsets.UTF_8));
  }

  private static void assertRefuses(Run run, String why) {
    assertEquals(1, run.exitCode());
    List<String> lines =
        run.err().lines().filter(line -> !line.equals("gpu-check: devices")).toList();
    assertEquals(1, lines.size(), run.err());
    assertTrue(lines.getFirst().startsWith("gpu-check: ") && lines.getFirst().contains(why), why);
  }

  @Test
  void withoutTornadoOneLineSaysSo() throws Exception {
    assertRefuses(run(null), "TORNADOVM_HOME is not set");
    assertRefuses(run(root.resolve("sdk").toString()), "it is no TornadoVM SDK");
    assertRefuses(run(null, "--fast"), "no option --fast");
  }

  @Test
  void withoutGpuOneLineSaysSo() throws Exception {
    devices("cpu");
    assertRefuses(run("sdk"), "finds no GPU here, only: cl-0 cpu");
    assertRefuses(run("sdk", "--device", "cl-1"), "no device cl-1");
    assertFalse(Files.exists(root.resolve("gpu-check.json")));
  }

  @Test
  void everythingIsInOneFile() throws Exception {
    devices("gpu");
    Run run = run("sdk", "--models", "tiny,broken", "--quick", "found.json");
    assertEquals(1, run.exitCode(), run.err());
    assertTrue(run.err().contains("kernels of broken failed"), run.err());
    Map<String, Object> found = JsonFile.readObject(root.resolve("found.json"));
    assertEquals("cl-0", found.get("device"));
    Map<?, ?> tests = (Map<?, ?>) found.get("tests");
    assertEquals(12L, tests.get("run"));
    assertEquals(2L, tests.get("skipped"));
    assertEquals("55", ((Map<?, ?>) found.get("answer")).get("text"));
    Map<?, ?> models = (Map<?, ?>) found.get("models");
    assertEquals(
        Map.of(
            "kernels", List.of(Map.of("kernel", "join")), "bench", List.of(Map.of("test", "pp16"))),
        models.get("tiny"));
    assertEquals(
        List.of(
            "kernels of broken: muninn: no \"such\" model",
            "bench of broken: muninn: no \"such\" model"),
        found.get("failures"));
    run = run("sdk", "--models", "tiny", "--tests", "none");
    assertEquals(0, run.exitCode(), run.err());
    found = JsonFile.readObject(root.resolve("gpu-check.json"));
    assertTrue(found.containsKey("tests") && found.get("tests") == null, found::toString);
  }
}
