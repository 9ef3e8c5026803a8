package dev.muninn.cli.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.cli.CommandRun;
import dev.muninn.cli.process.ExitCode;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The command: what it refuses, and how it ends. */
@Timeout(value = 10, unit = TimeUnit.MINUTES)
class ServeCommandTest {
  @TempDir private Path temporary;

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          --port 70000 | --port: expected a whole number from 0 to 65535, not '70000'
          --kv-memory 0 | --kv-memory: expected bytes above 0, such as 512M or 8G, not '0'
          --kv-memory 99999999999G | --kv-memory: expected bytes above 0
          --prefix-reuse some | --prefix-reuse: expected off, exact or any, not 'some'
          --cors-origin example.org | --cors-origin: expected an origin such as
          --host no.such.host.invalid | --host: there is no address no.such.host.invalid
          --reasoning-effort low=0 | --reasoning-effort: expected such as low=4,medium=8,high=16
          --min-recurrence 2 | --min-recurrence needs --exit
          --top-k 4 | --top-k needs --temperature above 0
          --port 0 -r 8 --max-recurrence 4 | --max-recurrence 4 is less than the
          """)
  void refusesWhatItCannotDo(String arguments, String message) {
    String[] words = ("serve " + arguments).split(" ");
    CommandRun.of(words).assertFails(ExitCode.USAGE, message);
  }

  @Test
  void refusesAnEmptyKeyAPortThatIsTakenAndAModelWithoutATokenizer() throws IOException {
    Path key = Files.writeString(temporary.resolve("key"), "\n");
    CommandRun.of("serve", "--api-key-file", key.toString())
        .assertFails(ExitCode.FAILED, "key: expected one line, the key");
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      CommandRun.of("serve", "--port", Integer.toString(taken.getLocalPort()))
          .assertFails(ExitCode.FAILED, "127.0.0.1:" + taken.getLocalPort() + ": ");
    }
    CommandRun.of("serve", "--port", "0", "-m", CommandRun.UNTIED.toString())
        .assertFails(ExitCode.USAGE, "a server needs a tokenizer");
  }

  /** A signal lets the answers that are made come to their end. */
  @Test
  void aSignalDrains() throws IOException, InterruptedException {
    try (ServedChild server = new ServedChild(temporary, "--drain", "110")) {
      CompletableFuture<HttpResponse<String>> answer = server.ask(60, 32);
      server.child.await(() -> answer.isDone() || server.metric("muninn_requests_running") == 1);
      server.child.interrupt();
      assertTrue(answer.join().body().endsWith("data: [DONE]\n\n"), answer.join().body());
      CommandRun result = server.child.result();
      assertEquals(ExitCode.INTERRUPTED, result.exitCode(), result.err());
      assertTrue(
          result.err().contains("raven-tiny on http://127.0.0.1:" + server.port), result.err());
    }
  }

  /** Those that are computed and those that wait end whole, and nothing new comes in. */
  @Test
  void aServiceManagersSignalDrainsUnderLoad() throws IOException, InterruptedException {
    try (ServedChild server =
        new ServedChild(temporary, "--drain", "110", "--parallel", "2", "--max-queue", "20")) {
      List<CompletableFuture<HttpResponse<String>>> answers = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        answers.add(server.ask(60, 64));
      }
      server.child.await(() -> server.metric("muninn_requests_queued") == 6);
      server.child.terminate();
      server.child.await(() -> server.health() == 503);
      HttpResponse<String> late = server.ask(1, 1).join();
      assertEquals(503, late.statusCode(), late.body());
      assertTrue(late.headers().firstValue("Retry-After").isPresent());
      List<String> texts = new ArrayList<>();
      for (CompletableFuture<HttpResponse<String>> answer : answers) {
        List<Map<String, Object>> events = ServerRun.events(answer.join());
        assertEquals("length", ServerRun.choice(events.getLast(), 0).get("finish_reason"));
        StringBuilder text = new StringBuilder();
        events.forEach(event -> text.append(ServerRun.choice(event, 0).get("text")));
        texts.add(text.toString());
      }
      assertEquals(1, texts.stream().distinct().count(), texts.toString());
      CommandRun result = server.child.result();
      assertEquals(ExitCode.OK, result.exitCode(), result.err());
    }
  }

  /** What takes longer than it may is told so. */
  @Test
  void drainingHasALimit() throws IOException, InterruptedException {
    try (ServedChild server =
        new ServedChild(temporary, "--drain", "1", "--max-recurrence", "100000")) {
      CompletableFuture<HttpResponse<String>> endless =
          server.post(
              "{\"prompt\":\"1\",\"stream\":true,\"ignore_eos\":true,\"max_tokens\":250,"
                  + "\"recurrence\":100000,\"kv\":\"budget:4\"}");
      server.child.await(() -> server.metric("muninn_requests_running") == 1);
      server.child.terminate();
      String body = endless.join().body();
      assertTrue(body.contains("\"error\":{\"message\":\"the server is shutting down\""), body);
      assertFalse(body.contains("[DONE]"), body);
      CommandRun result = server.child.result();
      assertEquals(ExitCode.OK, result.exitCode(), result.err());
    }
  }
}
