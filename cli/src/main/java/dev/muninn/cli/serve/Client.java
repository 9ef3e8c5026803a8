package dev.muninn.cli.serve;

import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

/** One exchange with a client: reads within limits, and writes within a time. */
final class Client {
  /** More than any client of OpenAI's interface sends. */
  private static final int MOST_HEADERS = 100;

  private static final int MOST_HEADER_CHARACTERS = 64 * 1024;

  /** What a client has to read in time: a slow one reads a long answer in many pieces. */
  private static final int SLICE = 16 * 1024;

  /** What is read and thrown away so that a client sees why it is refused. */
  private static final long MOST_DISCARDED = 256L << 20;

  private final HttpExchange exchange;
  private final Watchdog watchdog;
  private final int mostBody;
  private boolean answered;
  private int status;

  Client(HttpExchange exchange, Watchdog watchdog, int mostBody) {
    this.exchange = exchange;
    this.watchdog = watchdog;
    this.mostBody = mostBody;
  }

  String method() {
    return exchange.getRequestMethod();
  }

  /** The path as it was sent, nothing decoded. */
  String path() {
    String path = exchange.getRequestURI().getRawPath();
    return path == null ? "" : path;
  }

  /** A header, or an empty text. */
  String header(String name) {
    String value = exchange.getRequestHeaders().getFirst(name);
    return value == null ? "" : value;
  }

  void setHeader(String name, String value) {
    exchange.getResponseHeaders().set(name, value);
  }

  /** Whether a status has been sent. */
  boolean isAnswered() {
    return answered;
  }

  /** What was sent, 0 before that. */
  int status() {
    return status;
  }

  /** Refuses more headers than make sense. */
  void requireFewHeaders() {
    Headers headers = exchange.getRequestHeaders();
    long characters = 0;
    int count = 0;
    for (Map.Entry<String, List<String>> header : headers.entrySet()) {
      for (String value : header.getValue()) {
        characters += header.getKey().length() + value.length();
        count++;
      }
    }
    if (count > MOST_HEADERS || characters > MOST_HEADER_CHARACTERS) {
      throw ApiException.refused(
          431,
          "headers_too_large",
          "expected at most "
              + MOST_HEADERS
              + " headers of "
              + MOST_HEADER_CHARACTERS
              + " characters in all");
    }
  }

  /** Refuses a length that others on the way here may have read otherwise. */
  void requirePlainLength() {
    if (!header("Content-Length").matches("[0-9]*")) {
      throw ApiException.bad("Content-Length: expected digits alone");
    }
  }

  /** Whether a client only asks what it would get. */
  boolean isHead() {
    return method().equals("HEAD");
  }

  /**
   * Reads the content.
   *
   * @throws ApiException if it is too long or broken
   */
  byte[] body() throws IOException {
    // What is announced need not be waited for. Java's server has read it as a number.
    String announced = header("Content-Length");
    if (!announced.isEmpty() && Long.parseLong(announced) > mostBody) {
      throw tooLarge();
    }
    InputStream body = exchange.getRequestBody();
    byte[] content;
    try {
      content = watchdog.within(() -> body.readNBytes(mostBody + 1));
    } catch (IOException e) {
      throw ApiException.bad("the body cannot be read: it ends early, or its chunks are broken");
    }
    if (content.length > mostBody) {
      throw tooLarge();
    }
    return content;
  }

  private ApiException tooLarge() {
    return ApiException.refused(
        413, "body_too_large", "expected a body of at most " + mostBody + " bytes");
  }

  /** Answers with one JSON object. */
  void answer(int code, String json) throws IOException {
    answer(code, "application/json", json.getBytes(StandardCharsets.UTF_8));
  }

  /** Answers at once. */
  void answer(int code, String type, byte[] content) throws IOException {
    setHeader("Content-Type", type);
    setHeader("X-Content-Type-Options", "nosniff");
    if (isHead() || content.length == 0) {
      if (isHead()) {
        setHeader("Content-Length", Integer.toString(content.length));
      }
      discardBody();
      begin(code, -1);
      return;
    }
    begin(code, content.length);
    write(content);
    discardBody();
  }

  /** A client that still sends reads the answer only then. */
  private void discardBody() {
    InputStream body = exchange.getRequestBody();
    try {
      watchdog.within(() -> {
        byte[] waste = new byte[64 * 1024];
        long left = MOST_DISCARDED;
        int read = 0;
        while (read >= 0 && left > 0) {
          read = body.read(waste);
          left -= read;
        }
        return null;
      });
    } catch (IOException e) {
      // Then the client sees what it can.
    }
  }

  /** Begins a stream of events. */
  void beginStream() throws IOException {
    setHeader("Content-Type", "text/event-stream; charset=utf-8");
    setHeader("Cache-Control", "no-cache");
    setHeader("X-Accel-Buffering", "no");
    begin(200, 0);
  }

  private void begin(int code, long length) throws IOException {
    answered = true;
    status = code;
    watchdog.within(() -> {
      exchange.sendResponseHeaders(code, length);
      return null;
    });
  }

  /** Sends more, at once. */
  void write(byte[] bytes) throws IOException {
    OutputStream out = exchange.getResponseBody();
    for (int from = 0; from < bytes.length; from += SLICE) {
      int begin = from;
      watchdog.within(() -> {
        out.write(bytes, begin, Math.min(SLICE, bytes.length - begin));
        out.flush();
        return null;
      });
    }
  }

  /** Ends the answer. */
  void end() throws IOException {
    watchdog.within(() -> {
      exchange.getResponseBody().close();
      return null;
    });
  }
}
