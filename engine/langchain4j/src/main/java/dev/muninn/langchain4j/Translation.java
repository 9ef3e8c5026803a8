package dev.muninn.langchain4j;

import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.data.message.SystemMessage;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.request.ResponseFormatType;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.output.FinishReason;
import dev.langchain4j.model.output.TokenUsage;
import dev.muninn.decode.DecodingOptions;
import dev.muninn.decode.InitialState;
import dev.muninn.decode.SamplingOptions;
import dev.muninn.serve.GenerationRequest;
import dev.muninn.serve.GenerationResult;
import dev.muninn.text.ChatMessage;
import dev.muninn.text.Prompt;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Between LangChain4j's requests and answers and Muninn's. What cannot be honoured is refused. */
final class Translation {
  private Translation() {}

  /**
   * A request as the engine takes it.
   *
   * @throws UnsupportedFeatureException if it asks for something that is not there
   * @throws InvalidRequestException if a value is out of its range
   */
  static GenerationRequest request(ChatRequest request) {
    ChatRequestParameters parameters = request.parameters();
    refuse(parameters);
    try {
      GenerationRequest.Builder builder = GenerationRequest.builder(prompt(request));
      long seed = 0;
      if (parameters instanceof MuninnChatRequestParameters own) {
        seed = own.seed() == null ? 0 : own.seed();
        if (own.recurrence() != null) {
          builder.recurrence(own.recurrence());
        }
        if (own.exit() != null) {
          builder.decoding(DecodingOptions.defaults().withExit(own.exit()));
        }
      }
      if (parameters.maxOutputTokens() != null) {
        builder.maxTokens(parameters.maxOutputTokens());
      }
      if (parameters.stopSequences() != null) {
        builder.stop(parameters.stopSequences().toArray(String[]::new));
      }
      return builder
          .initialState(InitialState.random(seed))
          .sampling(sampling(parameters, seed))
          .build();
    } catch (IllegalArgumentException e) {
      throw new InvalidRequestException(e.getMessage(), e);
    }
  }

  private static SamplingOptions sampling(ChatRequestParameters parameters, long seed) {
    SamplingOptions sampling = SamplingOptions.greedy().withSeed(seed);
    if (parameters.temperature() != null) {
      sampling = sampling.withTemperature(parameters.temperature().floatValue());
    }
    if (parameters.topP() != null) {
      sampling = sampling.withTopP(parameters.topP().floatValue());
    }
    if (parameters.topK() != null) {
      sampling = sampling.withTopK(parameters.topK());
    }
    return sampling.withPenalties(
        orZero(parameters.frequencyPenalty()), orZero(parameters.presencePenalty()));
  }

  private static float orZero(Double value) {
    return value == null ? 0 : value.floatValue();
  }

  private static void refuse(ChatRequestParameters parameters) {
    if (parameters.modelName() != null) {
      throw new UnsupportedFeatureException(
          "modelName: the model in this process is the one that was loaded");
    }
    if (parameters.toolSpecifications() != null && !parameters.toolSpecifications().isEmpty()
        || parameters.toolChoice() != null) {
      throw new UnsupportedFeatureException("tools are not supported");
    }
    if (parameters.responseFormat() != null
        && parameters.responseFormat().type() != ResponseFormatType.TEXT) {
      throw new UnsupportedFeatureException("response formats other than text are not supported");
    }
  }

  private static Prompt prompt(ChatRequest request) {
    List<ChatMessage> messages = new ArrayList<>();
    for (dev.langchain4j.data.message.ChatMessage message : request.messages()) {
      messages.add(message(message));
    }
    return new Prompt.Chat(messages, Optional.empty());
  }

  private static ChatMessage message(dev.langchain4j.data.message.ChatMessage message) {
    if (message instanceof SystemMessage system) {
      return ChatMessage.system(system.text());
    }
    if (message instanceof UserMessage user) {
      if (!user.hasSingleText()) {
        throw new UnsupportedFeatureException("a user message must be one text");
      }
      return ChatMessage.user(user.singleText());
    }
    if (message instanceof AiMessage answer && !answer.hasToolExecutionRequests()) {
      return ChatMessage.assistant(answer.text() == null ? "" : answer.text());
    }
    throw new UnsupportedFeatureException(
        "messages of the type " + message.type() + " with tools are not supported");
  }

  /** An answer as LangChain4j hands it on. */
  static ChatResponse response(GenerationResult result) {
    int prompt = result.promptTokens().size();
    return ChatResponse.builder()
        .aiMessage(AiMessage.from(result.text().orElse("")))
        .metadata(
            MuninnChatResponseMetadata.builder()
                .tokenUsage(new TokenUsage(prompt, result.tokens().size()))
                .finishReason(
                    switch (result.finishReason()) {
                      case STOP -> FinishReason.STOP;
                      case LENGTH -> FinishReason.LENGTH;
                      case CANCELLED -> FinishReason.OTHER;
                    })
                .recurrences(result.recurrences())
                .build())
        .build();
  }
}
