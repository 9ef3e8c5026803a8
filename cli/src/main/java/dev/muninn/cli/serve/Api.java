package dev.muninn.cli.serve;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import dev.muninn.LanguageModel;
import dev.muninn.backend.InferenceException;
import dev.muninn.cli.output.Json;
import dev.muninn.cli.output.Units;
import dev.muninn.cli.terminal.Printable;
import dev.muninn.decode.ExitCriteria;
import dev.muninn.serve.QueueFullException;
import dev.muninn.text.Tokenizer;
import dev.muninn.weights.CheckpointException;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import tools.jackson.core.JsonGenerator;

/** Answers requests by their paths. Each leaves a line in the log. Thread-safe. */
final class Api implements HttpHandler {
  private static final String CHAT = "/v1/chat/completions";
  private static final String COMPLETIONS = "/v1/completions";
  private static final String MODELS = "/v1/models";
  private static final String HEALTH = "/health";
  private static final String METRICS = "/metrics";
  private static final String PAGE = "/";
  private static final Set<String> ASKING = Set.of(CHAT, COMPLETIONS);
  private static final Set<String> SHOWING = Set.of(MODELS, HEALTH, METRICS, PAGE);

  /** What the server is doing. */
  enum State {
    STARTING,
    OK,
    DRAINING
  }

  /** The model that answers, its name and what its requests get. */
  record Served(LanguageModel model, String name, Defaults defaults) {}

  private final Settings settings;
  private final PrintWriter log;
  private final Watchdog watchdog;
  private final Doorkeeper doorkeeper;
  private final Metrics metrics;
  private final Exchanges exchanges = new Exchanges();
  private volatile Served served;
  private volatile State state = State.STARTING;

  Api(Settings settings, PrintWriter log, Watchdog watchdog) {
    this.settings = settings;
    this.log = log;
    this.watchdog = watchdog;
    this.doorkeeper =
        new Doorkeeper(
            settings.key(),
            settings.origins(),
            settings.address().getAddress().isLoopbackAddress());
    this.metrics = new Metrics(() -> Optional.ofNullable(served).map(s -> s.model().serviceLoad()));
  }

  /** Begins to answer. */
  void serve(Served model) {
    served = model;
    state = State.OK;
  }

  /** Refuses what comes from now on. */
  void drain() {
    state = State.DRAINING;
  }

  /** Waits until all clients have their answers, but not for long. */
  void awaitDelivery(Duration limit) throws InterruptedException {
    exchanges.awaitNone(limit);
  }

  @Override
  public void handle(HttpExchange exchange) {
    long arrived = System.nanoTime();
    Client client = new Client(exchange, watchdog, settings.mostBody());
    String note;
    exchanges.begin();
    try (exchange) {
      note = answerOrRefuse(client, arrived);
    } finally {
      exchanges.end();
    }
    long nanos = System.nanoTime() - arrived;
    String known = isKnown(client.path()) ? client.path() : "other";
    metrics.request(known, client.status(), nanos);
    log(client, note, nanos);
  }

  private String answerOrRefuse(Client client, long arrived) {
    try {
      return answer(client, arrived);
    } catch (IOException | InterruptedException e) {
      return " client left";
    } catch (RuntimeException | Error e) {
      return refuse(client, e);
    }
  }

  private void log(Client client, String note, long nanos) {
    String path = client.path();
    String shown = path.length() > 100 ? path.substring(0, 100) + "..." : path;
    log.println(
        Instant.now().truncatedTo(ChronoUnit.MILLIS)
            + " "
            + Printable.line(client.method() + " " + shown)
            + " "
            + client.status()
            + Units.format(" %.1f ms", Units.milliseconds(nanos))
            + note);
  }

  private static boolean isKnown(String path) {
    return ASKING.contains(path) || SHOWING.contains(path);
  }

  /** Answers; returns what the log is to say of it. */
  private String answer(Client client, long arrived) throws IOException, InterruptedException {
    client.requireFewHeaders();
    client.requirePlainLength();
    doorkeeper.requireOrigin(client);
    String path = client.path();
    if (client.method().equals("OPTIONS") && !client.header("Origin").isEmpty()) {
      doorkeeper.preflight(client);
      client.answer(204, "text/plain", new byte[0]);
      return "";
    }
    if (path.equals(HEALTH) || path.equals(PAGE)) {
      requireMethod(client, "GET");
      if (path.equals(HEALTH)) {
        health(client);
      } else {
        page(client);
      }
      return "";
    }
    doorkeeper.requireKey(client);
    if (ASKING.contains(path)) {
      requireMethod(client, "POST");
      return ask(client, path.equals(CHAT), arrived);
    }
    if (path.equals(METRICS)) {
      requireMethod(client, "GET");
      client.answer(200, Metrics.CONTENT_TYPE, metrics.text());
    } else if (path.equals(MODELS) || path.startsWith(MODELS + "/")) {
      requireMethod(client, "GET");
      models(client, path);
    } else {
      throw ApiException.refused(404, "not_found", "there is nothing at this path");
    }
    return "";
  }

  private static void requireMethod(Client client, String method) {
    boolean head = client.isHead() && method.equals("GET");
    if (!head && !client.method().equals(method)) {
      client.setHeader("Allow", method);
      throw ApiException.refused(405, "method_not_allowed", "expected the method " + method);
    }
  }

  private Served requireServed() {
    return switch (state) {
      case STARTING -> throw ApiException.unavailable("the model is being opened");
      case DRAINING -> throw ApiException.unavailable("the server is shutting down");
      case OK -> served;
    };
  }

  private void health(Client client) throws IOException {
    State now = state;
    boolean changed = now == State.OK && hasChanged(served);
    String status = changed ? "changed" : now.name().toLowerCase(Locale.ROOT);
    client.answer(
        now == State.OK && !changed ? 200 : 503,
        Json.object(json -> json.writeStringProperty("status", status)));
  }

  /** Whether the weights' files are others than were opened, so that no request can be answered. */
  private static boolean hasChanged(Served served) {
    try {
      served.model().checkpoint().verifyUnchanged();
      return false;
    } catch (CheckpointException changed) {
      return true;
    }
  }

  private static void page(Client client) throws IOException {
    try (InputStream page = Api.class.getResourceAsStream("page.html")) {
      client.setHeader(
          "Content-Security-Policy",
          "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline';"
              + " connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none';"
              + " frame-ancestors 'none'");
      client.answer(200, "text/html; charset=utf-8", page.readAllBytes());
    }
  }

  private void models(Client client, String path) throws IOException {
    Served now = requireServed();
    if (path.equals(MODELS)) {
      client.answer(
          200,
          Json.object(json -> {
            json.writeStringProperty("object", "list");
            json.writeArrayPropertyStart("data");
            json.writeStartObject();
            describe(json, now);
            json.writeEndObject();
            json.writeEndArray();
          }));
    } else if (path.equals(MODELS + "/" + now.name())) {
      client.answer(200, Json.object(json -> describe(json, now)));
    } else {
      throw ApiException.refused(
          404, "model_not_found", "there is no such model, only " + now.name());
    }
  }

  private static void describe(JsonGenerator json, Served now) {
    json.writeStringProperty("id", now.name());
    json.writeStringProperty("object", "model");
    json.writeNumberProperty("created", 0);
    json.writeStringProperty("owned_by", "muninn");
    json.writeObjectPropertyStart("muninn");
    json.writeNumberProperty("context", now.model().architecture().contextLength());
    json.writeNumberProperty("recurrence", now.defaults().recurrence());
    json.writeNumberProperty("most_recurrence", now.defaults().mostRecurrence());
    json.writeArrayPropertyStart("exits");
    for (String exit : ExitCriteria.names().split(", ")) {
      if (!exit.equals("gate") || now.model().architecture().gate().isPresent()) {
        json.writeString(exit);
      }
    }
    json.writeEndArray();
    json.writeObjectPropertyStart("reasoning_effort");
    now.defaults().efforts().entrySet().stream()
        .sorted(Map.Entry.comparingByValue())
        .forEach(effort -> json.writeNumberProperty(effort.getKey(), effort.getValue()));
    json.writeEndObject();
    json.writeEndObject();
  }

  private String ask(Client client, boolean chat, long arrived)
      throws IOException, InterruptedException {
    Served now = requireServed();
    String type = client.header("Content-Type").split(";", 2)[0].strip();
    if (!type.equalsIgnoreCase("application/json")) {
      throw ApiException.refused(
          415, "unsupported_media_type", "expected the header Content-Type: application/json");
    }
    Fields fields = Fields.read(client.body());
    QuestionReader reader = new QuestionReader(now.defaults());
    Question question = chat ? reader.chat(fields) : reader.completion(fields);
    Tokenizer tokenizer = now.model().tokenizer().orElseThrow();
    Reply reply =
        chat
            ? new ChatReply(now.name(), tokenizer, question)
            : new CompletionReply(now.name(), tokenizer, question);
    Usage usage = new Usage();
    long asked = System.nanoTime();
    try (Answers answers = new Answers(now.model(), question, metrics, arrived)) {
      new Delivery(client, answers, reply, usage).run();
    } finally {
      metrics.tokens(usage.promptTokens(), usage.answerTokens());
    }
    return Units.format(
        " %s%s prompt %d (%d kept) tokens %d recurrences %.1f in %.2f s",
        reply.id(),
        question.stream() ? " stream" : "",
        usage.promptTokens(),
        usage.cachedTokens(),
        usage.answerTokens(),
        usage.meanRecurrences(),
        (System.nanoTime() - asked) / 1e9);
  }

  /** Says what went wrong, if it can still be said; returns what the log is to say. */
  private String refuse(Client client, Throwable failure) {
    ApiException refusal =
        switch (failure) {
          case ApiException known -> known;
          case QueueFullException full -> ApiException.busy(full.getMessage());
          case IllegalArgumentException unfit when unfit.getMessage() != null ->
              ApiException.bad(unfit.getMessage());
          case IllegalStateException ending when state == State.DRAINING ->
              ApiException.unavailable("the server is shutting down");
          case InferenceException inference -> ApiException.failed(inference.getMessage());
          case CheckpointException _ ->
              ApiException.failed("the model's files have changed since the server was started");
          default -> ApiException.failed("something went wrong; the server's log says what");
        };
    // What is the server's fault is told to the log alone.
    String reason =
        refusal.status() != 500
            ? ""
            : ": " + (failure instanceof CheckpointException ? failure.getMessage() : failure);
    String note = " " + Printable.line(refusal.getMessage() + reason);
    try {
      if (client.isAnswered()) {
        client.write(("data: " + refusal.json() + "\n").getBytes(StandardCharsets.UTF_8));
        client.end();
      } else {
        refusal
            .retrySeconds()
            .ifPresent(seconds -> client.setHeader("Retry-After", Integer.toString(seconds)));
        client.answer(refusal.status(), refusal.json());
      }
    } catch (IOException e) {
      return note + " client left";
    }
    return note;
  }
}
