package dev.muninn.measure;

import dev.muninn.family.ModelFamily;
import dev.muninn.family.huginn.HuginnConfig;
import dev.muninn.family.huginn.HuginnFamily;
import dev.muninn.family.nanbeige.NanbeigeFamily;
import dev.muninn.family.ouro.OuroFamily;
import dev.muninn.family.retrofit.RetrofitFamily;
import dev.muninn.model.RecurrentModel;
import dev.muninn.weights.DType;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * Models of random weights: what they compute is of no use, what they cost is that of real ones.
 */
public enum ModelShape {
  /** Fits into the caches. */
  TINY(huginn(128, 4, 352, 1, 2, 272, 256)),
  /** The paper's small model; does not fit. */
  SMALL(huginn(1024, 8, 3520, 1, 4, 65_536, 4096)),
  /** Between the two. */
  MEDIUM(huginn(2048, 16, 7168, 2, 4, 65_536, 4096)),
  /** Huginn-0125: 7 GB in 16 bits. */
  HUGINN(huginn(5280, 55, 17_920, 2, 4, 65_536, 4096)),
  /** Ouro-1.4B: 24 layers, four times; 2.9 GB in 16 bits. */
  OURO("ouro-1.4b", new OuroFamily(), ouro()),
  /** Nanbeige 4.2: 22 layers, twice; 8.4 GB in 16 bits. */
  NANBEIGE("nanbeige-3b", new NanbeigeFamily(), nanbeige()),
  /** TinyLlama with (4, 8, 4) of its blocks retrofitted; 2.0 GB in 16 bits. */
  TINYLLAMA("tinyllama-retrofit", new RetrofitFamily(), tinyLlama());

  private final String name;
  private final ModelFamily family;
  private final Map<String, Object> config;

  ModelShape(Map<String, Object> huginn) {
    this(null, new HuginnFamily(), huginn);
  }

  ModelShape(String name, ModelFamily family, Map<String, Object> config) {
    this.name = name;
    this.family = family;
    this.config = config;
  }

  private static Map<String, Object> huginn(
      int embeddingSize,
      int heads,
      int intermediateSize,
      int outerLayers,
      int recurrentLayers,
      int vocabularySize,
      int contextLength) {
    return config(
        new HuginnConfig(
            embeddingSize,
            heads,
            intermediateSize,
            outerLayers,
            recurrentLayers,
            outerLayers,
            32,
            vocabularySize,
            contextLength,
            50_000,
            1e-6,
            true,
            true));
  }

  /** What config.json would say of a shape. */
  static Map<String, Object> config(HuginnConfig shape) {
    Map<String, Object> config = new LinkedHashMap<>();
    config.put("model_type", HuginnConfig.MODEL_TYPE);
    config.put("n_embd", (long) shape.embeddingSize());
    config.put("n_heads", (long) shape.heads());
    config.put("intermediate_size", (long) shape.intermediateSize());
    config.put("n_layers_in_prelude", (long) shape.preludeLayers());
    config.put("n_layers_in_recurrent_block", (long) shape.recurrentLayers());
    config.put("n_layers_in_coda", (long) shape.codaLayers());
    config.put("mean_recurrence", (long) shape.meanRecurrence());
    config.put("vocab_size", (long) shape.vocabularySize());
    config.put("block_size", (long) shape.contextLength());
    config.put("rope_base", shape.ropeBase());
    config.put("norm_eps", shape.normEpsilon());
    config.put("qk_bias", shape.qkBias());
    config.put("tie_embeddings", shape.tiedEmbeddings());
    return config;
  }

  private static Map<String, Object> ouro() {
    Map<String, Object> config = llama("ouro", 2048, 24, 16, 16, 5632, 49_152, 65_536);
    config.put("total_ut_steps", 4L);
    config.put("early_exit_threshold", 1.0);
    config.put("rope_theta", 1_000_000.0);
    config.put("rms_norm_eps", 1e-6);
    return config;
  }

  private static Map<String, Object> nanbeige() {
    Map<String, Object> config = llama("nanbeige", 3072, 22, 48, 8, 10_944, 166_144, 262_144);
    config.put("num_loops", 2L);
    config.put("skip_loop_final_norm", false);
    config.put("rope_theta", 70_000_000.0);
    config.put("rms_norm_eps", 1e-5);
    return config;
  }

  private static Map<String, Object> llama(
      String type,
      long width,
      long layers,
      long heads,
      long keyValueHeads,
      long intermediate,
      long vocabulary,
      long context) {
    Map<String, Object> config = new LinkedHashMap<>();
    config.put("model_type", type);
    config.put("hidden_size", width);
    config.put("num_hidden_layers", layers);
    config.put("num_attention_heads", heads);
    config.put("num_key_value_heads", keyValueHeads);
    config.put("head_dim", 128L);
    config.put("intermediate_size", intermediate);
    config.put("vocab_size", vocabulary);
    config.put("max_position_embeddings", context);
    config.put("tie_word_embeddings", false);
    return config;
  }

  private static Map<String, Object> tinyLlama() {
    Map<String, Object> config = new LinkedHashMap<>();
    config.put("model_type", HuginnConfig.MODEL_TYPE);
    config.put("n_embd", 2048L);
    config.put("n_heads", 32L);
    config.put("num_key_value_heads", 4L);
    config.put("intermediate_size", 5632L);
    config.put("n_layers_in_prelude", 4L);
    config.put("n_layers_in_recurrent_block", 8L);
    config.put("n_layers_in_coda", 4L);
    config.put("mean_recurrence", 32L);
    config.put("vocab_size", 32_000L);
    config.put("block_size", 2048L);
    config.put("rope_theta", 10_000.0);
    config.put("norm_eps", 1e-5);
    config.put("qk_bias", false);
    config.put("tie_embeddings", false);
    Map<String, Object> scales = new HashMap<>();
    scales.put("embed_scale", 1.0);
    config.put("init_values", scales);
    return config;
  }

  ModelFamily family() {
    return family;
  }

  /** What a checkpoint's config.json says of the shape. */
  Map<String, Object> config() {
    return config;
  }

  /** The shape as a model whose matrices have no elements. */
  public RecurrentModel model(DType dtype) {
    return RandomCheckpoint.of(this, dtype).model();
  }

  /** The shape of this name, in lower case. */
  public static Optional<ModelShape> named(String name) {
    return Arrays.stream(values()).filter(shape -> shape.toString().equals(name)).findFirst();
  }

  /** The name in lower case, as a command line has it. */
  @Override
  public String toString() {
    return name == null ? name().toLowerCase(Locale.ROOT) : name;
  }
}
