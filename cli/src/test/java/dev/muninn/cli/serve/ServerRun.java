package dev.muninn.cli.serve;

import dev.muninn.LanguageModel;
import dev.muninn.LoadOptions;
import dev.muninn.cli.CommandRun;
import dev.muninn.decode.DecodingOptions;
import dev.muninn.decode.InitialState;
import dev.muninn.decode.SamplingOptions;
import dev.muninn.serve.PrefixReuse;
import dev.muninn.serve.ServiceOptions;
import dev.muninn.weights.JsonFile;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A server of the built-in model on a free port, and clients of it. */
final class ServerRun implements AutoCloseable {
  static final String CHAT = "/v1/chat/completions";
  static final String COMPLETIONS = "/v1/completions";
  static final int MOST_BODY = 1 << 20;

  final LanguageModel model;
  final Api.Served served;
  final Server server;
  final StringWriter log = new StringWriter();
  private final HttpClient client = HttpClient.newHttpClient();

  private ServerRun(Path directory, ServiceOptions service, Settings settings) throws IOException {
    server = Server.open(settings, new PrintWriter(log, true));
    model = LanguageModel.load(directory, new LoadOptions(2).withService(service));
    served =
        new Api.Served(
            model,
            "raven-tiny",
            new Defaults(
                8,
                256,
                Map.of("low", 4, "medium", 8, "high", 16),
                InitialState.random(0),
                SamplingOptions.greedy(),
                DecodingOptions.defaults(),
                64,
                (long) service.parallel() + service.maxQueue()));
  }

  /** A server that has not got its model yet. */
  static ServerRun starting(ServiceOptions service, Optional<String> key, int patienceSeconds)
      throws IOException {
    return new ServerRun(CommandRun.RAVEN_TINY, service, settings(key, patienceSeconds));
  }

  private static Settings settings(Optional<String> key, int patienceSeconds) {
    return new Settings(
        new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
        key,
        List.of("https://example.org"),
        MOST_BODY,
        Duration.ofSeconds(patienceSeconds));
  }

  /** A server of a model of the test's own. */
  static ServerRun of(Path directory) throws IOException {
    ServerRun run =
        new ServerRun(
            directory,
            new ServiceOptions(2, ServiceOptions.UNLIMITED, 4, PrefixReuse.EXACT),
            settings(Optional.empty(), 60));
    run.server.serve(run.served);
    return run;
  }

  static ServerRun open(int parallel, int queue) throws IOException {
    ServerRun run =
        starting(
            new ServiceOptions(parallel, ServiceOptions.UNLIMITED, queue, PrefixReuse.EXACT),
            Optional.empty(),
            60);
    run.server.serve(run.served);
    return run;
  }

  URI uri(String path) {
    return URI.create("http://127.0.0.1:" + server.port() + path);
  }

  HttpResponse<String> get(String path, String... headers)
      throws IOException, InterruptedException {
    HttpRequest.Builder request = HttpRequest.newBuilder(uri(path));
    if (headers.length > 0) {
      request.headers(headers);
    }
    return client.send(request.build(), HttpResponse.BodyHandlers.ofString());
  }

  HttpResponse<String> post(String path, byte[] body, String... headers)
      throws IOException, InterruptedException {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(uri(path))
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofByteArray(body));
    if (headers.length > 0) {
      request.headers(headers);
    }
    return client.send(request.build(), HttpResponse.BodyHandlers.ofString());
  }

  HttpResponse<String> post(String path, String body, String... headers)
      throws IOException, InterruptedException {
    return post(path, body.getBytes(StandardCharsets.UTF_8), headers);
  }

  static Map<String, Object> json(HttpResponse<String> response) {
    return JsonFile.readObject("answer", response.body());
  }

  /** The objects of a stream; it must end as it should. */
  static List<Map<String, Object>> events(HttpResponse<String> response) {
    List<Map<String, Object>> events = new ArrayList<>();
    boolean done = false;
    for (String line : response.body().split("\n\n")) {
      if (line.equals("data: [DONE]")) {
        done = true;
      } else if (line.startsWith("data: ")) {
        events.add(JsonFile.readObject("event", line.substring(6)));
      }
    }
    if (!done) {
      throw new AssertionError("no end: " + response.body());
    }
    return events;
  }

  @SuppressWarnings("unchecked")
  static Map<String, Object> object(Object value) {
    return (Map<String, Object>) value;
  }

  /** A choice of an answer. */
  static Map<String, Object> choice(Map<String, Object> answer, int index) {
    return object(((List<?>) answer.get("choices")).get(index));
  }

  /** The error of an answer. */
  static Map<String, Object> error(HttpResponse<String> response) {
    return object(json(response).get("error"));
  }

  /** Sends bytes as they are, and reads until the server closes. */
  String raw(byte[]... parts) throws IOException {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port())) {
      socket.setSoTimeout(60_000);
      OutputStream out = socket.getOutputStream();
      for (byte[] part : parts) {
        out.write(part);
        out.flush();
      }
      socket.shutdownOutput();
      return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  @Override
  public void close() {
    server.close();
    model.close();
    client.close();
  }
}
