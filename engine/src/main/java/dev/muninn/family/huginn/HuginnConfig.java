package dev.muninn.family.huginn;

import dev.muninn.family.ConfigReader;
import dev.muninn.family.PreparedTensors;
import dev.muninn.family.RotaryConfig;
import dev.muninn.weights.CheckpointException;
import java.nio.file.Path;

/**
 * The shape of a recurrent-depth model (arXiv 2502.05171, section 3), as its config.json tells it.
 *
 * @param embeddingSize width h of the latent state ({@code n_embd})
 * @param heads attention heads ({@code n_heads} or {@code num_attention_heads})
 * @param intermediateSize width of the gated MLP ({@code intermediate_size})
 * @param preludeLayers sandwich blocks of the prelude, l_P
 * @param recurrentLayers sandwich blocks of the recurrent block, l_R
 * @param codaLayers sandwich blocks of the coda, l_C
 * @param meanRecurrence mean number of recurrences in training, the default when running
 * @param vocabularySize rows of the embedding, padding included ({@code padded_vocab_size} or
 *     {@code vocab_size})
 * @param contextLength positions the model was made for ({@code block_size})
 * @param ropeBase base of the rotary position embedding
 * @param normEpsilon epsilon of RMSNorm
 * @param qkBias whether queries and keys have a bias
 * @param tiedEmbeddings whether the head is the embedding matrix
 */
public record HuginnConfig(
    int embeddingSize,
    int heads,
    int intermediateSize,
    int preludeLayers,
    int recurrentLayers,
    int codaLayers,
    int meanRecurrence,
    int vocabularySize,
    int contextLength,
    double ropeBase,
    double normEpsilon,
    boolean qkBias,
    boolean tiedEmbeddings) {

  /** {@code model_type} of the family. */
  public static final String MODEL_TYPE = "huginn_raven";

  private static final int MAXIMUM = 1 << 24;

  /**
   * @throws IllegalArgumentException if a size is out of range or two contradict each other
   */
  public HuginnConfig {
    require(embeddingSize, 1, "n_embd");
    require(heads, 1, "n_heads");
    require(intermediateSize, 1, "intermediate_size");
    require(preludeLayers, 1, "n_layers_in_prelude");
    require(recurrentLayers, 1, "n_layers_in_recurrent_block");
    require(codaLayers, 1, "n_layers_in_coda");
    require(meanRecurrence, 1, "mean_recurrence");
    require(vocabularySize, 1, "vocab_size");
    require(contextLength, 1, "block_size");
    if (embeddingSize % heads != 0) {
      throw new IllegalArgumentException(
          "n_embd " + embeddingSize + " is not a multiple of n_heads " + heads);
    }
    if (embeddingSize / heads % 2 != 0) {
      throw new IllegalArgumentException(
          "the head size n_embd / n_heads must be even for RoPE, not " + embeddingSize / heads);
    }
    if (!(ropeBase > 0) || Double.isInfinite(ropeBase)) {
      throw new IllegalArgumentException("rope_base must be positive, not " + ropeBase);
    }
    if (!(normEpsilon >= 0) || Double.isInfinite(normEpsilon)) {
      throw new IllegalArgumentException("norm_eps must not be negative, not " + normEpsilon);
    }
  }

  private static void require(int value, int least, String name) {
    if (value < least || value > MAXIMUM) {
      throw new IllegalArgumentException(
          name + " must be from " + least + " to " + MAXIMUM + ", not " + value);
    }
  }

  /** Width of one attention head. */
  public int headSize() {
    return embeddingSize / heads;
  }

  /** Sandwich blocks that a token passes at r recurrences: l_P + r l_R + l_C. */
  public long effectiveDepth(int recurrence) {
    return preludeLayers + (long) recurrence * recurrentLayers + codaLayers;
  }

  /** Standard deviation sigma = sqrt(2 / (5 h)) of the initial state and of Takase's init. */
  public double standardDeviation() {
    return Math.sqrt(2.0 / (5.0 * embeddingSize));
  }

  /**
   * Reads {@code config.json} of a model directory. Keys it does not know are ignored.
   *
   * @throws CheckpointException in one line, if the file is missing or no JSON, is of another model
   *     type, or has keys that are missing, of the wrong type, out of range or contradictory
   */
  public static HuginnConfig load(Path directory) {
    ConfigReader config = ConfigReader.of(directory);
    if (!MODEL_TYPE.equals(config.value("model_type"))) {
      throw config.wrongModelType("\"" + MODEL_TYPE + "\"");
    }
    if (PreparedTensors.read(config).isPrepared()) {
      throw new CheckpointException(
          config.file()
              + ": the model is prepared; expected a checkpoint as it came, with weights"
              + " row by row");
    }
    HuginnConfig read = read(config);
    config.refuseUnread();
    config.requireNoProblems();
    return read;
  }

  /** Reads the keys; what is wrong is noted in the reader, and ends the reading. */
  static HuginnConfig read(ConfigReader config) {
    config.expect("norm_class_name", "RMSNorm_llama");
    config.expect("block_class_name", "SandwichBlock");
    HuginnKeys.expectCommon(config);
    final int embeddingSize = config.integer("n_embd");
    final int heads = config.integer("n_heads", "num_attention_heads");
    final int vocabularySize = HuginnKeys.vocabularySize(config);
    config.repeats("num_key_value_heads", "n_heads", heads);
    config.repeats("hidden_size", "n_embd", embeddingSize);
    config.repeats("head_dim", "n_embd / n_heads", heads > 0 ? embeddingSize / heads : 0);
    final int intermediateSize = config.integer("intermediate_size");
    final HuginnKeys.Layers layers = HuginnKeys.layers(config);
    final int meanRecurrence = config.integer("mean_recurrence");
    final int contextLength = config.integer("block_size");
    final double ropeBase = ropeBase(config);
    final double normEpsilon = config.number("norm_eps", 1e-6);
    if (config.number("rms_norm_eps", normEpsilon) != normEpsilon) {
      config.problem("rms_norm_eps is not norm_eps, " + normEpsilon);
    }
    if (!config.flag("rope_interleaved", true)) {
      config.problem("rope_interleaved false is not supported");
    }
    final boolean qkBias = config.flag("qk_bias", true);
    final boolean tied = config.tied(true);
    config.requireNoProblems();
    try {
      return new HuginnConfig(
          embeddingSize,
          heads,
          intermediateSize,
          layers.prelude(),
          layers.recurrent(),
          layers.coda(),
          meanRecurrence,
          vocabularySize,
          contextLength,
          ropeBase,
          normEpsilon,
          qkBias,
          tied);
    } catch (IllegalArgumentException e) {
      throw new CheckpointException(config.file() + ": " + e.getMessage(), e);
    }
  }

  /** The public files say rope_base; others of the same shape say what most models say. */
  private static double ropeBase(ConfigReader config) {
    ConfigReader parameters = config.object("rope_parameters");
    double theta = config.number("rope_theta", parameters.number("rope_theta", 50_000));
    double base = config.number("rope_base", theta);
    boolean named = config.has("rope_theta") || parameters.has("rope_theta");
    if (named && (base != theta || parameters.number("rope_theta", theta) != theta)) {
      config.problem("rope_base, rope_theta and rope_parameters contradict each other");
    }
    ConfigReader scaling = config.object("rope_scaling");
    for (ConfigReader kind : new ConfigReader[] {scaling, parameters}) {
      kind.expect("rope_type", "default");
      kind.expect("type", "default");
      if (kind.has("factor")) {
        config.problem("rope_scaling with a factor is not supported");
      }
    }
    RotaryConfig.refusePartial(config, parameters);
    return base;
  }
}
