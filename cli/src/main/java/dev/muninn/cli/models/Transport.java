package dev.muninn.cli.models;

import dev.muninn.weights.CheckpointException;
import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.channels.UnresolvedAddressException;
import java.nio.file.FileSystemException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Flow;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.LongSupplier;
import javax.net.ssl.SSLException;

/**
 * Requests to an endpoint. Redirects are followed here and not by Java's client, which would show
 * the token to whatever host it is sent to.
 */
final class Transport implements AutoCloseable {
  private static final int MOST_REDIRECTS = 10;
  private static final int POLL_MILLISECONDS = 100;
  private static final String TUNNELING = "jdk.http.auth.tunneling.disabledSchemes";

  static {
    // Java would not show a proxy a password that can be read on the way to it. Whoever gives one
    // with the proxy's address wants it shown, as curl does.
    if (System.getProperty(TUNNELING) == null) {
      System.setProperty(TUNNELING, "");
    }
  }

  private final Endpoint endpoint;
  private final Patience patience;
  private final HttpClient client;

  Transport(Endpoint endpoint, Patience patience) {
    this.endpoint = endpoint;
    this.patience = patience;
    this.client =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .followRedirects(HttpClient.Redirect.NEVER)
            .connectTimeout(patience.silence())
            .proxy(endpoint.proxies())
            .build();
  }

  /** Whether a response has what was asked for, so that nothing needs to be followed. */
  @FunctionalInterface
  interface Enough {
    boolean in(HttpHeaders headers);
  }

  /**
   * Gets what an address leads to.
   *
   * @param what what is asked for, for messages
   * @param offset first byte wanted; 0 for all, without a range
   * @param handler of the body of an answer 200 or 206
   * @param received counts what arrives, so that a connection that brings nothing is noticed
   * @throws TransientFailure for what may pass: broken connections, silence, 408, 429, 5xx
   * @throws IOException for everything else
   */
  <T> HttpResponse<T> get(
      URI address,
      String what,
      long offset,
      HttpResponse.BodyHandler<T> handler,
      LongSupplier received)
      throws IOException {
    return follow("GET", address, what, offset, handler, received, headers -> false);
  }

  /** Asks for the headers of an address, up to the first answer that has enough of them. */
  HttpHeaders head(URI address, String what, Enough enough) throws IOException {
    return follow("HEAD", address, what, 0, info -> new NoBody<Void>(), () -> 0, enough).headers();
  }

  private <T> HttpResponse<T> follow(
      String method,
      URI first,
      String what,
      long offset,
      HttpResponse.BodyHandler<T> handler,
      LongSupplier received,
      Enough enough)
      throws IOException {
    URI address = first;
    for (int redirects = 0; redirects <= MOST_REDIRECTS; redirects++) {
      HttpResponse<T> response = exchange(method, address, offset, handler, received);
      int status = response.statusCode();
      if (status == 200 || status == 206 || enough.in(response.headers())) {
        return response;
      }
      switch (status) {
        case 301, 302, 303, 307, 308 -> address = redirected(address, response.headers());
        default -> throw refusal(status, address, what, response.headers());
      }
    }
    throw new IOException(
        Endpoint.host(first) + " redirects " + what + " more than " + MOST_REDIRECTS + " times");
  }

  private <T> HttpResponse<T> exchange(
      String method,
      URI address,
      long offset,
      HttpResponse.BodyHandler<T> handler,
      LongSupplier received)
      throws IOException {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(address)
            .method(method, HttpRequest.BodyPublishers.noBody())
            .header("User-Agent", "muninn")
            .header("Accept-Encoding", "identity");
    if (offset > 0) {
      request.header("Range", "bytes=" + offset + "-");
    }
    if (endpoint.token().isPresent() && endpoint.owns(address)) {
      request.header("Authorization", "Bearer " + endpoint.token().get());
    }
    endpoint
        .proxies()
        .on(address)
        .flatMap(Proxies.Hop::authorization)
        .ifPresent(shown -> request.header("Proxy-Authorization", shown));
    return await(
        client.sendAsync(
            request.build(),
            info ->
                info.statusCode() == 200 || info.statusCode() == 206
                    ? handler.apply(info)
                    : new NoBody<>()),
        way(address),
        received);
  }

  /** The server's name for messages, and the proxy's if one is on the way. */
  private String way(URI address) {
    String host = Endpoint.host(address);
    return endpoint
        .proxies()
        .on(address)
        .map(hop -> host + " through the proxy " + hop)
        .orElse(host);
  }

  private <T> HttpResponse<T> await(
      CompletableFuture<HttpResponse<T>> answer, String host, LongSupplier received)
      throws IOException {
    long before = received.getAsLong();
    long since = System.nanoTime();
    while (true) {
      try {
        return answer.get(POLL_MILLISECONDS, TimeUnit.MILLISECONDS);
      } catch (TimeoutException poll) {
        long now = received.getAsLong();
        if (now != before) {
          before = now;
          since = System.nanoTime();
        } else if (System.nanoTime() - since > patience.silence().toNanos()) {
          answer.cancel(true);
          throw new TransientFailure(
              host + " sent nothing for " + patience.silence().toSeconds() + " s");
        }
      } catch (InterruptedException e) {
        answer.cancel(true);
        Thread.currentThread().interrupt();
        throw new IOException("interrupted while waiting for " + host, e);
      } catch (ExecutionException e) {
        throw failure(host, e.getCause());
      }
    }
  }

  private static IOException failure(String host, Throwable failure) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      switch (cause) {
        case WrongContent wrong -> {
          return wrong;
        }
        case TransientFailure passing -> {
          return passing;
        }
        case FileSystemException local -> {
          return local;
        }
        case UnresolvedAddressException unknown -> {
          return new IOException("unknown host " + host, failure);
        }
        case IOException tunnel
            when String.valueOf(tunnel.getMessage()).startsWith("Tunnel failed") -> {
          return new IOException("no connection to " + host + ", which refuses it", failure);
        }
        case SSLException insecure -> {
          return new IOException(
              "no secure connection to " + host + ": " + insecure.getMessage(), failure);
        }
        case ConnectException refused -> {
          if (refused.getCause() == null) {
            return new TransientFailure("no connection to " + host, null, failure);
          }
        }
        default -> {}
      }
    }
    return failure instanceof IOException
        ? new TransientFailure("the connection to " + host + " broke", null, failure)
        : new IOException("the request to " + host + " failed: " + failure, failure);
  }

  private URI redirected(URI from, HttpHeaders headers) throws IOException {
    String host = Endpoint.host(from);
    String location = headers.firstValue("Location").orElse("");
    URI to;
    try {
      to = from.resolve(location);
    } catch (IllegalArgumentException e) {
      throw noAddress(host, location);
    }
    if (!Endpoint.isWeb(to)) {
      throw noAddress(host, location);
    }
    if (from.getScheme().equalsIgnoreCase("https") && !to.getScheme().equalsIgnoreCase("https")) {
      throw new IOException(host + " redirects from https to http at " + Endpoint.host(to));
    }
    return to;
  }

  private static IOException noAddress(String host, String location) {
    return new IOException(
        host
            + " redirects to "
            + CheckpointException.quote(location)
            + ", expected the address of a page");
  }

  private IOException refusal(int status, URI address, String what, HttpHeaders headers) {
    String host = Endpoint.host(address);
    return switch (status) {
      case 401, 403 ->
          new IOException(
              host
                  + " refuses "
                  + what
                  + " ("
                  + status
                  + "): "
                  + (endpoint.token().isEmpty()
                      ? "a private or gated model needs an access token in HF_TOKEN, and a name"
                          + " that does not exist may look like one"
                      : "the token in HF_TOKEN does not permit it, or the name does not exist"));
      case 407 ->
          new IOException(
              "no connection to "
                  + way(address)
                  + ", which wants a user and a password (407): http://USER:PASSWORD@HOST:PORT");
      case 404 -> new IOException(host + " has no " + what + " (404)");
      case 416 -> new WrongContent(host + " has less of " + what + " than is here already (416)");
      case 408, 429 -> new TransientFailure(host + " answers " + status, retryAfter(headers), null);
      default ->
          status >= 500
              ? new TransientFailure(host + " answers " + status, retryAfter(headers), null)
              : new IOException(host + " answers " + status + " when asked for " + what);
    };
  }

  /** Seconds or a date (RFC 9110, section 10.2.3); null if the server does not say. */
  private static Duration retryAfter(HttpHeaders headers) {
    String value = headers.firstValue("Retry-After").orElse("").strip();
    if (value.matches("[0-9]{1,9}")) {
      return Duration.ofSeconds(Long.parseLong(value));
    }
    try {
      Instant date = ZonedDateTime.parse(value, DateTimeFormatter.RFC_1123_DATE_TIME).toInstant();
      Duration wait = Duration.between(Instant.now(), date);
      return wait.isNegative() ? Duration.ZERO : wait;
    } catch (DateTimeParseException e) {
      return null;
    }
  }

  /** Ends what is under way. */
  @Override
  public void close() {
    client.shutdownNow();
  }

  /** Ends the connection rather than read an unwanted body. */
  private static final class NoBody<T> implements HttpResponse.BodySubscriber<T> {
    private final CompletableFuture<T> body = new CompletableFuture<>();

    @Override
    public void onSubscribe(Flow.Subscription subscription) {
      subscription.cancel();
      body.complete(null);
    }

    @Override
    public void onNext(List<ByteBuffer> buffers) {}

    @Override
    public void onError(Throwable failure) {}

    @Override
    public void onComplete() {}

    @Override
    public CompletionStage<T> getBody() {
      return body;
    }
  }
}
