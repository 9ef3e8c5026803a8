package dev.muninn.cli.serve;

import static dev.muninn.cli.serve.ServerRun.CHAT;
import static dev.muninn.cli.serve.ServerRun.COMPLETIONS;
import static dev.muninn.cli.serve.ServerRun.error;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.http.HttpResponse;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Whatever a field says that makes no sense, the refusal names it and is short. */
@Timeout(value = 10, unit = TimeUnit.MINUTES)
class HostileFieldsTest {
  private static ServerRun run;

  @BeforeAll
  static void open() throws IOException {
    run = ServerRun.open(4, 200);
  }

  @AfterAll
  static void close() {
    run.close();
  }

  /** What follows a prompt or messages, and the field that the refusal names. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          "n":1000000000 | n
          "n":1.5 | n
          "n":"2" | n
          "n":[1] | n
          "max_tokens":-1 | max_tokens
          "max_tokens":99999999999 | max_tokens
          "max_tokens":3,"max_completion_tokens":4 | max_completion_tokens
          "stop":"" | stop
          "stop":5 | stop
          "stop":[["a"]] | stop
          "stop":[null] | stop
          "temperature":1e308 | temperature
          "temperature":-1 | temperature
          "temperature":true | temperature
          "top_p":-0.1 | top_p
          "top_p":2 | top_p
          "seed":18446744073709551616 | seed
          "seed":-9223372036854775809 | seed
          "seed":1.5 | seed
          "model":5 | model
          "model":["a"] | model
          "stream":1 | stream
          "stream":true,"stream_options":"x" | stream_options
          "stream":true,"stream_options":{"include_usage":1} | stream_options.include_usage
          "frequency_penalty":3 | frequency_penalty
          "presence_penalty":"x" | presence_penalty
          "repetition_penalty":0 | repetition_penalty
          "top_k":-1 | top_k
          "min_p":2 | min_p
          "recurrence":1000000000 | recurrence
          "recurrence":-1 | recurrence
          "reasoning_effort":5 | reasoning_effort
          "exit":1 | exit
          "exit":"kl:-1" | exit
          "exit":"kl:NaN" | exit
          "exit":"kl","min_recurrence":0 | min_recurrence
          "exit":"kl","exit_every":0 | exit_every
          "exit":"kl","prefill_exit":"x" | prefill_exit
          "exit_every":2 | exit_every
          "kv":"budget:0" | kv
          "kv":"anchor:99999999999" | kv
          "kv_type":"f64" | kv_type
          "warm_start":"x" | warm_start
          "ignore_eos":1 | ignore_eos
          "return_recurrences":"y" | return_recurrences
          "store":"y" | store
          "store":true | store
          "logit_bias":{"1":5} | logit_bias
          "modalities":["audio"] | modalities
          "response_format":"json" | response_format
          "response_format":{"type":"json_schema"} | response_format
          "tools":[{}] | tools
          """)
  void aFieldThatMakesNoSenseIsNamed(String fields, String name)
      throws IOException, InterruptedException {
    for (String[] question :
        new String[][] {
          {COMPLETIONS, "{\"prompt\":\"1\","},
          {CHAT, "{\"messages\":[{\"role\":\"user\",\"content\":\"1\"}],"}
        }) {
      assertNames(name, run.post(question[0], question[1] + fields + "}"));
    }
  }

  private static void assertNames(String name, HttpResponse<String> response) {
    assertEquals(400, response.statusCode(), response.body());
    Map<String, Object> error = error(response);
    assertEquals(name, error.get("param"), response.body());
    String message = (String) error.get("message");
    assertTrue(message.contains(name) && message.length() < 400, response.body());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          {"prompt":5} | prompt
          {"prompt":null} | prompt
          {"prompt":{}} | prompt
          {"prompt":[]} | prompt
          {"prompt":[[]]} | prompt
          {"prompt":["a",1]} | prompt
          {"prompt":[1.5]} | prompt
          {"prompt":[true]} | prompt
          {"prompt":[-1]} | prompt
          {"prompt":[99999999999999999999]} | prompt
          {"prompt":"1","logprobs":1000000} | logprobs
          {"prompt":"1","logprobs":true} | logprobs
          {"prompt":"1","echo":"yes"} | echo
          {"prompt":"1","suffix":"x"} | suffix
          {"prompt":"1","best_of":3} | best_of
          {"prompt":[[1],[2]],"n":100} | n
          {"messages":null} | messages
          {"messages":{}} | messages
          {"messages":["x"]} | messages[0]
          {"messages":[[]]} | messages[0]
          {"messages":[{"role":1,"content":"x"}]} | messages[0].role
          {"messages":[{"role":"wizard","content":"x"}]} | messages[0].role
          {"messages":[{"role":"function","content":"x"}]} | messages[0].role
          {"messages":[{"role":"user","content":5}]} | messages[0].content
          {"messages":[{"role":"user","content":{}}]} | messages[0].content
          {"messages":[{"role":"user","content":["x"]}]} | messages[0].content[0]
          {"messages":[{"role":"user","content":[{"text":"x"}]}]} | messages[0].content[0].type
          {"messages":[{"role":"user","content":[{"type":"text"}]}]} | messages[0].content[0].text
          {"messages":[{"role":"user","content":[{"type":"input_audio"}]}]} | messages[0].content[0].type
          {"messages":[{"role":"assistant","content":"x","tool_calls":[{}]}]} | messages[0].tool_calls
          {"messages":[{"role":"user","content":"x"}],"logprobs":5} | logprobs
          {"messages":[{"role":"user","content":"x"}],"logprobs":true,"top_logprobs":1000000} | top_logprobs
          {"messages":[{"role":"user","content":"x"}],"thinking":"x"} | thinking
          """)
  void aPromptThatMakesNoSenseIsNamed(String body, String name)
      throws IOException, InterruptedException {
    assertNames(name, run.post(body.contains("messages") ? CHAT : COMPLETIONS, body));
  }

  @Test
  void longFieldsAreNotRepeated() throws IOException, InterruptedException {
    String prompt = "{\"prompt\":\"1\",\"";
    String many = "[" + "\"a\",".repeat(9999) + "\"a\"]";
    String name = "k".repeat(100_000);
    assertNames("stop", run.post(COMPLETIONS, prompt + "stop\":" + many + "}"));
    for (String field : new String[] {"exit", "kv", "kv_type", "reasoning_effort", "model_", "n"}) {
      HttpResponse<String> response =
          run.post(COMPLETIONS, prompt + field + "\":\"" + name + "\"}");
      if (field.equals("model_")) {
        assertEquals(200, response.statusCode(), response.body());
      } else {
        assertNames(field, response);
      }
    }
    String digits = prompt + "n\":" + "9".repeat(100_000) + "}";
    HttpResponse<String> response = run.post(COMPLETIONS, digits);
    assertEquals(400, response.statusCode());
    assertTrue(((String) error(response).get("message")).length() < 400, response.body());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "NaN",
        "Infinity",
        "-Infinity",
        "0x10",
        "01",
        "+1",
        ".5",
        "1.",
        "1e",
        "1e400",
        "-",
        "1_000"
      })
  void whatIsNoNumberIsRefused(String number) throws IOException, InterruptedException {
    HttpResponse<String> response =
        run.post(COMPLETIONS, "{\"prompt\":\"1\",\"temperature\":" + number + "}");
    assertEquals(400, response.statusCode(), response.body());
    assertTrue(((String) error(response).get("message")).contains("line 1"), response.body());
  }
}
