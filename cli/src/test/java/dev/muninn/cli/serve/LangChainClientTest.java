package dev.muninn.cli.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.openai.OpenAiChatModel;
import dev.langchain4j.model.openai.OpenAiStreamingChatModel;
import dev.muninn.serve.GenerationRequest;
import dev.muninn.serve.GenerationResult;
import dev.muninn.text.ChatMessage;
import dev.muninn.text.Prompt;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The server as LangChain4j's OpenAI client sees it. */
@Timeout(120)
class LangChainClientTest {
  private static ServerRun run;

  @BeforeAll
  static void open() throws IOException {
    run = ServerRun.open(4, 16);
  }

  @AfterAll
  static void close() {
    run.close();
  }

  private static String address() {
    return run.uri("/v1").toString();
  }

  private static OpenAiChatModel.OpenAiChatModelBuilder client() {
    return OpenAiChatModel.builder()
        .baseUrl(address())
        .apiKey("none")
        .modelName("raven-tiny")
        .maxRetries(0);
  }

  /** What the model answers without a server. */
  private static GenerationResult expected(int recurrence) {
    return run.model.generate(
        GenerationRequest.builder(
                new Prompt.Chat(List.of(ChatMessage.user("47+8=")), Optional.empty()))
            .maxTokens(6)
            .recurrence(recurrence)
            .build());
  }

  @Test
  void answersAsTheModelDoes() {
    ChatResponse response =
        client()
            .maxTokens(6)
            .temperature(0.0)
            .customParameters(Map.of("recurrence", 5))
            .build()
            .chat(UserMessage.from("47+8="));
    GenerationResult expected = expected(5);
    assertEquals(expected.text().orElseThrow(), response.aiMessage().text());
    assertEquals(expected.promptTokens().size(), response.tokenUsage().inputTokenCount());
    assertEquals(expected.tokens().size(), response.tokenUsage().outputTokenCount());
  }

  @Test
  void streamsWhatItAnswers() {
    OpenAiStreamingChatModel client =
        OpenAiStreamingChatModel.builder()
            .baseUrl(address())
            .apiKey("none")
            .modelName("raven-tiny")
            .maxTokens(6)
            .build();
    StringBuilder text = new StringBuilder();
    CompletableFuture<ChatResponse> end = new CompletableFuture<>();
    client.chat(
        ChatRequest.builder().messages(UserMessage.from("47+8=")).build(),
        new StreamingChatResponseHandler() {
          @Override
          public void onPartialResponse(String part) {
            text.append(part);
          }

          @Override
          public void onCompleteResponse(ChatResponse response) {
            end.complete(response);
          }

          @Override
          public void onError(Throwable error) {
            end.completeExceptionally(error);
          }
        });
    ChatResponse response = end.orTimeout(60, TimeUnit.SECONDS).join();
    assertEquals(expected(8).text().orElseThrow(), text.toString());
    assertEquals(text.toString(), response.aiMessage().text());
  }

  @Test
  void mistakesAreTheClients() {
    String message =
        assertThrows(
                InvalidRequestException.class,
                () ->
                    client()
                        .customParameters(Map.of("recurrence", 0))
                        .build()
                        .chat(UserMessage.from("1+1=")))
            .getMessage();
    assertTrue(message.contains("recurrence"), message);
  }
}
