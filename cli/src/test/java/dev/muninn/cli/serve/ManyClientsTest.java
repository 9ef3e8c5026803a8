package dev.muninn.cli.serve;

import static dev.muninn.cli.serve.ServerRun.COMPLETIONS;
import static dev.muninn.cli.serve.ServerRun.choice;
import static dev.muninn.cli.serve.ServerRun.error;
import static dev.muninn.cli.serve.ServerRun.events;
import static dev.muninn.cli.serve.ServerRun.json;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.decode.DecodingOptions;
import dev.muninn.decode.ExitCriteria;
import dev.muninn.decode.ExitOptions;
import dev.muninn.decode.InitialState;
import dev.muninn.decode.SamplingOptions;
import dev.muninn.decode.TokenProbability;
import dev.muninn.serve.GenerationListener;
import dev.muninn.serve.GenerationRequest;
import dev.muninn.serve.GenerationResult;
import dev.muninn.serve.PrefixReuse;
import dev.muninn.serve.ServiceOptions;
import dev.muninn.text.Tokenizer;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Many clients at once: those that are slow, those that leave, and those too many. */
@Timeout(value = 10, unit = TimeUnit.MINUTES)
class ManyClientsTest {

  /** A prompt that the model was trained on, or any digits. */
  private static String prompt(SplittableRandom random) {
    StringBuilder digits = new StringBuilder();
    int count = random.nextInt(1, 20);
    for (int i = 0; i < count; i++) {
      digits.append(random.nextInt(10));
    }
    return random.nextBoolean()
        ? digits + "="
        : random.nextInt(100) + "+" + random.nextInt(100) + "=";
  }

  /** A token as probabilities name it; each of the built-in model's has a name of its own. */
  private static String name(Tokenizer tokenizer, int token) {
    byte[] bytes = tokenizer.bytes(token);
    return bytes.length == 0
        ? tokenizer.name(token).orElseThrow()
        : bytes[0] >= 0
            ? new String(bytes, StandardCharsets.UTF_8)
            : "bytes:\\x" + HexFormat.of().formatHex(bytes);
  }

  @Test
  void sixtyFourStreamsAtOnceAreThoseOfTheCommandAlone() throws IOException, InterruptedException {
    try (ServerRun run = ServerRun.open(16, 500)) {
      compareStreams(run);
    }
  }

  private static void compareStreams(ServerRun run) throws InterruptedException {
    Tokenizer tokenizer = run.model.tokenizer().orElseThrow();
    SplittableRandom random = new SplittableRandom(7);
    List<Throwable> failures = Collections.synchronizedList(new ArrayList<>());
    List<Thread> threads = new ArrayList<>();
    List<String> prompts = new ArrayList<>();
    List<List<Map<String, Object>>> streams = new ArrayList<>();
    for (int i = 0; i < 64; i++) {
      prompts.add(prompt(random));
      streams.add(null);
      int index = i;
      threads.add(
          Thread.ofVirtual()
              .start(() -> {
                try {
                  String body =
                      "{\"prompt\":\""
                          + prompts.get(index)
                          + "\",\"stream\":true,\"max_tokens\":12,\"ignore_eos\":true,"
                          + "\"exit\":\"kl\",\"recurrence\":"
                          + (8 + index % 9)
                          + ",\"temperature\":"
                          + index % 2
                          + ",\"seed\":"
                          + index
                          + ",\"logprobs\":0,\"return_recurrences\":true}";
                  streams.set(index, events(run.post(COMPLETIONS, body)));
                } catch (IOException | InterruptedException | RuntimeException | Error e) {
                  failures.add(e);
                }
              }));
    }
    for (Thread thread : threads) {
      thread.join();
    }
    assertEquals(List.of(), failures);
    for (int i = 0; i < 64; i++) {
      List<Integer> recurrences = new ArrayList<>();
      List<Double> logarithms = new ArrayList<>();
      GenerationResult alone =
          run.model.generate(
              GenerationRequest.builder(prompts.get(i))
                  .maxTokens(12)
                  .ignoreEndOfSequence(true)
                  .recurrence(8 + i % 9)
                  .initialState(InitialState.random(i))
                  .sampling(SamplingOptions.greedy().withTemperature(i % 2).withSeed(i))
                  .decoding(
                      DecodingOptions.defaults().withExit(ExitOptions.of(ExitCriteria.parse("kl"))))
                  .logProbabilities(0)
                  .build(),
              new GenerationListener() {
                @Override
                public void onProbabilities(
                    int token, double logarithm, List<TokenProbability> alternatives) {
                  logarithms.add(logarithm);
                }

                @Override
                public void onToken(int token, int count) {
                  recurrences.add(count);
                }

                @Override
                public void onText(String text) {}
              });
      StringBuilder said = new StringBuilder();
      List<Integer> shown = new ArrayList<>();
      List<Object> tokens = new ArrayList<>();
      List<Object> probabilities = new ArrayList<>();
      for (Map<String, Object> event : streams.get(i)) {
        said.append(choice(event, 0).get("text"));
        if (choice(event, 0).get("logprobs") instanceof Map<?, ?> part) {
          tokens.addAll((List<?>) part.get("tokens"));
          probabilities.addAll((List<?>) part.get("token_logprobs"));
        }
        for (Object count : (List<?>) choice(event, 0).get("recurrences")) {
          shown.add(((Number) count).intValue());
        }
      }
      assertEquals(alone.text().orElseThrow(), said.toString(), prompts.get(i));
      assertEquals(recurrences, shown, prompts.get(i));
      assertEquals(logarithms, probabilities, prompts.get(i));
      assertEquals(
          alone.tokens().stream().map(token -> name(tokenizer, token)).toList(),
          tokens,
          prompts.get(i));
    }
  }

  /** A long answer of a request of its own. */
  private static String slow(String more) {
    return "{\"prompt\":\"1\",\"ignore_eos\":true,\"max_tokens\":250,\"recurrence\":256"
        + more
        + "}";
  }

  private static void await(Condition condition) throws IOException, InterruptedException {
    for (int i = 0; i < 12_000; i++) {
      if (condition.holds()) {
        return;
      }
      Thread.sleep(10);
    }
    throw new AssertionError("never came");
  }

  private interface Condition {
    boolean holds() throws IOException, InterruptedException;
  }

  /** Begins a stream, reads its first bytes, and leaves the rest to the caller. */
  private static Socket begin(ServerRun server, String body) throws IOException {
    Socket socket = new Socket();
    // What waits for a client that does not read is to be the server's.
    socket.setReceiveBufferSize(8 * 1024);
    socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), server.server.port()));
    socket
        .getOutputStream()
        .write(
            ("POST /v1/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                    + "Content-Length: "
                    + body.length()
                    + "\r\n\r\n"
                    + body)
                .getBytes(StandardCharsets.UTF_8));
    InputStream in = socket.getInputStream();
    assertEquals('H', in.read());
    return socket;
  }

  /** Logs where a client left, or the like. */
  private static void awaitLog(ServerRun server, String part)
      throws IOException, InterruptedException {
    await(() -> server.log.toString().contains(part));
  }

  /** More than any buffer on the way to a client takes. */
  private static final String LARGE =
      "{\"prompt\":\"1\",\"n\":64,\"ignore_eos\":true,\"max_tokens\":150,\"recurrence\":1,"
          + "\"logprobs\":20,\"temperature\":2,\"seed\":1";

  private static ServerRun impatient() throws IOException {
    ServerRun run =
        ServerRun.starting(
            new ServiceOptions(64, ServiceOptions.UNLIMITED, 64, PrefixReuse.EXACT),
            Optional.empty(),
            1);
    run.server.serve(run.served);
    return run;
  }

  /** Who reads nothing for a second is cut off, and nobody else notices. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aClientThatDoesNotReadIsCutOff(boolean stream) throws IOException, InterruptedException {
    try (ServerRun run = impatient();
        Socket stuck = begin(run, LARGE + ",\"stream\":" + stream + "}")) {
      while (!run.log.toString().contains("client left")) {
        HttpResponse<String> other = run.post(COMPLETIONS, "{\"prompt\":\"47+8=\"}");
        assertEquals("55", choice(json(other), 0).get("text"));
      }
      await(() -> run.model.serviceLoad().running() == 0);
      assertTrue(run.log.toString().contains(" POST /v1/completions 200 "), run.log.toString());
      // What was under way is still there, and then the connection ends early.
      stuck.setSoTimeout(60_000);
      String rest = "";
      try {
        rest = new String(stuck.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      } catch (SocketException e) {
        // Reset, which is another way to end it.
      }
      assertFalse(rest.endsWith("0\r\n\r\n"), "whole");
    }
  }

  /** Who reads slowly but steadily gets everything, however long the whole takes. */
  @Test
  void aClientThatReadsSlowlyGetsItAll() throws IOException, InterruptedException {
    try (ServerRun run = impatient();
        Socket slow = begin(run, LARGE + "}")) {
      InputStream in = slow.getInputStream();
      byte[] buffer = new byte[1 << 18];
      long length = 1;
      long promised = Long.MAX_VALUE;
      while (length < promised) {
        // Five times within the patience.
        Thread.sleep(200);
        int read = in.readNBytes(buffer, 0, (int) Math.min(buffer.length, promised - length));
        assertTrue(read > 0, "cut off after " + length + " of " + promised);
        if (promised == Long.MAX_VALUE) {
          String head = new String(buffer, 0, read, StandardCharsets.ISO_8859_1);
          int begin = head.indexOf("\r\n\r\n") + 4;
          promised = 1 + begin + contentLength(head.substring(0, begin));
        }
        length += read;
      }
      assertEquals(promised, length);
      awaitLog(run, " POST /v1/completions 200 ");
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

  @Test
  void aFullQueueIsSaidAndAClientThatLeavesMakesRoom() throws IOException, InterruptedException {
    try (ServerRun small = ServerRun.open(1, 0)) {
      long full = 250 * 256;
      try (Socket socket = begin(small, slow(",\"stream\":true"))) {
        await(() -> small.model.serviceLoad().running() == 1);
        assertTrue(socket.isConnected());
        HttpResponse<String> refused = small.post(COMPLETIONS, "{\"prompt\":\"1\"}");
        assertEquals(429, refused.statusCode(), refused.body());
        assertEquals("1", refused.headers().firstValue("Retry-After").orElseThrow());
        assertEquals("queue_full", error(refused).get("code"));
      }
      await(() -> small.model.serviceLoad().running() == 0);
      assertTrue(small.model.serviceLoad().coreCalls() < full);
      assertEquals(200, small.post(COMPLETIONS, "{\"prompt\":\"1+1=\"}").statusCode());
      await(() -> small.log.toString().contains("client left"));
    }
  }

  /** It would find the queue full however often it came. */
  @Test
  void moreAnswersThanThereArePlacesAreRefused() throws IOException, InterruptedException {
    try (ServerRun small = ServerRun.open(1, 1)) {
      HttpResponse<String> refused = small.post(COMPLETIONS, "{\"prompt\":\"1\",\"n\":3}");
      assertEquals(400, refused.statusCode(), refused.body());
      assertEquals("n", error(refused).get("param"));
      assertEquals(200, small.post(COMPLETIONS, "{\"prompt\":\"1\",\"n\":2}").statusCode());
    }
  }

  @Test
  void drainingEndsStreamsAndRefusesMore() throws IOException, InterruptedException {
    try (ServerRun small = ServerRun.open(2, 2)) {
      StringBuilder rest = new StringBuilder();
      Thread reader;
      try (Socket socket = begin(small, slow(",\"stream\":true").replace("256", "64"))) {
        await(() -> small.model.serviceLoad().running() == 1);
        reader =
            Thread.ofVirtual()
                .start(() -> {
                  try {
                    rest.append(
                        new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8));
                  } catch (IOException e) {
                    rest.append(e);
                  }
                });
        small.server.drain(small.served, Duration.ofMinutes(5));
        HttpResponse<String> refused = small.post(COMPLETIONS, "{\"prompt\":\"1\"}");
        assertEquals(503, refused.statusCode());
        assertTrue(refused.headers().firstValue("Retry-After").isPresent());
        HttpResponse<String> health = small.get("/health");
        assertEquals(503, health.statusCode());
        assertEquals("draining", json(health).get("status"));
        small.server.close();
        reader.join();
      }
      assertTrue(rest.toString().contains("data: [DONE]"), rest.toString());
    }
  }
}
