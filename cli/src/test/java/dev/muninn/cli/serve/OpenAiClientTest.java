package dev.muninn.cli.serve;

import static dev.muninn.cli.serve.ServerRun.choice;
import static dev.muninn.cli.serve.ServerRun.object;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.decode.DecodingOptions;
import dev.muninn.decode.ExitCriteria;
import dev.muninn.decode.ExitOptions;
import dev.muninn.decode.InitialState;
import dev.muninn.serve.GenerationRequest;
import dev.muninn.serve.GenerationResult;
import dev.muninn.serve.PrefixReuse;
import dev.muninn.serve.Score;
import dev.muninn.serve.ServiceOptions;
import dev.muninn.text.ChatMessage;
import dev.muninn.text.Prompt;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The server as OpenAI's own client for JavaScript sees it. */
@Timeout(value = 15, unit = TimeUnit.MINUTES)
class OpenAiClientTest {
  private static ServerRun open;
  private static Map<String, Object> got;

  @BeforeAll
  static void ask() throws IOException, InterruptedException {
    open = ServerRun.open(4, 16);
    try (ServerRun locked =
            ServerRun.starting(
                new ServiceOptions(1, ServiceOptions.UNLIMITED, 4, PrefixReuse.EXACT),
                Optional.of("s3cret"),
                60);
        ServerRun small = ServerRun.open(1, 0)) {
      locked.server.serve(locked.served);
      got =
          NodeClient.run(
              "openai.mjs",
              open.uri("/v1").toString(),
              locked.uri("/v1").toString(),
              "s3cret",
              small.uri("/v1").toString());
    }
  }

  @AfterAll
  static void close() {
    open.close();
  }

  /** What the model answers without a server. */
  private static GenerationResult expected() {
    return open.model.generate(
        GenerationRequest.builder(Prompt.chat(List.of(ChatMessage.user("47+8="))))
            .maxTokens(12)
            .recurrence(5)
            .ignoreEndOfSequence(true)
            .decoding(DecodingOptions.defaults().withExit(ExitOptions.of(ExitCriteria.parse("kl"))))
            .build());
  }

  private static Map<String, Object> got(String name) {
    return object(got.get(name));
  }

  private static List<?> list(Map<String, Object> object, String name) {
    return (List<?>) object.get(name);
  }

  @Test
  void models() {
    assertEquals(List.of("raven-tiny"), got.get("listed"));
  }

  @Test
  void aChatWithProbabilitiesAndWhatItCost() {
    Map<String, Object> chat = got("chat");
    GenerationResult expected = expected();
    assertEquals(
        expected.text().orElseThrow(), object(choice(chat, 0).get("message")).get("content"));
    assertEquals("length", choice(chat, 0).get("finish_reason"));
    List<?> tokens = list(object(choice(chat, 0).get("logprobs")), "content");
    assertEquals(12, tokens.size());
    for (Object token : tokens) {
      assertEquals(2, list(object(token), "top_logprobs").size());
    }
    Map<String, Object> usage = object(chat.get("usage"));
    assertEquals((long) expected.promptTokens().size(), usage.get("prompt_tokens"));
    assertEquals(12L, usage.get("completion_tokens"));
    assertEquals(
        expected.recurrences().stream().map(Integer::longValue).toList(),
        object(usage.get("recurrences")).get("per_token"));
  }

  @Test
  void aStreamInParts() {
    Map<String, Object> streamed = got("streamed");
    List<?> parts = list(streamed, "parts");
    assertTrue(parts.size() > 1, parts.toString());
    assertEquals(
        expected().text().orElseThrow(),
        String.join("", parts.stream().map(String.class::cast).toList()));
    assertEquals("length", streamed.get("reason"));
    assertEquals(
        object(got("chat").get("usage")).get("recurrences"),
        object(streamed.get("usage")).get("recurrences"));
    assertEquals(expected().text().orElseThrow(), got.get("helper"));
  }

  @Test
  void aCompletionWithProbabilities() {
    Map<String, Object> answer = choice(got("completion"), 0);
    assertEquals("55", answer.get("text"));
    assertEquals("stop", answer.get("finish_reason"));
    Map<String, Object> probabilities = object(answer.get("logprobs"));
    assertEquals(List.of("5", "5", "<|end_text|>"), probabilities.get("tokens"));
    assertEquals(3, list(probabilities, "token_logprobs").size());
    assertEquals(2, object(list(probabilities, "top_logprobs").getFirst()).size());
    assertEquals(List.of(0L, 1L, 2L), probabilities.get("text_offset"));
  }

  @Test
  void anEchoWithProbabilitiesIsAScore() {
    Map<String, Object> answer = choice(got("echo"), 0);
    assertEquals("47+8=55", answer.get("text"));
    Score score =
        open.model.score(
            Prompt.text("47+8=55"), GenerationRequest.MODEL_DEFAULT, InitialState.random(0));
    List<?> logarithms = list(object(answer.get("logprobs")), "token_logprobs");
    assertNull(logarithms.getFirst());
    for (int i = 1; i < 8; i++) {
      assertEquals(
          score.logProbabilities().get(i - 1), ((Number) logarithms.get(i)).doubleValue(), 1e-12);
    }
  }

  /** What the client raises, the status, the code and the field. */
  @ParameterizedTest
  @CsvSource({
    "field, BadRequestError, 400, invalid_value, recurrence",
    "unsupported, BadRequestError, 400, unsupported_parameter, tools",
    "temperature, BadRequestError, 400, invalid_value, temperature",
    "key, AuthenticationError, 401, invalid_api_key, ''",
    "model, NotFoundError, 404, model_not_found, ''",
    "path, NotFoundError, 404, not_found, ''",
  })
  void refusalsAreOfTheirClass(String name, String type, long status, String code, String field) {
    Map<String, Object> refusal = object(got("refusals").get(name));
    assertEquals(type, refusal.get("class"), refusal.toString());
    assertEquals(status, refusal.get("status"));
    assertEquals(code, refusal.get("code"));
    assertEquals(field, refusal.get("param"));
    assertTrue(((String) refusal.get("message")).contains(field), refusal.toString());
  }

  @Test
  void theRightKeyOpens() {
    assertEquals("55", got.get("locked"));
  }

  @Test
  void aFullQueueIsSaidAndTheClientComesAgain() {
    Map<String, Object> refused = object(got("full").get("refused"));
    assertEquals("RateLimitError", refused.get("class"), refused.toString());
    assertEquals(429L, refused.get("status"));
    assertEquals("queue_full", refused.get("code"));
    assertEquals("1", refused.get("retry"));
    assertEquals("55", got("full").get("later"));
  }
}
