package dev.muninn.cli.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.cli.ChildRun;
import dev.muninn.cli.CommandRun;
import dev.muninn.cli.process.ExitCode;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
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
    int port;
    try (ServerSocket free = new ServerSocket(0)) {
      port = free.getLocalPort();
    }
    URI uri = URI.create("http://127.0.0.1:" + port);
    try (HttpClient client = HttpClient.newHttpClient();
        ChildRun server =
            ChildRun.start(
                temporary,
                Map.of("MUNINN_CACHE", temporary.resolve("cache").toString()),
                "serve",
                "--drain",
                "110",
                "--port",
                Integer.toString(port))) {
      server.await(() -> health(client, uri) == 200);
      CompletableFuture<HttpResponse<String>> answer =
          client.sendAsync(
              HttpRequest.newBuilder(uri.resolve("/v1/completions"))
                  .header("Content-Type", "application/json")
                  .POST(
                      HttpRequest.BodyPublishers.ofString(
                          "{\"prompt\":\"1\",\"stream\":true,\"ignore_eos\":true,"
                              + "\"max_tokens\":60,\"recurrence\":32}"))
                  .build(),
              HttpResponse.BodyHandlers.ofString());
      server.await(
          () -> answer.isDone() || metrics(client, uri).contains("muninn_requests_running 1.0"));
      server.interrupt();
      assertTrue(answer.join().body().endsWith("data: [DONE]\n\n"), answer.join().body());
      CommandRun result = server.result();
      assertEquals(ExitCode.INTERRUPTED, result.exitCode(), result.err());
      assertTrue(result.err().contains("raven-tiny on http://127.0.0.1:" + port), result.err());
    }
  }

  private static int health(HttpClient client, URI uri) {
    return get(client, uri.resolve("/health")).map(HttpResponse::statusCode).orElse(0);
  }

  private static String metrics(HttpClient client, URI uri) {
    return get(client, uri.resolve("/metrics")).map(HttpResponse::body).orElse("");
  }

  private static Optional<HttpResponse<String>> get(HttpClient client, URI uri) {
    try {
      return Optional.of(
          client.send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.ofString()));
    } catch (IOException e) {
      // It does not listen yet.
      return Optional.empty();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }
}
