package dev.muninn.cli.serve;

import dev.muninn.cli.ChildRun;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/** A server of the built-in model in a JVM of its own, and a client of it. Closing kills it. */
final class ServedChild implements AutoCloseable {
  final int port;
  final ChildRun child;
  private final HttpClient client = HttpClient.newHttpClient();

  /** Starts it on a free port, and waits until it answers. */
  ServedChild(Path temporary, String... options) throws IOException, InterruptedException {
    try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = free.getLocalPort();
    }
    List<String> arguments = new ArrayList<>(List.of("serve", "--port", Integer.toString(port)));
    arguments.addAll(List.of(options));
    child =
        ChildRun.start(
            temporary,
            Map.of("MUNINN_CACHE", temporary.resolve("cache").toString()),
            arguments.toArray(String[]::new));
    child.await(() -> health() == 200);
  }

  private CompletableFuture<HttpResponse<String>> send(HttpRequest.Builder request) {
    return client.sendAsync(request.build(), HttpResponse.BodyHandlers.ofString());
  }

  private HttpRequest.Builder request(String path) {
    return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path));
  }

  CompletableFuture<HttpResponse<String>> post(String body) {
    return send(
        request(ServerRun.COMPLETIONS)
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(body)));
  }

  /** Asks for so many tokens of a stream. */
  CompletableFuture<HttpResponse<String>> ask(int tokens, int recurrence) {
    return post(
        "{\"prompt\":\"1\",\"stream\":true,\"ignore_eos\":true,\"max_tokens\":"
            + tokens
            + ",\"recurrence\":"
            + recurrence
            + "}");
  }

  /** The status of its health; 0 if it does not listen. */
  int health() {
    try {
      return send(request("/health")).join().statusCode();
    } catch (CompletionException e) {
      return 0;
    }
  }

  /** A number that it counts, by its name and labels; 0 where there is none. */
  double metric(String name) {
    try {
      return send(request("/metrics"))
          .join()
          .body()
          .lines()
          .filter(line -> line.startsWith(name + " "))
          .mapToDouble(line -> Double.parseDouble(line.substring(name.length() + 1)))
          .findFirst()
          .orElse(0);
    } catch (CompletionException e) {
      return 0;
    }
  }

  @Override
  public void close() throws IOException {
    child.close();
    client.close();
  }
}
