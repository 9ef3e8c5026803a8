package dev.muninn.spark;

import dev.muninn.LanguageModel;
import dev.muninn.decode.Cancellation;
import dev.muninn.serve.GenerationRequest;
import dev.muninn.serve.GenerationResult;
import dev.muninn.serve.Outcome;
import dev.muninn.text.Prompt;
import java.util.List;
import java.util.Locale;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

/** Continues the prompts of rows. */
final class GenerateJob extends RowJob<GenerationRequest, GenerationResult> {
  private static final long serialVersionUID = 1L;
  private static final DataType INTEGERS = DataTypes.createArrayType(DataTypes.IntegerType, false);
  private static final List<StructField> ADDED =
      List.of(
          DataTypes.createStructField("text", DataTypes.StringType, true),
          DataTypes.createStructField("tokens", INTEGERS, true),
          DataTypes.createStructField("recurrences", INTEGERS, true),
          DataTypes.createStructField("mean_recurrences", DataTypes.DoubleType, true),
          DataTypes.createStructField("finish_reason", DataTypes.StringType, true));

  private final GenerateOptions options;

  GenerateJob(GenerateOptions options, StructType input, JobMetrics metrics) {
    super(options.parsed(), input, ADDED, metrics);
    this.options = options;
  }

  @Override
  GenerationRequest request(LanguageModel model, PromptColumns.Asked asked) {
    Prompt tokens = new Prompt.Tokens(model.tokens(asked.prompt()));
    GenerationRequest request = options.parsed().request(tokens, asked.id());
    model.requireFit(request);
    return request;
  }

  @Override
  List<Outcome<GenerationResult>> answer(
      LanguageModel model,
      List<GenerationRequest> requests,
      int batchSize,
      Cancellation cancellation) {
    return model.generateAll(requests, batchSize, (result, index) -> {}, cancellation);
  }

  @Override
  Object[] values(GenerationRequest request, GenerationResult result, JobMetrics metrics) {
    metrics.spent(result.tokens().size(), result.recurrences());
    return new Object[] {
      result.text().orElse(null),
      result.tokens().toArray(),
      result.recurrences().toArray(),
      result.recurrences().stream().mapToInt(each -> each).average().orElse(Double.NaN),
      result.finishReason().name().toLowerCase(Locale.ROOT)
    };
  }
}
