package dev.muninn.cli.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Clients that take their time: those that stop are cut off, those that go on are served. The
 * server has a JVM of its own, where Java's server learns its limits once for all.
 */
@Timeout(value = 10, unit = TimeUnit.MINUTES)
class SlowClientsTest {
  private static final int PATIENCE_SECONDS = 4;

  /** More than any buffer on the way to a client takes: some 5 MB. */
  private static final String LARGE =
      "{\"prompt\":\"1\",\"n\":64,\"ignore_eos\":true,\"max_tokens\":150,\"recurrence\":1,"
          + "\"logprobs\":20,\"temperature\":2,\"seed\":1";

  @TempDir private static Path temporary;
  private static ServedChild server;

  @BeforeAll
  static void open() throws IOException, InterruptedException {
    server =
        new ServedChild(
            temporary, "--patience", Integer.toString(PATIENCE_SECONDS), "--parallel", "64");
  }

  @AfterAll
  static void close() throws IOException {
    server.close();
  }

  private static Socket connect() throws IOException {
    Socket socket = new Socket();
    // What waits for a client that does not read is to be the server's.
    socket.setReceiveBufferSize(8 * 1024);
    socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), server.port));
    socket.setSoTimeout(120_000);
    return socket;
  }

  private static String head(String more) {
    return "POST /v1/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n" + more;
  }

  private static Socket ask(String body) throws IOException {
    Socket socket = connect();
    String request = head("Content-Length: " + body.length() + "\r\n\r\n") + body;
    socket.getOutputStream().write(request.getBytes(StandardCharsets.ISO_8859_1));
    return socket;
  }

  /** Requests that have ended well, by what the client was told first. */
  private static double ended() {
    return server.metric("muninn_requests_total{path=\"/v1/completions\",status=\"200\"}");
  }

  /** Who reads nothing is cut off, and nobody else notices. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aClientThatDoesNotReadIsCutOff(boolean stream) throws IOException {
    double before = ended();
    int others = 0;
    try (Socket stuck = ask(LARGE + ",\"stream\":" + stream + "}")) {
      while (ended() < before + others + 1) {
        HttpResponse<String> other = server.post("{\"prompt\":\"47+8=\"}").join();
        assertEquals("55", ServerRun.choice(ServerRun.json(other), 0).get("text"));
        others++;
      }
      // What was under way is still there, and then the connection ends early.
      String rest = "";
      try {
        rest = new String(stuck.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
      } catch (SocketException e) {
        // Reset, which is another way to end it.
      }
      assertFalse(rest.endsWith("0\r\n\r\n") || rest.endsWith("}}}\n"), "whole");
    }
    assertEquals(0, server.metric("muninn_requests_running"));
  }

  /** Who reads slowly but steadily gets everything, however long the whole takes. */
  @Test
  void aClientThatReadsSlowlyGetsItAll() throws IOException, InterruptedException {
    try (Socket slow = ask(LARGE + "}")) {
      InputStream in = slow.getInputStream();
      StringBuilder head = new StringBuilder();
      while (!head.toString().endsWith("\r\n\r\n")) {
        head.append((char) in.read());
      }
      long left = contentLength(head.toString());
      assertTrue(left > 3 << 20, head.toString());
      byte[] buffer = new byte[64 * 1024];
      while (left > 0) {
        // All of it takes more than twice the patience.
        Thread.sleep(100);
        int read = in.readNBytes(buffer, 0, (int) Math.min(buffer.length, left));
        assertTrue(read > 0, "cut off " + left + " bytes before the end");
        left -= read;
      }
    }
  }

  private static long contentLength(String head) {
    return Long.parseLong(
        head.lines()
            .filter(line -> line.toLowerCase(Locale.ROOT).startsWith("content-length:"))
            .findFirst()
            .orElseThrow()
            .substring("content-length:".length())
            .strip());
  }

  /** Who promises more than comes, or never gets to the end of the headers. */
  @ParameterizedTest
  @ValueSource(strings = {"Content-Length: 100\r\n\r\n{\"prompt\":", "X-Long: "})
  void aClientThatDoesNotSendIsCutOff(String begin) throws IOException, InterruptedException {
    try (Socket slow = connect()) {
      slow.getOutputStream().write(head(begin).getBytes(StandardCharsets.ISO_8859_1));
      boolean open = true;
      // A byte at a time, which must not count as patience.
      for (int i = 0; open && i < 85; i++) {
        try {
          slow.getOutputStream().write(' ');
          Thread.sleep(500);
        } catch (SocketException e) {
          open = false;
        }
      }
      assertFalse(open);
    }
    assertEquals(200, server.health());
  }
}
