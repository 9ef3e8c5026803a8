package dev.muninn.cli.train;

import dev.muninn.cli.help.HelpHeading;
import dev.muninn.cli.options.NumberConverters;
import dev.muninn.cli.options.UsageException;
import dev.muninn.family.huginn.HuginnConfig;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;

/** Which model is trained. */
@HelpHeading("Model")
final class ModelShapeOptions {
  @Option(
      names = "--preset",
      paramLabel = "NAME",
      description = "Shape, tokenizer and recipe: ${DEFAULT-VALUE}, the only one.",
      defaultValue = Preset.RAVEN_TINY)
  private String preset;

  @Option(
      names = "--init",
      paramLabel = "DIR",
      description = "Start from the weights of a model, with its shape and tokenizer.")
  private Path init;

  @Option(
      names = "--embedding-size",
      paramLabel = "N",
      converter = NumberConverters.Positive.class,
      description = "Width of the latent state (default: 128).")
  private Integer embeddingSize;

  @Option(
      names = "--heads",
      paramLabel = "N",
      converter = NumberConverters.Positive.class,
      description = "Attention heads (default: 4).")
  private Integer heads;

  @Option(
      names = "--intermediate-size",
      paramLabel = "N",
      converter = NumberConverters.Positive.class,
      description = "Width of the MLP (default: 352).")
  private Integer intermediateSize;

  @Option(
      names = "--layers",
      paramLabel = "P,R,C",
      converter = Layers.class,
      description = "Blocks of prelude, recurrent block and coda (default: 1,2,1).")
  private List<Integer> layers;

  @Option(
      names = "--context",
      paramLabel = "N",
      converter = NumberConverters.Positive.class,
      description = "Longest context of the model (default: 256).")
  private Integer context;

  @Option(
      names = "--no-sandwich",
      description =
          "Blocks without the norms on the residual stream (paper 7.3). Other commands"
              + " do not load such a model.")
  private boolean noSandwich;

  Path init() {
    return init;
  }

  boolean sandwich() {
    return !noSandwich;
  }

  /**
   * The shape.
   *
   * @param meanRecurrence null for the model's own
   */
  HuginnConfig config(Integer meanRecurrence) {
    if (!preset.equals(Preset.RAVEN_TINY)) {
      throw new UsageException(
          "--preset: expected " + Preset.RAVEN_TINY + ", not '" + preset + "'");
    }
    HuginnConfig base = Preset.ravenTiny();
    if (init != null) {
      if (embeddingSize != null
          || heads != null
          || intermediateSize != null
          || layers != null
          || context != null) {
        throw new UsageException(
            "--init brings its own shape: leave out the options that set another");
      }
      base = HuginnConfig.load(init);
    }
    List<Integer> blocks =
        layers == null
            ? List.of(base.preludeLayers(), base.recurrentLayers(), base.codaLayers())
            : layers;
    return new HuginnConfig(
        or(embeddingSize, base.embeddingSize()),
        or(heads, base.heads()),
        or(intermediateSize, base.intermediateSize()),
        blocks.get(0),
        blocks.get(1),
        blocks.get(2),
        or(meanRecurrence, base.meanRecurrence()),
        base.vocabularySize(),
        or(context, base.contextLength()),
        base.ropeBase(),
        base.normEpsilon(),
        base.qkBias(),
        base.tiedEmbeddings());
  }

  private static int or(Integer given, int otherwise) {
    return given == null ? otherwise : given;
  }

  /** Three counts with commas between. */
  static final class Layers implements ITypeConverter<List<Integer>> {
    @Override
    public List<Integer> convert(String value) {
      if (!value.matches("[1-9]\\d{0,3},[1-9]\\d{0,3},[1-9]\\d{0,3}")) {
        throw NumberConverters.expected("three counts such as 1,2,1", value);
      }
      return Arrays.stream(value.split(",")).map(Integer::valueOf).toList();
    }
  }
}
