package dev.muninn.serve;

import dev.muninn.decode.Cancellation;
import dev.muninn.model.RecurrentModel;
import dev.muninn.text.Tokenizer;
import dev.muninn.weights.Checkpoint;
import java.util.List;
import java.util.Optional;
import java.util.function.ObjIntConsumer;

/**
 * Answers requests to one model. Everything built on requests, such as evaluation, needs only this.
 */
public interface ModelService {

  /** The model's shape. */
  RecurrentModel architecture();

  /** Empty if the model has no tokenizer: prompts are then tokens. */
  Optional<Tokenizer> tokenizer();

  /** The model's files. */
  Checkpoint checkpoint();

  /**
   * Generates until an end-of-sequence token, a stop string, the most tokens asked for, the end of
   * the context, or until it is cancelled.
   *
   * @throws IllegalArgumentException if the request does not fit the model: a prompt longer than
   *     the context, a token beyond the vocabulary, a text without a tokenizer, an exit gate that
   *     the model does not have
   * @throws IllegalStateException if the model is closed, or a listener of its own calls it
   * @throws dev.muninn.backend.InferenceException if the model computes logits that are NaN
   * @throws dev.muninn.weights.CheckpointException if the model's files changed after they were
   *     mapped
   */
  GenerationResult generate(
      GenerationRequest request, GenerationListener listener, Cancellation cancellation);

  /**
   * Generates for many prompts, several at a time: each application of the recurrent block carries
   * the rows of all of them. A prompt's result is the same as alone.
   *
   * @param requests of sequential decoding
   * @param batchSize most sequences in flight, at least 1
   * @param listener gets each result as it is made, by the request's index, in any order; where it
   *     throws, that request has failed
   * @return what became of each request: one that fails ends alone, and those that have not begun
   *     before a cancellation are empty
   * @throws UnfitRequestException if a request does not fit the model; none is then computed
   */
  List<Outcome<GenerationResult>> generateAll(
      List<GenerationRequest> requests,
      int batchSize,
      ObjIntConsumer<GenerationResult> listener,
      Cancellation cancellation);

  /**
   * Scores continuations of contexts, several contexts at a time: each application of the recurrent
   * block carries the rows of all of them. A context is computed once, and its continuations read
   * its keys and values. What a continuation scores is the same as alone, and without exits, cache
   * policies and warm starts the same as those of the whole text, to the last bit.
   *
   * @param requests of sequential decoding
   * @param batchSize most contexts in flight, at least 1
   * @param listener gets each result as it is made, by the request's index, in any order; where it
   *     throws, that request has failed
   * @return what became of each request: one that fails ends alone, and those that have not ended
   *     before a cancellation are empty
   * @throws UnfitRequestException if a request does not fit the model; none is then computed
   */
  List<Outcome<ContinuationScores>> scoreAll(
      List<ScoreRequest> requests,
      int batchSize,
      ObjIntConsumer<ContinuationScores> listener,
      Cancellation cancellation);
}
