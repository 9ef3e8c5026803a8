package dev.muninn.cli.serve;

import static dev.muninn.cli.serve.ServerRun.CHAT;
import static dev.muninn.cli.serve.ServerRun.COMPLETIONS;
import static dev.muninn.cli.serve.ServerRun.error;
import static dev.muninn.cli.serve.ServerRun.json;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.serve.PrefixReuse;
import dev.muninn.serve.ServiceOptions;
import dev.muninn.weights.JsonFile;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whatever comes over the wire is refused in one JSON object, and nothing hangs. */
@Timeout(value = 10, unit = TimeUnit.MINUTES)
class HostileClientsTest {
  private static final String KEY = "s3cret";
  private static final String[] AUTHORIZED = {"Authorization", "Bearer " + KEY};
  private static ServerRun run;

  @BeforeAll
  static void open() throws IOException {
    run =
        ServerRun.starting(
            new ServiceOptions(4, ServiceOptions.UNLIMITED, 10, PrefixReuse.EXACT),
            Optional.of(KEY),
            60);
  }

  @AfterAll
  static void close() {
    run.close();
  }

  private static void serve() {
    run.server.serve(run.served);
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.ISO_8859_1);
  }

  private static String head(String path, String more) {
    return "POST "
        + path
        + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer "
        + KEY
        + "\r\nContent-Type: application/json\r\n"
        + more
        + "\r\n";
  }

  private static void assertRefused(int status, String response) {
    assertTrue(response.startsWith("HTTP/1.1 " + status + " "), response);
    String body = response.substring(response.indexOf("\r\n\r\n") + 4);
    Map<String, Object> error = ServerRun.object(JsonFile.readObject("answer", body).get("error"));
    assertFalse(((String) error.get("message")).contains("\n"), body);
    assertFalse(body.contains("Exception"), body);
  }

  @Test
  void aServerWithoutItsModelSaysSo() throws IOException, InterruptedException {
    try (ServerRun young = ServerRun.starting(ServiceOptions.defaults(), Optional.empty(), 30)) {
      assertEquals(503, young.get("/health").statusCode());
      assertEquals("starting", json(young.get("/health")).get("status"));
      HttpResponse<String> response = young.post(COMPLETIONS, "{\"prompt\":\"1\"}");
      assertEquals(503, response.statusCode());
      assertTrue(response.headers().firstValue("Retry-After").isPresent());
    }
  }

  @Test
  void nothingButHealthAndThePageIsForThoseWithoutTheKey()
      throws IOException, InterruptedException {
    serve();
    for (String path : new String[] {"/v1/models", "/metrics", "/v1/other"}) {
      assertEquals(401, run.get(path).statusCode(), path);
      assertEquals(401, run.get(path, "Authorization", "Bearer wrong").statusCode());
      assertEquals(401, run.get(path, "Authorization", "Basic " + KEY).statusCode());
    }
    HttpResponse<String> refused = run.post(CHAT, "{", "Authorization", "Bearer " + KEY + "x");
    assertEquals(401, refused.statusCode());
    assertEquals("invalid_api_key", error(refused).get("code"));
    assertEquals(200, run.get("/health").statusCode());
    assertEquals(200, run.get("/").statusCode());
    assertEquals(200, run.get("/v1/models", AUTHORIZED).statusCode());
  }

  @Test
  void bodiesBeyondTheLimitAreRefusedWhole() throws IOException, InterruptedException {
    serve();
    byte[] large = new byte[20 << 20];
    Arrays.fill(large, (byte) 'x');
    HttpResponse<String> response = run.post(COMPLETIONS, large, AUTHORIZED);
    assertEquals(413, response.statusCode());
    assertEquals("body_too_large", error(response).get("code"));
  }

  /** A client may announce much, send little and wait for leave to go on. */
  @Test
  void aLengthBeyondTheLimitIsRefusedBeforeTheBodyComes() throws IOException {
    serve();
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), run.server.port())) {
      socket.setSoTimeout(60_000);
      socket
          .getOutputStream()
          .write(bytes(head(COMPLETIONS, "Content-Length: 104857600\r\n") + "{"));
      StringBuilder response = new StringBuilder();
      int next;
      while (response.indexOf("}}") < 0 && (next = socket.getInputStream().read()) >= 0) {
        response.append((char) next);
      }
      assertRefused(413, response.toString());
    }
  }

  @Test
  void headersBeyondTheLimitAreRefused() throws IOException {
    serve();
    StringBuilder headers = new StringBuilder("Content-Length: 0\r\n");
    for (int i = 0; i < 10_000; i++) {
      headers.append("X-Header-").append(i).append(": ").append(i).append("\r\n");
    }
    assertRefused(431, run.raw(bytes(head(COMPLETIONS, headers.toString()))));
    String one = "X: " + "y".repeat(100_000) + "\r\nContent-Length: 0\r\n";
    assertRefused(431, run.raw(bytes(head(COMPLETIONS, one))));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "zz\r\n{}\r\n0\r\n\r\n",
        "-5\r\n{}\r\n0\r\n\r\n",
        "ffffffffffffffff\r\n{}",
        "5\r\n{}",
        "2\r\n{}no line end"
      })
  void brokenChunksAreRefused(String chunks) throws IOException {
    serve();
    assertRefused(
        400, run.raw(bytes(head(COMPLETIONS, "Transfer-Encoding: chunked\r\n") + chunks)));
  }

  @Test
  void aBodyThatEndsEarlyIsRefused() throws IOException {
    serve();
    assertRefused(400, run.raw(bytes(head(COMPLETIONS, "Content-Length: 50\r\n") + "{\"prompt\"")));
  }

  @Test
  void whatIsNoTextOrTooDeepIsRefused() throws IOException, InterruptedException {
    serve();
    byte[] broken = bytes("{\"prompt\":\"\u00ff\u00fe\"}");
    assertEquals(400, run.post(COMPLETIONS, broken, AUTHORIZED).statusCode());
    String deep = "[".repeat(100_000) + "]".repeat(100_000);
    for (String body :
        new String[] {
          deep,
          "{\"prompt\":" + deep + "}",
          "",
          "\u0000",
          "null",
          "{\"prompt\":\"\\ud800\"}",
          "{\"prompt\":1e999}",
          "{\"seed\":" + "9".repeat(500) + ",\"prompt\":\"1\"}",
        }) {
      HttpResponse<String> response = run.post(COMPLETIONS, body, AUTHORIZED);
      assertEquals(400, response.statusCode(), response.body());
      assertTrue(((String) error(response).get("message")).length() < 400, response.body());
    }
    String other =
        head(COMPLETIONS, "Content-Length: 2\r\n").replace("application/json", "text/plain") + "{}";
    assertRefused(415, run.raw(bytes(other)));
  }

  /** Java's own server says so in a form of its own, before there is a request to answer. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "Content-Length: 2\r\nContent-Length: 2\r\n",
        "Content-Length: 2\r\nContent-Length: 3\r\n",
        "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n",
        "Content-Length: -2\r\n",
        "Content-Length: two\r\n",
        "Content-Length: 99999999999999999999\r\n",
        "Content-Length: 2, 2\r\n",
        "Content-Length: +2\r\n",
        "Transfer-Encoding: gzip\r\n",
        "no colon\r\n",
      })
  void whereAContentEndsMustBePlain(String headers) throws IOException {
    serve();
    String response = run.raw(bytes(head(COMPLETIONS, headers) + "{}"));
    assertTrue(response.matches("(?s)HTTP/1.1 (400|501) .*"), response);
    assertFalse(response.contains("at java.") || response.contains("\tat "), response);
  }

  @Test
  void oldAndUnusualButRightRequestsAreAnswered() throws IOException {
    serve();
    String body = "{\"prompt\":\"47+8=\"}";
    String whole = head(COMPLETIONS, "Content-Length: " + body.length() + "\r\n") + body;
    String kept = whole.replace("Connection: close\r\n", "");
    String expecting = "Expect: 100-continue\r\nHost";
    for (String request :
        new String[] {
          whole.replace("HTTP/1.1", "HTTP/1.0"),
          "\r\n" + whole,
          whole.replace("Host", expecting),
          whole.replace("Host", "X: folded\r\n on two lines\r\nHost"),
          kept + whole,
        }) {
      String response = run.raw(bytes(request));
      assertEquals(
          request.split("POST", -1).length, response.split("\"text\":\"55\"", -1).length, response);
    }
    String stream = whole.replace("{\"prompt\"", "{\"stream\":true,\"prompt\"");
    String streamed =
        run.raw(
            bytes(
                stream
                    .replace("HTTP/1.1", "HTTP/1.0")
                    .replace("Content-Length: 18", "Content-Length: 32")));
    assertTrue(streamed.endsWith("data: [DONE]\n\n"), streamed);
  }

  @Test
  void aHeadIsTheHeadersOfAGet() throws IOException {
    serve();
    for (String path : new String[] {"/health", "/", "/v1/models", "/metrics"}) {
      String response = run.raw(bytes(head(path, "").replace("POST", "HEAD")));
      assertTrue(response.startsWith("HTTP/1.1 200 "), response);
      assertTrue(response.endsWith("\r\n\r\n"), response);
      assertTrue(response.toLowerCase(Locale.ROOT).contains("content-length: "), response);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/../../etc/passwd",
        "/v1/models/../../../etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/v1/%00",
        "//v1/models",
        "/V1/models",
        "/v1/chat/completions/",
        "/page.html"
      })
  void otherPathsAreNothing(String path) throws IOException {
    serve();
    String request =
        "GET "
            + path
            + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer "
            + KEY
            + "\r\n\r\n";
    assertRefused(404, run.raw(bytes(request)));
  }

  @Test
  void otherMethodsAreRefused() throws IOException {
    serve();
    for (String method : new String[] {"GET", "PUT", "DELETE", "TRACE", "OPTIONS"}) {
      String request = head(COMPLETIONS, "Content-Length: 0\r\n").replaceFirst("POST", method);
      assertRefused(405, run.raw(bytes(request)));
    }
  }

  @Test
  void pagesOfOthersMayNotAskUnlessTheyAreNamed() throws IOException {
    serve();
    String request =
        head(COMPLETIONS, "Content-Length: 2\r\nOrigin: http://evil.example\r\n") + "{}";
    assertRefused(403, run.raw(bytes(request)));
    // By a name service of its own, a page can seem to be this server's.
    assertRefused(403, run.raw(bytes(request.replace("Host: localhost", "Host: evil.example"))));
    String allowed = request.replace("http://evil.example", "https://example.org");
    String response = run.raw(bytes(allowed));
    assertRefused(400, response);
    assertTrue(response.toLowerCase(Locale.ROOT).contains("access-control-allow-origin"));
    // A browser asks first whether OpenAI's client may send headers of its own.
    String first =
        head(
                COMPLETIONS,
                "Origin: https://example.org\r\nAccess-Control-Request-Method: POST\r\n"
                    + "Access-Control-Request-Headers: authorization,x-stainless-os\r\n")
            .replaceFirst("POST", "OPTIONS");
    String preflight = run.raw(bytes(first)).toLowerCase(Locale.ROOT);
    assertTrue(preflight.startsWith("http/1.1 204 "), preflight);
    assertTrue(
        preflight.contains("access-control-allow-headers: authorization,x-stainless-os\r\n"),
        preflight);
    String own = request.replace("http://evil.example", "http://localhost");
    assertRefused(400, run.raw(bytes(own)));
  }

  @Test
  void whatAClientIsToldNamesNoPathOfTheMachine() throws IOException, InterruptedException {
    serve();
    for (String body :
        new String[] {
          "{\"prompt\":[99999]}", "{\"prompt\":\"" + "1".repeat(999) + "\"}", "{\"prompt\":[]}"
        }) {
      HttpResponse<String> response = run.post(COMPLETIONS, body, AUTHORIZED);
      assertEquals(400, response.statusCode());
      assertFalse(response.body().contains(run.model.checkpoint().directory().toString()));
    }
  }
}
