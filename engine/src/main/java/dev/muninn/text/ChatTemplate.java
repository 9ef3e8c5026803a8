package dev.muninn.text;

import java.util.List;
import java.util.Optional;

/**
 * How a conversation becomes the tokens that a model was trained to read. A family has one of its
 * own ({@link ChatFormat}), or the model's directory has one ({@link ChatTemplates}).
 *
 * <p>What a message spells is text: a special token's name in it is only its characters, so nobody
 * can end a turn or speak as another by what they write.
 */
public interface ChatTemplate {

  /**
   * The tokens of a conversation, opened for the model's answer.
   *
   * @param tokenizer the model's
   * @param messages at least one message, oldest first
   * @param thinking whether the model is to think before it answers; empty for its own choice
   * @throws dev.muninn.weights.CheckpointException in one line, if the template is broken or the
   *     tokenizer lacks what it needs
   * @throws IllegalArgumentException in one line, if the template does not take these messages, or
   *     does not ask whether to think and is told
   */
  int[] encode(Tokenizer tokenizer, List<ChatMessage> messages, Optional<Boolean> thinking);
}
