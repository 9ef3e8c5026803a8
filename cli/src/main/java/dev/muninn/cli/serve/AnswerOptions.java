package dev.muninn.cli.serve;

import dev.muninn.cli.help.HelpHeading;
import dev.muninn.cli.options.CacheOptions;
import dev.muninn.cli.options.DepthOptions;
import dev.muninn.cli.options.EarlyExitOptions;
import dev.muninn.cli.options.NumberConverters;
import dev.muninn.cli.options.SamplerOptions;
import dev.muninn.cli.options.UsageException;
import dev.muninn.decode.DecodingOptions;
import dev.muninn.decode.InitialState;
import dev.muninn.decode.SamplingOptions;
import dev.muninn.decode.Strategy;
import dev.muninn.model.RecurrentModel;
import dev.muninn.serve.GenerationRequest;
import dev.muninn.serve.ServiceOptions;
import java.util.LinkedHashMap;
import java.util.Map;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** What a request gets that does not say. */
@HelpHeading("Answers")
final class AnswerOptions {
  private static final int LEAST_CEILING = 256;

  @Mixin private final DepthOptions depthOptions = new DepthOptions();

  @Mixin private final EarlyExitOptions exitOptions = new EarlyExitOptions();

  @Mixin private final CacheOptions cacheOptions = new CacheOptions();

  @Mixin private final SamplerOptions samplerOptions = new SamplerOptions();

  @Option(
      names = {"-n", "--max-tokens"},
      paramLabel = "N",
      converter = NumberConverters.Positive.class,
      description = "Most tokens of an answer, unless it says (default: 512).")
  private int maxTokens = 512;

  @Option(
      names = "--warm-start",
      description = "Start a token from the state the last one ended in.")
  private boolean warmStart;

  @Option(
      names = "--max-recurrence",
      paramLabel = "N",
      converter = NumberConverters.Positive.class,
      description = "Most that a request may ask for (default: 256, or 4 times -r if more).")
  private Integer mostRecurrence;

  @Option(
      names = "--reasoning-effort",
      paramLabel = "NAME=N,...",
      converter = EffortsConverter.class,
      description =
          "Recurrences by OpenAI's names (default: minimal, low, medium and high are a quarter of"
              + " -r, half, all and twice it).")
  private Efforts efforts;

  /** Recurrences by name. */
  record Efforts(Map<String, Integer> recurrences) {}

  /** What the options say, before there is a model: usage errors need not wait for one. */
  final class Checked {
    private final InitialState initialState = depthOptions.initialState();
    private final SamplingOptions sampling = samplerOptions.samplingOptions(depthOptions.seed());
    private final DecodingOptions decoding = decoding();

    /** What the options say of a model that is served so. */
    Defaults of(RecurrentModel model, ServiceOptions service) {
      int asked = depthOptions.recurrence();
      int recurrence = asked == GenerationRequest.MODEL_DEFAULT ? model.defaultRecurrence() : asked;
      Map<String, Integer> table =
          efforts == null ? usualEfforts(model, recurrence) : efforts.recurrences;
      int deepest = table.values().stream().mapToInt(Integer::intValue).max().orElse(0);
      int most =
          mostRecurrence == null
              ? Math.max(LEAST_CEILING, Math.max(deepest, Math.multiplyExact(4, recurrence)))
              : mostRecurrence;
      if (most < recurrence || most < deepest) {
        throw new UsageException(
            "--max-recurrence "
                + most
                + " is less than the "
                + Math.max(recurrence, deepest)
                + " that requests get");
      }
      return new Defaults(
          recurrence,
          most,
          table,
          initialState,
          sampling,
          decoding,
          maxTokens,
          (long) service.parallel() + service.maxQueue());
    }
  }

  Checked check() {
    return new Checked();
  }

  private DecodingOptions decoding() {
    try {
      return new DecodingOptions(
          cacheOptions.policy(),
          cacheOptions.type(),
          exitOptions.exitOptions(),
          warmStart,
          Strategy.sequential());
    } catch (IllegalArgumentException e) {
      throw new UsageException(e.getMessage());
    }
  }

  private static Map<String, Integer> usualEfforts(RecurrentModel model, int recurrence) {
    // Some models are known to answer worse beyond what they were trained for.
    boolean fades = model.depth().fadesBeyond();
    return Map.of(
        "minimal",
        Math.max(1, recurrence / 4),
        "low",
        Math.max(1, recurrence / 2),
        "medium",
        recurrence,
        "high",
        fades ? recurrence : Math.multiplyExact(2, recurrence));
  }

  /** Reads recurrences by name. */
  static final class EffortsConverter implements ITypeConverter<Efforts> {
    @Override
    public Efforts convert(String value) {
      Map<String, Integer> table = new LinkedHashMap<>();
      for (String entry : value.split(",", -1)) {
        if (!entry.matches("[a-z]+=[1-9][0-9]{0,5}")) {
          throw NumberConverters.expected("such as low=4,medium=8,high=16", value);
        }
        int equals = entry.indexOf('=');
        table.put(entry.substring(0, equals), Integer.valueOf(entry.substring(equals + 1)));
      }
      return new Efforts(Map.copyOf(table));
    }
  }
}
