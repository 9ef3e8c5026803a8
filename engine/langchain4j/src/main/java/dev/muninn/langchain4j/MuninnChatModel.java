package dev.muninn.langchain4j;

import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.muninn.LanguageModel;
import java.util.Objects;

/**
 * A chat model of LangChain4j that answers in this process. Threads may share it; the model stays
 * the caller's to close.
 */
public final class MuninnChatModel implements ChatModel {
  private final LanguageModel model;
  private final MuninnChatRequestParameters defaults;

  /** Answers by a model with its own defaults. */
  public MuninnChatModel(LanguageModel model) {
    this(model, MuninnChatRequestParameters.EMPTY);
  }

  /**
   * Answers by a model.
   *
   * @param defaults what requests do not say themselves
   */
  public MuninnChatModel(LanguageModel model, MuninnChatRequestParameters defaults) {
    this.model = Objects.requireNonNull(model, "model");
    this.defaults = Objects.requireNonNull(defaults, "defaults");
  }

  @Override
  public ChatRequestParameters defaultRequestParameters() {
    return defaults;
  }

  /**
   * Waits for an answer.
   *
   * @throws dev.langchain4j.exception.UnsupportedFeatureException if the request needs tools, an
   *     output format or content other than text
   * @throws InvalidRequestException if the request does not fit the model
   */
  @Override
  public ChatResponse doChat(ChatRequest request) {
    try {
      return Translation.response(model.generate(Translation.request(request)));
    } catch (IllegalArgumentException e) {
      throw new InvalidRequestException(e.getMessage(), e);
    }
  }
}
