package dev.muninn.cli.serve;

import static dev.muninn.cli.serve.ServerRun.COMPLETIONS;
import static dev.muninn.cli.serve.ServerRun.choice;
import static dev.muninn.cli.serve.ServerRun.error;
import static dev.muninn.cli.serve.ServerRun.events;
import static dev.muninn.cli.serve.ServerRun.json;
import static org.junit.jupiter.api.Assertions.assertEquals;
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
import dev.muninn.text.Tokenizer;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

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
