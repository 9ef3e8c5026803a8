package dev.muninn.serve;

import dev.muninn.decode.Cancellation;
import dev.muninn.model.RecurrentModel;
import dev.muninn.text.Tokenizer;
import dev.muninn.weights.Checkpoint;
import java.util.List;
import java.util.Optional;
import java.util.function.ObjIntConsumer;

/** Answers requests to one model. What is built on requests, such as evaluation, needs no more. */
public interface ModelService {

  /** The model's shape. */
  RecurrentModel architecture();

  /** Empty if the model has no tokenizer: prompts are then tokens. */
  Optional<Tokenizer> tokenizer();

  /** The model's files. */
  Checkpoint checkpoint();

  /** Generates one text; the listener hears it as it is made. */
  GenerationResult generate(
      GenerationRequest request, GenerationListener listener, Cancellation cancellation);

  /** Generates many texts, up to {@code batchSize} at a time; the listener gets each result. */
  List<Optional<GenerationResult>> generateAll(
      List<GenerationRequest> requests,
      int batchSize,
      ObjIntConsumer<GenerationResult> listener,
      Cancellation cancellation);

  /** Scores continuations, up to {@code batchSize} contexts at a time. */
  List<Optional<ContinuationScores>> scoreAll(
      List<ScoreRequest> requests,
      int batchSize,
      ObjIntConsumer<ContinuationScores> listener,
      Cancellation cancellation);
}
