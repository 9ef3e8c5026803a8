package dev.muninn.langchain4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.langchain4j.agent.tool.ToolSpecification;
import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.data.message.ImageContent;
import dev.langchain4j.data.message.SystemMessage;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.memory.chat.MessageWindowChatMemory;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.request.ResponseFormat;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.PartialResponse;
import dev.langchain4j.model.chat.response.PartialResponseContext;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.output.FinishReason;
import dev.langchain4j.service.AiServices;
import dev.langchain4j.service.TokenStream;
import dev.muninn.LanguageModel;
import dev.muninn.decode.DecodingOptions;
import dev.muninn.decode.ExitCriteria;
import dev.muninn.decode.ExitOptions;
import dev.muninn.decode.InitialState;
import dev.muninn.decode.SamplingOptions;
import dev.muninn.serve.GenerationRequest;
import dev.muninn.serve.GenerationResult;
import dev.muninn.text.ChatMessage;
import dev.muninn.text.Prompt;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class MuninnChatModelTest {
  private static LanguageModel model;

  @BeforeAll
  static void open() throws URISyntaxException {
    model =
        LanguageModel.load(
            Path.of(
                MuninnChatModelTest.class.getResource("/dev/muninn/models/raven-tiny").toURI()));
  }

  @AfterAll
  static void close() {
    model.close();
  }

  /** The engine's own answer. */
  private static GenerationResult expected(
      List<ChatMessage> messages, Consumer<GenerationRequest.Builder> more) {
    GenerationRequest.Builder builder =
        GenerationRequest.builder(new Prompt.Chat(messages, Optional.empty()));
    more.accept(builder);
    return model.generate(builder.build());
  }

  @Test
  void answersAsTheEngineDoes() {
    GenerationResult expected =
        expected(
            List.of(
                ChatMessage.system("Add."),
                ChatMessage.user("1+2="),
                ChatMessage.assistant("3"),
                ChatMessage.user("47+8=")),
            request ->
                request
                    .maxTokens(9)
                    .recurrence(6)
                    .decoding(
                        DecodingOptions.defaults()
                            .withExit(ExitOptions.of(ExitCriteria.parse("kl"))))
                    .initialState(InitialState.random(5))
                    .sampling(
                        SamplingOptions.greedy()
                            .withSeed(5)
                            .withTemperature(0.7f)
                            .withTopP(0.9f)
                            .withTopK(40))
                    .stop("zz"));
    ChatResponse response =
        new MuninnChatModel(model)
            .chat(
                ChatRequest.builder()
                    .messages(
                        SystemMessage.from("Add."),
                        UserMessage.from("1+2="),
                        AiMessage.from("3"),
                        UserMessage.from("47+8="))
                    .parameters(
                        MuninnChatRequestParameters.builder()
                            .recurrence(6)
                            .exit("kl")
                            .seed(5)
                            .temperature(0.7)
                            .topP(0.9)
                            .topK(40)
                            .maxOutputTokens(9)
                            .stopSequences("zz")
                            .build())
                    .build());
    assertEquals(expected.text().orElseThrow(), response.aiMessage().text());
    MuninnChatResponseMetadata metadata =
        assertInstanceOf(MuninnChatResponseMetadata.class, response.metadata());
    assertEquals(expected.recurrences(), metadata.recurrences());
    assertTrue(metadata.meanRecurrences() >= 1 && metadata.meanRecurrences() <= 6);
    assertEquals(expected.promptTokens().size(), metadata.tokenUsage().inputTokenCount());
    assertEquals(expected.tokens().size(), metadata.tokenUsage().outputTokenCount());
  }

  @Test
  void defaultsHoldWhereARequestSaysNothing() {
    MuninnChatModel chat =
        new MuninnChatModel(
            model, MuninnChatRequestParameters.builder().recurrence(3).maxOutputTokens(2).build());
    ChatResponse response = chat.chat(UserMessage.from("1+1="));
    MuninnChatResponseMetadata metadata = (MuninnChatResponseMetadata) response.metadata();
    assertEquals(3, metadata.recurrences().getFirst());
    assertTrue(metadata.tokenUsage().outputTokenCount() <= 2);
    ChatRequest request =
        ChatRequest.builder()
            .messages(UserMessage.from("1+1="))
            .parameters(ChatRequestParameters.builder().maxOutputTokens(1).build())
            .build();
    metadata = (MuninnChatResponseMetadata) chat.chat(request).metadata();
    assertEquals(3, metadata.recurrences().getFirst());
    assertEquals(1, metadata.tokenUsage().outputTokenCount());
    assertEquals(FinishReason.LENGTH, metadata.finishReason());
  }

  interface Assistant {
    String answer(String question);
  }

  interface StreamingAssistant {
    TokenStream answer(String question);
  }

  @Test
  void servesAnAssistantWithMemory() {
    Assistant assistant =
        AiServices.builder(Assistant.class)
            .chatModel(
                new MuninnChatModel(
                    model, MuninnChatRequestParameters.builder().maxOutputTokens(4).build()))
            .chatMemory(MessageWindowChatMemory.withMaxMessages(10))
            .build();
    String first = assistant.answer("1+1=");
    assertEquals(
        expected(List.of(ChatMessage.user("1+1=")), request -> request.maxTokens(4))
            .text()
            .orElseThrow(),
        first);
    String second = assistant.answer("2+2=");
    assertEquals(
        expected(
                List.of(
                    ChatMessage.user("1+1="),
                    ChatMessage.assistant(first),
                    ChatMessage.user("2+2=")),
                request -> request.maxTokens(4))
            .text()
            .orElseThrow(),
        second);
  }

  @Test
  void streamsToAnAssistant() throws ExecutionException, InterruptedException, TimeoutException {
    StreamingAssistant assistant =
        AiServices.builder(StreamingAssistant.class)
            .streamingChatModel(
                new MuninnStreamingChatModel(
                    model, MuninnChatRequestParameters.builder().maxOutputTokens(12).build()))
            .build();
    StringBuilder text = new StringBuilder();
    CompletableFuture<ChatResponse> done = new CompletableFuture<>();
    assistant
        .answer("1+1=")
        .onPartialResponse(text::append)
        .onCompleteResponse(done::complete)
        .onError(done::completeExceptionally)
        .start();
    ChatResponse response = done.get(60, TimeUnit.SECONDS);
    assertTrue(text.length() > 1, "nothing was said");
    assertEquals(response.aiMessage().text(), text.toString());
    assertEquals(
        expected(List.of(ChatMessage.user("1+1=")), request -> request.maxTokens(12))
            .text()
            .orElseThrow(),
        text.toString());
  }

  @Test
  void aCancelledStreamEndsInSilence() throws InterruptedException {
    Recorder recorder = new Recorder(true);
    new MuninnStreamingChatModel(
            model, MuninnChatRequestParameters.builder().maxOutputTokens(200).build())
        .chat("1+1=", recorder);
    recorder.first.orTimeout(60, TimeUnit.SECONDS).join();
    Thread.sleep(300);
    assertEquals(1, recorder.parts);
    assertTrue(!recorder.end.isDone(), "a call came behind the cancellation");
  }

  @Test
  void whatDoesNotFitIsReported() {
    Recorder recorder = new Recorder(false);
    new MuninnStreamingChatModel(model).chat("1".repeat(5_000), recorder);
    CompletableFuture<Void> end = recorder.end;
    Throwable problem =
        assertThrows(ExecutionException.class, () -> end.get(60, TimeUnit.SECONDS)).getCause();
    assertInstanceOf(InvalidRequestException.class, problem);
    assertThrows(
        InvalidRequestException.class,
        () -> new MuninnChatModel(model).chat(UserMessage.from("1".repeat(5_000))));
    assertThrows(
        InvalidRequestException.class,
        () -> chat(ChatRequestParameters.builder().topP(3.0).build()));
  }

  @Test
  void whatIsNotThereIsNamed() {
    assertUnsupported("modelName", ChatRequestParameters.builder().modelName("gpt").build());
    assertUnsupported(
        "tools",
        ChatRequestParameters.builder()
            .toolSpecifications(ToolSpecification.builder().name("f").build())
            .build());
    assertUnsupported(
        "response formats",
        ChatRequestParameters.builder().responseFormat(ResponseFormat.JSON).build());
    String message =
        assertThrows(
                UnsupportedFeatureException.class,
                () ->
                    new MuninnChatModel(model)
                        .chat(UserMessage.from(ImageContent.from("http://127.0.0.1/x.png"))))
            .getMessage();
    assertEquals("a user message must be one text", message);
  }

  private static void assertUnsupported(String what, ChatRequestParameters parameters) {
    String message =
        assertThrows(UnsupportedFeatureException.class, () -> chat(parameters)).getMessage();
    assertTrue(message.startsWith(what), message);
  }

  private static ChatResponse chat(ChatRequestParameters parameters) {
    return new MuninnChatModel(model)
        .chat(
            ChatRequest.builder()
                .messages(UserMessage.from("1+1="))
                .parameters(parameters)
                .build());
  }

  @Test
  void parametersAreMergedAndCompared() {
    MuninnChatRequestParameters one =
        MuninnChatRequestParameters.builder().recurrence(4).exit("kl").seed(1).topK(3).build();
    MuninnChatRequestParameters other =
        MuninnChatRequestParameters.builder().recurrence(9).temperature(1.0).build();
    MuninnChatRequestParameters both = one.overrideWith(other);
    assertEquals(9, both.recurrence());
    assertEquals(1, both.seed());
    assertEquals(3, both.topK());
    assertEquals(ExitOptions.of(ExitCriteria.parse("kl")), both.exit());
    assertEquals(4, other.overrideWith(one).recurrence());
    assertEquals(both, other.defaultedBy(one));
    assertEquals(both.hashCode(), other.defaultedBy(one).hashCode());
    assertThrows(
        IllegalArgumentException.class, () -> MuninnChatRequestParameters.builder().recurrence(0));
    assertThrows(
        IllegalArgumentException.class, () -> MuninnChatRequestParameters.builder().exit("soon"));
  }

  private static final class Recorder implements StreamingChatResponseHandler {
    final CompletableFuture<Void> first = new CompletableFuture<>();
    final CompletableFuture<Void> end = new CompletableFuture<>();
    final boolean cancels;
    volatile int parts;

    Recorder(boolean cancels) {
      this.cancels = cancels;
    }

    @Override
    public void onPartialResponse(PartialResponse part, PartialResponseContext context) {
      if (cancels) {
        context.streamingHandle().cancel();
      }
      parts = parts + 1;
      first.complete(null);
    }

    @Override
    public void onCompleteResponse(ChatResponse response) {
      end.complete(null);
    }

    @Override
    public void onError(Throwable error) {
      end.completeExceptionally(error);
    }
  }
}
