package dev.muninn.family;

import dev.muninn.model.RecurrentModel;
import dev.muninn.text.ChatTemplate;
import dev.muninn.text.StopTokens;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * Models that share their configuration's keys and their tensors' names. Found by {@link
 * java.util.ServiceLoader}: a family is one folder and a line that names its class.
 */
public interface ModelFamily {

  /** What people call it. */
  String name();

  /** The {@code model_type} in config.json. */
  String modelType();

  /**
   * Whether a checkpoint of that type is of this family. Types are shared; then the tensors tell.
   *
   * @param hasTensor whether the checkpoint has a tensor of a name
   */
  default boolean recognises(Predicate<String> hasTensor) {
    return true;
  }

  /**
   * Binds a model's tensors as its configuration says, and notes options that would be computed
   * wrongly.
   *
   * @throws dev.muninn.weights.CheckpointException in one line, if the configuration cannot be run
   */
  RecurrentModel bind(ConfigReader config, TensorSource tensors);

  /** How a conversation is laid out where the model's directory has no chat template. */
  default Optional<ChatTemplate> chatTemplate() {
    return Optional.empty();
  }

  /** The tokens that end an answer, where those in the family's public files are wrong. */
  default StopTokens correctStopTokens(StopTokens shipped) {
    return shipped;
  }
}
