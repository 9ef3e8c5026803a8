package dev.muninn.langchain4j;

import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.model.chat.StreamingChatModel;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.response.PartialResponse;
import dev.langchain4j.model.chat.response.PartialResponseContext;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.chat.response.StreamingHandle;
import dev.muninn.LanguageModel;
import dev.muninn.decode.Cancellation;
import dev.muninn.serve.FinishReason;
import dev.muninn.serve.GenerationRequest;
import dev.muninn.serve.GenerationResult;
import java.util.Objects;

/**
 * A streaming chat model of LangChain4j that answers in this process. The handler hears the text as
 * it comes, on a thread of the request's own. A stream that was cancelled ends without another
 * call. Threads may share the model; it stays the caller's to close.
 */
public final class MuninnStreamingChatModel implements StreamingChatModel {
  private final LanguageModel model;
  private final MuninnChatRequestParameters defaults;

  /** Answers by a model with its own defaults. */
  public MuninnStreamingChatModel(LanguageModel model) {
    this(model, MuninnChatRequestParameters.EMPTY);
  }

  /**
   * Answers by a model.
   *
   * @param defaults what requests do not say themselves
   */
  public MuninnStreamingChatModel(LanguageModel model, MuninnChatRequestParameters defaults) {
    this.model = Objects.requireNonNull(model, "model");
    this.defaults = Objects.requireNonNull(defaults, "defaults");
  }

  @Override
  public ChatRequestParameters defaultRequestParameters() {
    return defaults;
  }

  /**
   * Begins an answer and returns.
   *
   * @throws dev.langchain4j.exception.UnsupportedFeatureException if the request needs tools, an
   *     output format or content other than text
   * @throws InvalidRequestException if a value of the request is out of its range
   */
  @Override
  public void doChat(ChatRequest request, StreamingChatResponseHandler handler) {
    GenerationRequest generation = Translation.request(request);
    Thread.ofVirtual().name("muninn-stream").start(() -> stream(generation, handler));
  }

  private void stream(GenerationRequest request, StreamingChatResponseHandler handler) {
    Handle handle = new Handle(new Cancellation());
    PartialResponseContext context = new PartialResponseContext(handle);
    GenerationResult result;
    try {
      result =
          model.generate(
              request,
              text -> handler.onPartialResponse(new PartialResponse(text), context),
              handle.cancellation());
    } catch (IllegalArgumentException e) {
      handler.onError(new InvalidRequestException(e.getMessage(), e));
      return;
    } catch (RuntimeException | Error e) {
      handler.onError(e);
      return;
    }
    if (result.finishReason() != FinishReason.CANCELLED) {
      complete(result, handler);
    }
  }

  private static void complete(GenerationResult result, StreamingChatResponseHandler handler) {
    try {
      handler.onCompleteResponse(Translation.response(result));
    } catch (RuntimeException e) {
      handler.onError(e);
    }
  }

  private record Handle(Cancellation cancellation) implements StreamingHandle {
    @Override
    public void cancel() {
      cancellation.cancel();
    }

    @Override
    public boolean isCancelled() {
      return cancellation.isCancelled();
    }
  }
}
