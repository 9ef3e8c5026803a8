package dev.muninn.spark;

import dev.muninn.LanguageModel;
import dev.muninn.decode.Cancellation;
import dev.muninn.serve.ContinuationScores;
import dev.muninn.serve.Outcome;
import dev.muninn.serve.Score;
import dev.muninn.serve.ScoreRequest;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

/** Gives the log-probability of each token of rows. */
final class ScoreJob extends RowJob<ScoreRequest, ContinuationScores> {
  private static final long serialVersionUID = 1L;
  private static final List<StructField> ADDED =
      List.of(
          DataTypes.createStructField(
              "tokens", DataTypes.createArrayType(DataTypes.IntegerType, false), true),
          DataTypes.createStructField(
              "logprobs", DataTypes.createArrayType(DataTypes.DoubleType, false), true),
          DataTypes.createStructField("log_likelihood", DataTypes.DoubleType, true),
          DataTypes.createStructField("perplexity", DataTypes.DoubleType, true));

  private final ScoreOptions options;

  ScoreJob(ScoreOptions options, StructType input, JobMetrics metrics) {
    super(options.parsed(), input, ADDED, metrics);
    this.options = options;
  }

  @Override
  ScoreRequest request(LanguageModel model, PromptColumns.Asked asked) throws BadRow {
    int[] tokens = model.tokens(asked.prompt());
    if (tokens.length < 2) {
      throw new BadRow("a text to score needs at least 2 tokens, not " + tokens.length);
    }
    ScoreRequest request = options.parsed().request(tokens);
    model.requireFit(request);
    return request;
  }

  @Override
  List<Outcome<ContinuationScores>> answer(
      LanguageModel model, List<ScoreRequest> requests, int batchSize, Cancellation cancellation) {
    return model.scoreAll(requests, batchSize, (scores, index) -> {}, cancellation);
  }

  @Override
  Object[] values(ScoreRequest request, ContinuationScores scores, JobMetrics metrics) {
    List<Integer> tokens = new ArrayList<>();
    tokens.add(request.context().tokens()[0]);
    for (int token : request.continuations().getFirst().tokens()) {
      tokens.add(token);
    }
    Score score = new Score(tokens, scores.logProbabilities().getFirst());
    metrics.spent(tokens.size() - 1, scores.recurrences());
    return new Object[] {
      tokens.toArray(),
      score.logProbabilities().toArray(),
      score.logLikelihood(),
      score.perplexity()
    };
  }
}
