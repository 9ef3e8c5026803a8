package dev.muninn.cli.serve;

import static dev.muninn.cli.serve.ServerRun.CHAT;
import static dev.muninn.cli.serve.ServerRun.COMPLETIONS;
import static dev.muninn.cli.serve.ServerRun.choice;
import static dev.muninn.cli.serve.ServerRun.error;
import static dev.muninn.cli.serve.ServerRun.events;
import static dev.muninn.cli.serve.ServerRun.json;
import static dev.muninn.cli.serve.ServerRun.object;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.decode.InitialState;
import dev.muninn.decode.SamplingOptions;
import dev.muninn.serve.GenerationRequest;
import dev.muninn.serve.GenerationResult;
import dev.muninn.serve.Score;
import dev.muninn.text.ChatMessage;
import dev.muninn.text.Prompt;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What clients of OpenAI's interface get. */
@Timeout(value = 10, unit = TimeUnit.MINUTES)
class ServerTest {
  private static ServerRun run;

  @BeforeAll
  static void open() throws IOException {
    run = ServerRun.open(16, 500);
  }

  @AfterAll
  static void close() {
    run.close();
  }

  private static String text(Map<String, Object> answer) {
    return (String) choice(answer, 0).get("text");
  }

  @Test
  void answersWhole() throws IOException, InterruptedException {
    HttpResponse<String> response =
        run.post(COMPLETIONS, "{\"prompt\":\"47+8=\",\"model\":\"any\",\"unknown\":{}}");
    assertEquals(200, response.statusCode(), response.body());
    Map<String, Object> answer = json(response);
    assertEquals("text_completion", answer.get("object"));
    assertEquals("raven-tiny", answer.get("model"));
    assertEquals("55", text(answer));
    assertEquals("stop", choice(answer, 0).get("finish_reason"));
    Map<String, Object> usage = object(answer.get("usage"));
    assertEquals(6L, usage.get("prompt_tokens"));
    assertEquals(3L, usage.get("completion_tokens"));
    assertEquals(9L, usage.get("total_tokens"));
    assertEquals(8.0, object(usage.get("recurrences")).get("mean"));
  }

  @Test
  void conversationsAreLaidOutAsByTheCommand() throws IOException, InterruptedException {
    String messages =
        "[{\"role\":\"system\",\"content\":\"s\"},{\"role\":\"user\",\"content\":"
            + "[{\"type\":\"text\",\"text\":\"12\"},{\"type\":\"text\",\"text\":\"34=\"}]}]";
    GenerationResult expected =
        run.model.generate(
            GenerationRequest.builder(
                    Prompt.chat(List.of(ChatMessage.system("s"), ChatMessage.user("1234="))))
                .maxTokens(9)
                .ignoreEndOfSequence(true)
                .build());
    String body = "{\"ignore_eos\":true,\"max_completion_tokens\":9,\"messages\":" + messages;
    Map<String, Object> whole = json(run.post(CHAT, body + "}"));
    assertEquals("chat.completion", whole.get("object"));
    Map<String, Object> message = object(choice(whole, 0).get("message"));
    assertEquals("assistant", message.get("role"));
    assertEquals(expected.text().orElseThrow(), message.get("content"));
    assertEquals("length", choice(whole, 0).get("finish_reason"));

    HttpResponse<String> streamed =
        run.post(
            CHAT,
            body
                + ",\"stream\":true,\"stream_options\":{\"include_usage\":true},"
                + "\"return_recurrences\":true}");
    assertEquals(
        "text/event-stream; charset=utf-8",
        streamed.headers().firstValue("Content-Type").orElseThrow());
    List<Map<String, Object>> events = events(streamed);
    StringBuilder said = new StringBuilder();
    List<Object> recurrences = new ArrayList<>();
    for (Map<String, Object> event : events.subList(0, events.size() - 1)) {
      assertEquals("chat.completion.chunk", event.get("object"));
      assertNull(event.get("usage"));
      Object piece = object(choice(event, 0).get("delta")).get("content");
      said.append(piece == null ? "" : piece);
      if (choice(event, 0).get("recurrences") instanceof List<?> list) {
        recurrences.addAll(list);
      }
    }
    assertEquals("assistant", object(choice(events.getFirst(), 0).get("delta")).get("role"));
    assertEquals(expected.text().orElseThrow(), said.toString());
    assertEquals(9, recurrences.size());
    Map<String, Object> usage = object(events.getLast().get("usage"));
    assertEquals(recurrences, object(usage.get("recurrences")).get("per_token"));
    assertEquals(List.of(), events.getLast().get("choices"));
  }

  @Test
  void severalAnswersToSeveralPrompts() throws IOException, InterruptedException {
    Map<String, Object> answer =
        json(
            run.post(
                COMPLETIONS,
                "{\"prompt\":[\"47+8=\",[256,49,43,49,61]],\"n\":2,\"temperature\":1,"
                    + "\"seed\":3,\"max_tokens\":4}"));
    assertEquals(4, ((List<?>) answer.get("choices")).size());
    SamplingOptions sampling = SamplingOptions.greedy().withTemperature(1).withSeed(3);
    for (int i = 0; i < 4; i++) {
      GenerationResult alone =
          run.model.generate(
              GenerationRequest.builder(
                      i < 2 ? Prompt.text("47+8=") : Prompt.tokens(256, 49, 43, 49, 61))
                  .maxTokens(4)
                  .initialState(InitialState.random(3))
                  .sampling(i % 2 == 0 ? sampling : sampling.forText("1"))
                  .build());
      assertEquals((long) i, choice(answer, i).get("index"));
      assertEquals(alone.text().orElseThrow(), choice(answer, i).get("text"));
    }
    assertEquals(11L, object(answer.get("usage")).get("prompt_tokens"));
  }

  /** What lm-eval's local-completions sends and reads. */
  @Test
  void anEchoWithProbabilitiesIsAScore() throws IOException, InterruptedException {
    Map<String, Object> answer =
        json(
            run.post(
                COMPLETIONS,
                "{\"prompt\":[[256,52,55,43,56,61,53,53]],\"echo\":true,\"max_tokens\":1,"
                    + "\"logprobs\":1,\"temperature\":0}"));
    Map<String, Object> probabilities = object(choice(answer, 0).get("logprobs"));
    Score score =
        run.model.score(
            Prompt.text("47+8=55"), GenerationRequest.MODEL_DEFAULT, InitialState.random(0));
    List<?> logarithms = (List<?>) probabilities.get("token_logprobs");
    assertEquals(9, logarithms.size());
    assertNull(logarithms.getFirst());
    for (int i = 1; i < 8; i++) {
      assertEquals(
          score.logProbabilities().get(i - 1), ((Number) logarithms.get(i)).doubleValue(), 1e-12);
    }
    assertTrue(text(answer).startsWith("47+8=55"), text(answer));
    List<?> likeliest = (List<?>) probabilities.get("top_logprobs");
    assertNull(likeliest.getFirst());
    // The right digits are the likeliest.
    for (int i = 6; i < 8; i++) {
      double best =
          object(likeliest.get(i)).values().stream()
              .mapToDouble(value -> ((Number) value).doubleValue())
              .max()
              .orElseThrow();
      assertEquals(best, ((Number) logarithms.get(i)).doubleValue());
    }
    assertEquals(
        List.of("<|begin_text|>", "4", "7", "+", "8", "=", "5", "5"),
        ((List<?>) probabilities.get("tokens")).subList(0, 8));
    assertEquals(
        List.of(0L, 0L, 1L, 2L, 3L, 4L, 5L, 6L),
        ((List<?>) probabilities.get("text_offset")).subList(0, 8));
    Map<String, Object> nothing =
        json(run.post(COMPLETIONS, "{\"prompt\":\"1+1=\",\"echo\":true,\"max_tokens\":0}"));
    assertEquals("1+1=", text(nothing));
    assertEquals("length", choice(nothing, 0).get("finish_reason"));
  }

  @Test
  void probabilitiesOfAChat() throws IOException, InterruptedException {
    Map<String, Object> answer =
        json(
            run.post(
                CHAT,
                "{\"messages\":[{\"role\":\"user\",\"content\":\"47+8=\"}],\"logprobs\":true,"
                    + "\"top_logprobs\":3,\"max_tokens\":2,\"ignore_eos\":true}"));
    List<?> content = (List<?>) object(choice(answer, 0).get("logprobs")).get("content");
    assertEquals(2, content.size());
    for (Object token : content) {
      List<?> others = (List<?>) object(token).get("top_logprobs");
      assertEquals(3, others.size());
      assertEquals(object(others.getFirst()).get("logprob"), object(token).get("logprob"));
      assertEquals(object(others.getFirst()).get("token"), object(token).get("token"));
    }
  }

  @Test
  void effortIsRecurrencesAndAConversationIsComputedOnce()
      throws IOException, InterruptedException {
    String body =
        "{\"prompt\":\"73059182736451=\",\"reasoning_effort\":\"high\",\"max_tokens\":3,"
            + "\"seed\":77}";
    Map<String, Object> first = object(json(run.post(COMPLETIONS, body)).get("usage"));
    assertEquals(16.0, object(first.get("recurrences")).get("mean"));
    assertEquals(0L, object(first.get("prompt_tokens_details")).get("cached_tokens"));
    Map<String, Object> second = object(json(run.post(COMPLETIONS, body)).get("usage"));
    assertEquals(15L, object(second.get("prompt_tokens_details")).get("cached_tokens"));
    Map<String, Object> other =
        object(json(run.post(COMPLETIONS, body.replace("high", "low"))).get("usage"));
    assertEquals(0L, object(other.get("prompt_tokens_details")).get("cached_tokens"));
    assertEquals(4.0, object(other.get("recurrences")).get("mean"));
  }

  @Test
  void stopsEndAnAnswer() throws IOException, InterruptedException {
    Map<String, Object> answer =
        json(run.post(COMPLETIONS, "{\"prompt\":\"47+8=\",\"stop\":[\"5\"]}"));
    assertEquals("", text(answer));
    assertEquals("stop", choice(answer, 0).get("finish_reason"));
  }

  /** A body, the field that is at fault, and a part of what is said. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          {"tools":[{}],"messages":[{"role":"user","content":"x"}]} | | tools is not supported
          {"logit_bias":{"1":2},"messages":[]} | | logit_bias is not supported
          {"response_format":{"type":"json_object"},"messages":[]} | response_format | of type "json_object"
          {"modalities":["audio"],"messages":[]} | modalities | other than text
          {"model":5,"messages":[]} | model | expected a text, not 5
          {"messages":[]} | messages | at least one message
          {} | messages | at least one message
          {"messages":[1]} | messages[0] | expected an object, not 1
          {"messages":[{"content":"x"}]} | messages[0].role | is missing
          {"messages":[{"role":"user"}]} | messages[0].content | is missing
          {"messages":[{"role":"tool","content":"x"}]} | messages[0].role | tool is not supported
          {"messages":[{"role":"user","content":[{"type":"image_url"}]}]} | messages[0].content[0].type | image_url
          {"messages":[{"role":"user","content":"x"}],"n":0} | n | from 1 to 128, not 0
          {"messages":[{"role":"user","content":"x"}],"temperature":3} | temperature | from 0 to 2
          {"messages":[{"role":"user","content":"x"}],"temperature":"hot"} | temperature | "hot"
          {"messages":[{"role":"user","content":"x"}],"recurrence":257} | recurrence | from 1 to 256
          {"messages":[{"role":"user","content":"x"}],"exit":"kll"} | exit | "kll" is none of
          {"messages":[{"role":"user","content":"x"}],"exit":"gate"} | | this model has none
          {"messages":[{"role":"user","content":"x"}],"min_recurrence":2} | min_recurrence | needs an exit
          {"messages":[{"role":"user","content":"x"}],"kv":"half"} | kv | full, budget:N or anchor:N
          {"messages":[{"role":"user","content":"x"}],"reasoning_effort":"huge"} | reasoning_effort | high, low, medium
          {"messages":[{"role":"user","content":"x"}],"top_logprobs":2} | top_logprobs | needs logprobs
          {"messages":[{"role":"user","content":"x"}],"stop":[""]} | stop | not empty
          {"messages":[{"role":"user","content":"x"}],"max_tokens":0} | max_tokens | from 1
          {"messages":[{"role":"user","content":"x"}],"stream_options":{}} | stream_options | needs stream
          {"messages":"x" | | line 1
          [] | | one JSON object
          {"a":1,"a":2} | | "a"
          """)
  void whatCannotBeHonouredIsRefusedByName(String body, String field, String part)
      throws IOException, InterruptedException {
    HttpResponse<String> response = run.post(CHAT, body);
    assertEquals(400, response.statusCode(), response.body());
    Map<String, Object> error = error(response);
    assertTrue(((String) error.get("message")).contains(part), response.body());
    assertEquals("invalid_request_error", error.get("type"));
    if (field != null) {
      assertEquals(field, error.get("param"));
    }
  }

  @Test
  void aPromptBeyondTheContextIsRefused() throws IOException, InterruptedException {
    HttpResponse<String> response =
        run.post(COMPLETIONS, "{\"prompt\":\"" + "1".repeat(300) + "\"}");
    assertEquals(400, response.statusCode());
    assertEquals("context_length_exceeded", error(response).get("code"));
    assertEquals("prompt", error(response).get("param"));
    response = run.post(COMPLETIONS, "{\"prompt\":[1,2,99999]}");
    assertEquals(400, response.statusCode());
    assertEquals("prompt", error(response).get("param"));
    response =
        run.post(
            CHAT, "{\"messages\":[{\"role\":\"user\",\"content\":\"" + "1".repeat(300) + "\"}]}");
    assertEquals(400, response.statusCode());
    assertEquals("messages", error(response).get("param"));
  }

  @Test
  void modelsHealthMetricsAndPage() throws IOException, InterruptedException {
    Map<String, Object> models = json(run.get("/v1/models"));
    assertEquals("raven-tiny", object(((List<?>) models.get("data")).getFirst()).get("id"));
    assertEquals("raven-tiny", json(run.get("/v1/models/raven-tiny")).get("id"));
    assertEquals("model_not_found", error(run.get("/v1/models/other")).get("code"));
    assertEquals("ok", json(run.get("/health")).get("status"));
    run.post(COMPLETIONS, "{\"prompt\":\"47+8=\"}");
    String metrics = run.get("/metrics").body();
    for (String name :
        List.of(
            "muninn_requests_total{path=\"/v1/completions\",status=\"200\"}",
            "muninn_token_recurrences_bucket{le=\"8.0\"}",
            "muninn_time_to_first_token_seconds_count",
            "muninn_time_between_tokens_seconds_sum",
            "muninn_core_rows_total",
            "muninn_requests_queued 0.0",
            "muninn_prefix_kept_bytes",
            "muninn_prefix_hits_total")) {
      assertTrue(metrics.contains(name), name + " in " + metrics);
    }
    HttpResponse<String> page = run.get("/");
    assertTrue(page.body().contains("<!doctype html>"));
    assertTrue(page.headers().firstValue("Content-Security-Policy").isPresent());
    assertTrue(!page.body().contains("http://") && !page.body().contains("https://"));
    assertTrue(run.log.toString().contains(" POST /v1/completions 200 "), run.log.toString());
  }
}
