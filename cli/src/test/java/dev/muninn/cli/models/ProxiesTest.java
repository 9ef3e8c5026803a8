package dev.muninn.cli.models;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.cli.ChildRun;
import dev.muninn.cli.CommandRun;
import dev.muninn.cli.options.UsageException;
import java.io.OutputStream;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ProxiesTest {
  @TempDir private Path temporary;

  private static String proxy(Map<String, String> environment, String address) {
    return Proxies.of(environment).on(URI.create(address)).map(Object::toString).orElse("direct");
  }

  @Test
  void eachSchemeHasItsProxy() {
    Map<String, String> environment =
        Map.of("HTTP_PROXY", "http://plain:3128", "HTTPS_PROXY", "secure:8080");
    assertEquals("plain:3128", proxy(environment, "http://hub.test/x"));
    assertEquals("secure:8080", proxy(environment, "https://hub.test/x"));
    assertEquals("direct", proxy(Map.of("HTTP_PROXY", "plain"), "https://hub.test"));
    assertEquals("plain:80", proxy(Map.of("HTTP_PROXY", "plain"), "http://hub.test"));
    assertEquals("all:1", proxy(Map.of("ALL_PROXY", "http://all:1/"), "https://hub.test"));
    assertEquals("direct", proxy(Map.of("HTTPS_PROXY", " "), "https://hub.test"));
  }

  @Test
  void lowerCaseComesFirst() {
    Map<String, String> environment = Map.of("HTTPS_PROXY", "upper:1", "https_proxy", "lower:2");
    assertEquals("lower:2", proxy(environment, "https://hub.test"));
    assertEquals("lower:2", proxy(Map.of("https_proxy", "lower:2"), "https://hub.test"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          *                      | https://hub.test       | true
          hub.test               | https://hub.test       | true
          HUB.test               | https://hub.TEST/a     | true
          hub.test               | https://cdn.hub.test   | true
          .hub.test              | https://cdn.hub.test   | true
          .hub.test              | https://hub.test       | true
          *.hub.test             | https://cdn.hub.test   | true
          hub.test               | https://github.test    | false
          ub.test                | https://hub.test       | false
          a.test, hub.test       | https://hub.test       | true
          a.test hub.test        | https://hub.test       | true
          hub.test:443           | https://hub.test       | true
          hub.test:8443          | https://hub.test       | false
          hub.test:8443          | https://hub.test:8443  | true
          10.0.0.1               | https://10.0.0.1       | true
          10.0.0.0/8             | https://10.1.2.3       | true
          10.0.0.0/8             | https://11.1.2.3       | false
          10.0.0.0/8             | https://ten.test       | false
          192.168.1.128/25       | https://192.168.1.5    | false
          ::1                    | https://[::1]          | true
          [::1]:443              | https://[::1]          | true
          fd00::/8               | https://[fd12::1]      | true
          10.0.0.0/99            | https://10.0.0.1       | false
          ,                      | https://hub.test       | false
          .                      | https://hub.test       | false
          """)
  void someHostsAreReachedDirectly(String noProxy, String address, boolean direct) {
    for (String name : List.of("NO_PROXY", "no_proxy")) {
      Map<String, String> environment = Map.of("HTTPS_PROXY", "p:1", name, noProxy);
      assertEquals(direct ? "direct" : "p:1", proxy(environment, address));
    }
  }

  @Test
  void passwordsAreShownAsTheyWereMeant() {
    Proxies.Hop hop =
        Proxies.of(Map.of("HTTPS_PROXY", "http://us%40er:p%3Aa+ss@p:1"))
            .on(URI.create("https://hub.test"))
            .orElseThrow();
    String shown = hop.authorization().orElseThrow();
    assertTrue(shown.startsWith("Basic "));
    assertEquals(
        "us@er:p:a+ss",
        new String(Base64.getDecoder().decode(shown.substring(6)), StandardCharsets.UTF_8));
    assertFalse(hop.toString().contains("pass"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"socks5://p:1", "https://p:1", "http://", "http:// p", "http://u:secret@", "::"})
  void otherProxiesAreRefused(String proxy) {
    String message =
        assertThrows(UsageException.class, () -> Proxies.of(Map.of("HTTPS_PROXY", proxy)))
            .getMessage();
    assertTrue(message.startsWith("HTTPS_PROXY: "), message);
    assertFalse(message.contains("secret"), message);
  }

  /** Fetches what it is asked for from a hub, as a proxy for plain HTTP does. */
  private static RawServer.Answer relayTo(FakeHub hub) {
    return (request, out) -> {
      URI target = URI.create(request.target());
      String[] host = hub.server.host().split(":");
      try (Socket socket = new Socket(host[0], Integer.parseInt(host[1]))) {
        StringBuilder head = new StringBuilder(request.method() + " ");
        head.append(target.getRawPath());
        head.append(target.getRawQuery() == null ? "" : "?" + target.getRawQuery());
        head.append(" HTTP/1.1\r\n");
        request.headers().forEach((name, value) -> head.append(name + ": " + value + "\r\n"));
        OutputStream to = socket.getOutputStream();
        to.write(head.append("\r\n").toString().getBytes(StandardCharsets.ISO_8859_1));
        socket.getInputStream().transferTo(out);
      }
    };
  }

  private CommandRun pull(Map<String, String> environment) throws Exception {
    String target = temporary.resolve("model").toString();
    try (ChildRun run =
        ChildRun.start(temporary, environment, "pull", "raven/small", "--to", target)) {
      return run.result();
    }
  }

  @Test
  void aModelIsPulledThroughAProxy() throws Exception {
    Path source = Files.createDirectory(temporary.resolve("source"));
    FakeHub.shard(CommandRun.UNTIED, source);
    try (FakeHub hub = FakeHub.of(source);
        RawServer proxy = new RawServer(relayTo(hub))) {
      CommandRun run =
          pull(
              Map.of(
                  "HF_ENDPOINT",
                  "http://hub.invalid",
                  "http_proxy",
                  "http://user:secret@" + proxy.host()));
      assertEquals(0, run.exitCode(), run.err());
      assertTrue(Files.exists(temporary.resolve("model/config.json")));
      for (RawServer.Request request : proxy.requests()) {
        assertTrue(request.target().startsWith("http://hub.invalid/"), request.target());
        assertEquals("Basic dXNlcjpzZWNyZXQ=", request.headers().get("proxy-authorization"));
      }
      int before = proxy.requests().size();
      run =
          pull(
              Map.of(
                  "HF_ENDPOINT",
                  hub.server.address(),
                  "HTTP_PROXY",
                  proxy.address(),
                  "NO_PROXY",
                  "localhost,127.0.0.1"));
      assertEquals(0, run.exitCode(), run.err());
      assertEquals(before, proxy.requests().size());
    }
  }

  @Test
  void secureConnectionsAreTunnelled() throws Exception {
    for (String status : List.of("403 Forbidden", "407 Proxy Authentication Required")) {
      try (RawServer proxy =
          new RawServer((request, out) -> RawServer.respond(out, status, new byte[0]))) {
        CommandRun run =
            pull(
                Map.of(
                    "HF_ENDPOINT",
                    "https://hub.invalid",
                    "HTTPS_PROXY",
                    "http://user:secret@" + proxy.host()));
        run.assertFails(1, "through the proxy " + proxy.host());
        assertFalse(run.err().contains("secret"), run.err());
        RawServer.Request request = proxy.requests().getFirst();
        assertEquals("CONNECT", request.method());
        assertEquals("hub.invalid:443", request.target());
        assertEquals("Basic dXNlcjpzZWNyZXQ=", request.headers().get("proxy-authorization"));
      }
    }
  }
}
