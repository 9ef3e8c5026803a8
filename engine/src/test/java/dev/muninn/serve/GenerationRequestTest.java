package dev.muninn.serve;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.decode.InitialState;
import dev.muninn.decode.SamplingOptions;
import dev.muninn.text.ChatMessage;
import dev.muninn.text.Prompt;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class GenerationRequestTest {

  private static void assertRefused(GenerationRequest.Builder builder, String said) {
    String message = assertThrows(IllegalArgumentException.class, builder::build).getMessage();
    assertTrue(message.contains(said), message);
  }

  @Test
  void defaults() {
    GenerationRequest request = GenerationRequest.builder("text").build();
    assertEquals(Prompt.text("text"), request.prompt());
    assertEquals(128, request.maxTokens());
    assertEquals(GenerationRequest.MODEL_DEFAULT, request.recurrence());
    assertEquals(InitialState.random(0), request.initialState());
    assertEquals(SamplingOptions.greedy(), request.sampling());
    assertEquals(List.of(), request.stopStrings());
    assertEquals(GenerationRequest.MODEL_DEFAULT, request.contextLength());
  }

  @Test
  void refusals() {
    assertRefused(GenerationRequest.builder("a").maxTokens(0), "max tokens");
    assertRefused(GenerationRequest.builder("a").maxTokens(-5), "not -5");
    assertRefused(GenerationRequest.builder("a").recurrence(0), "recurrence");
    assertRefused(GenerationRequest.builder("a").recurrence(-2), "not -2");
    assertRefused(GenerationRequest.builder("a").contextLength(0), "context length");
    assertRefused(GenerationRequest.builder("a").stop("x", ""), "stop string");
    assertThrows(NullPointerException.class, () -> GenerationRequest.builder((String) null));
  }

  @Test
  void requestsDoNotChangeWithWhatTheyWereMadeOf() {
    GenerationRequest.Builder builder = GenerationRequest.builder("a").stop("x");
    GenerationRequest first = builder.build();
    builder.stop("y");
    assertEquals(List.of("x"), first.stopStrings());
    assertEquals(List.of("x", "y"), builder.build().stopStrings());
    int[] tokens = {1, 2};
    Prompt.Tokens prompt = (Prompt.Tokens) Prompt.tokens(tokens);
    tokens[0] = 9;
    prompt.tokens()[1] = 9;
    assertArrayEquals(new int[] {1, 2}, prompt.tokens());
  }

  @Test
  void prompts() {
    assertEquals(Prompt.tokens(1, 2), Prompt.tokens(1, 2));
    assertEquals(Prompt.tokens(1, 2).hashCode(), Prompt.tokens(1, 2).hashCode());
    assertThrows(IllegalArgumentException.class, () -> Prompt.tokens());
    List<ChatMessage> none = new ArrayList<>();
    assertThrows(IllegalArgumentException.class, () -> Prompt.chat(none));
  }
}
