package dev.muninn.family.huginn;

import dev.muninn.family.ConfigReader;
import dev.muninn.family.LlamaLayers;
import dev.muninn.family.TensorSource;
import dev.muninn.model.Block;
import dev.muninn.model.StartState;
import dev.muninn.model.WeightMatrix;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.regex.Pattern;

/**
 * The keys and names that Huginn shares with models that were retrofitted with its recurrence: they
 * carry its {@code model_type} too.
 */
public final class HuginnKeys {
  /** The {@code model_type} of all of them. */
  public static final String MODEL_TYPE = "huginn_raven";

  /** Name of the embedding's matrix. */
  public static final String EMBEDDING = "transformer.wte.weight";

  /** Name of the head's matrix, where it is not the embedding. */
  public static final String HEAD = "lm_head.weight";

  /** Name of the matrix that mixes [s ; e]. */
  public static final String ADAPTER = "transformer.adapter.weight";

  /** Name of the one norm outside of blocks. */
  public static final String FINAL_NORM = "transformer.ln_f.weight";

  private HuginnKeys() {}

  /**
   * Blocks of the three parts.
   *
   * @param prelude l_P
   * @param recurrent l_R
   * @param coda l_C
   */
  public record Layers(int prelude, int recurrent, int coda) {}

  /** What all of them must have, and options that would be computed wrongly. */
  public static void expectCommon(ConfigReader config) {
    config.expect("mlp_class_name", "GatedMLP");
    config.expect("nonlin_name", "SiLU");
    config.expect("injection_type", "linear");
    config.expect("bias", false);
    config.expect("state_init", "like-init");
    config.expect("initial_state_mode", "random");
    config.refuse("noise", "test_time_noise");
    LlamaLayers.refuseVariants(config);
  }

  /** The layers of the three parts, whose sum may be told too. */
  public static Layers layers(ConfigReader config) {
    int prelude = config.integer("n_layers_in_prelude");
    int recurrent = config.integer("n_layers_in_recurrent_block");
    int coda = config.integer("n_layers_in_coda");
    boolean allParts = prelude > 0 && recurrent > 0 && coda > 0;
    int sum = allParts ? prelude + recurrent + coda : 0;
    config.repeats("n_layers", "the sum of its parts", sum);
    config.repeats("num_hidden_layers", "the sum of its parts", sum);
    return new Layers(prelude, recurrent, coda);
  }

  /** The weights have {@code padded_vocab_size} rows if the key is there, else vocab_size. */
  public static int vocabularySize(ConfigReader config) {
    if (!config.has("padded_vocab_size")) {
      return config.integer("vocab_size");
    }
    int padded = config.integer("padded_vocab_size");
    int unpadded = config.integerOr(0, "vocab_size");
    if (padded > 0 && unpadded > padded) {
      config.problem("vocab_size " + unpadded + " exceeds padded_vocab_size " + padded);
    }
    return padded;
  }

  /** What embeddings are multiplied by, and start states too. */
  public static double embeddingScale(ConfigReader config, double fallback) {
    return config.object("init_values").positive("embed_scale", fallback);
  }

  /** Noise of the deviation that the model was trained with. */
  public static StartState start(ConfigReader config, int width, double embeddingScale) {
    double deviation = config.object("init_values").positive("std", Math.sqrt(2.0 / (5.0 * width)));
    return new StartState.Random(deviation * embeddingScale);
  }

  /** The blocks of a part, each bound from the prefix of its names. */
  public static List<Block> blocks(String part, int count, Function<String, Block> block) {
    List<Block> blocks = new ArrayList<>();
    for (int index = 0; index < count; index++) {
      blocks.add(block.apply("transformer." + part + "." + index + "."));
    }
    return blocks;
  }

  /** Notes blocks that the configuration does not have. */
  public static void refuseSurplus(TensorSource tensors, Layers layers) {
    Map<String, Integer> counts =
        Map.of(
            "prelude", layers.prelude(), "core_block", layers.recurrent(), "coda", layers.coda());
    for (var part : counts.entrySet()) {
      tensors.refuseLayersFrom(
          Pattern.compile("transformer\\." + part.getKey() + "\\.(\\d{1,9})\\..*"),
          part.getValue());
    }
  }

  /** The head's matrix. */
  public static WeightMatrix head(TensorSource tensors, WeightMatrix embedding, boolean tied) {
    return tied ? embedding : tensors.matrix(HEAD, embedding.rows(), embedding.columns());
  }
}
