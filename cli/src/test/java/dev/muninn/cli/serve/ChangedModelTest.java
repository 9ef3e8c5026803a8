package dev.muninn.cli.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.cli.CommandRun;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Weights that somebody writes to while they are served. */
@Timeout(120)
class ChangedModelTest {
  private static final String BODY = "{\"prompt\": \"1+1=\", \"max_tokens\": 1%s}";
  private static final String SAYS = "the model's files have changed since the server was started";

  @TempDir private Path model;

  @Test
  void eachRequestIsToldPlainlyAndTheLogNamesTheFile() throws Exception {
    try (var files = Files.list(CommandRun.RAVEN_TINY)) {
      for (Path file : files.toList()) {
        Files.copy(file, model.resolve(file.getFileName().toString()));
      }
    }
    try (ServerRun run = ServerRun.of(model)) {
      assertEquals(200, run.post(ServerRun.COMPLETIONS, BODY.formatted("")).statusCode());
      assertEquals("{\"status\":\"ok\"}", run.get("/health").body().strip());
      Path weights = model.resolve("model.safetensors");
      Files.setLastModifiedTime(weights, FileTime.fromMillis(1_000));
      for (int i = 0; i < 2; i++) {
        HttpResponse<String> whole = run.post(ServerRun.COMPLETIONS, BODY.formatted(""));
        assertEquals(500, whole.statusCode());
        assertTrue(whole.body().contains(SAYS), whole.body());
        String stream =
            run.post(ServerRun.COMPLETIONS, BODY.formatted(", \"stream\": true")).body();
        assertTrue(stream.contains(SAYS), stream);
      }
      HttpResponse<String> health = run.get("/health");
      assertEquals(503, health.statusCode());
      assertEquals("{\"status\":\"changed\"}", health.body().strip());
      String line =
          run.log.toString().lines().filter(said -> said.contains(SAYS)).findFirst().orElseThrow();
      assertTrue(line.contains(SAYS + ": " + weights + ": found a file changed at "), line);
    }
  }
}
