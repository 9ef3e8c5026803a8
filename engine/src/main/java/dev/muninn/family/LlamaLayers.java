package dev.muninn.family;

import dev.muninn.model.Attention;
import dev.muninn.model.Block;
import dev.muninn.model.BranchNorms;
import dev.muninn.model.GatedMlp;
import dev.muninn.model.Norm;
import dev.muninn.model.Projection;
import dev.muninn.model.Rotary;
import dev.muninn.model.WeightMatrix;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The keys and names that Llama gave to most models after it: {@code model.layers.N.self_attn},
 * {@code mlp}, {@code input_layernorm} and so on. Families that loop such layers share this; what
 * is odd about each stands in its own folder.
 *
 * @param width {@code hidden_size}
 * @param heads {@code num_attention_heads}
 * @param keyValueHeads {@code num_key_value_heads}
 * @param headSize {@code head_dim} or {@code kv_channels}, which times heads need not be the width
 * @param intermediate {@code intermediate_size}
 * @param layers {@code num_hidden_layers}
 * @param vocabulary {@code vocab_size}
 * @param context {@code max_position_embeddings}
 * @param tied {@code tie_word_embeddings}
 * @param epsilon {@code rms_norm_eps}
 * @param rotary halves of a head, by {@code rope_theta} and its kin
 */
public record LlamaLayers(
    int width,
    int heads,
    int keyValueHeads,
    int headSize,
    int intermediate,
    int layers,
    int vocabulary,
    int context,
    boolean tied,
    float epsilon,
    Rotary rotary) {

  private static final String HEAD = "lm_head.weight";
  private static final Pattern LAYER = Pattern.compile("model\\.layers\\.(\\d{1,9})\\..*");

  /**
   * Reads the keys.
   *
   * @throws dev.muninn.weights.CheckpointException in one line, with options that would be computed
   *     wrongly
   */
  public static LlamaLayers read(ConfigReader config, double ropeBase) {
    refuseVariants(config);
    final int width = config.integer("hidden_size");
    final int heads = config.integer("num_attention_heads");
    final int keyValueHeads = config.integerOr(heads, "num_key_value_heads");
    final int intermediate = config.integer("intermediate_size");
    final int layers = config.integer("num_hidden_layers");
    final int vocabulary = config.integer("vocab_size");
    final int context = config.integer("max_position_embeddings");
    config.requireNoProblems();
    config.require(width, 1, "hidden_size");
    config.require(heads, 1, "num_attention_heads");
    config.require(keyValueHeads, 1, "num_key_value_heads");
    config.require(intermediate, 1, "intermediate_size");
    config.require(layers, 1, "num_hidden_layers");
    config.require(vocabulary, 1, "vocab_size");
    config.require(context, 1, "max_position_embeddings");
    config.requireNoProblems();
    if (heads % keyValueHeads != 0) {
      config.problem(
          "num_attention_heads "
              + heads
              + " is not a multiple of num_key_value_heads "
              + keyValueHeads);
    }
    if (!config.has("head_dim") && !config.has("kv_channels") && width % heads != 0) {
      config.problem("hidden_size " + width + " is not a multiple of num_attention_heads " + heads);
    }
    int headSize = config.integerOr(width / heads, "head_dim", "kv_channels");
    LlamaLayers read =
        new LlamaLayers(
            width,
            heads,
            keyValueHeads,
            headSize,
            intermediate,
            layers,
            vocabulary,
            context,
            config.tied(false),
            config.epsilon("rms_norm_eps", 1e-6),
            RotaryConfig.read(config, Rotary.Layout.HALVES, headSize, ropeBase));
    config.requireNoProblems();
    return read;
  }

  /** Refuses what models of this kind may have and none of the families that are known has. */
  public static void refuseVariants(ConfigReader config) {
    config.expect("hidden_act", "silu", "swish");
    config.refuse(
        "attention_bias",
        "mlp_bias",
        "use_sliding_window",
        "clip_qkv",
        "attn_logit_softcapping",
        "final_logit_softcapping",
        "query_pre_attn_scalar",
        "alibi",
        "use_alibi",
        "no_rope_layers",
        "num_experts",
        "num_local_experts");
    for (String scale :
        new String[] {
          "attention_multiplier",
          "embedding_multiplier",
          "logit_scale",
          "logits_scaling",
          "residual_multiplier",
          "scale_depth",
          "scale_emb"
        }) {
      if (config.number(scale, 1) != 1) {
        config.problem(scale + " other than 1 is not supported");
      }
    }
    if (config.has("use_sliding_window")) {
      config.ignore("sliding_window");
    } else {
      config.refuse("sliding_window");
    }
    refuseOtherAttention(config);
  }

  private static void refuseOtherAttention(ConfigReader config) {
    if (config.value("layer_types") instanceof List<?> types) {
      types.stream()
          .filter(type -> !Objects.equals(type, "full_attention"))
          .findFirst()
          .ifPresent(type ->
              config.problem(
                  "layer_types has "
                      + ConfigReader.shown(type)
                      + ", only \"full_attention\" is supported"));
    }
  }

  /** The embedding's matrix. */
  public WeightMatrix embedding(TensorSource tensors) {
    return tensors.embedding("model.embed_tokens.weight", HEAD, tied, vocabulary, width);
  }

  /** The head's matrix. */
  public WeightMatrix head(TensorSource tensors, WeightMatrix embedding) {
    return tied ? embedding : tensors.matrix(HEAD, vocabulary, width);
  }

  /** The norm outside of layers. */
  public Norm finalNorm(TensorSource tensors) {
    return tensors.norm("model.norm.weight", width, epsilon);
  }

  /**
   * All layers, whose norms the family places.
   *
   * @param norms the norms of the branch that begins with a norm of a name, as in {@code
   *     model.layers.0.input_layernorm}
   */
  public List<Block> blocks(TensorSource tensors, Function<String, BranchNorms> norms) {
    refuseBiases(tensors);
    tensors.refuseLayersFrom(LAYER, layers);
    List<Block> blocks = new ArrayList<>();
    for (int layer = 0; layer < layers; layer++) {
      String prefix = "model.layers." + layer + ".";
      int queries = heads * headSize;
      int keys = keyValueHeads * headSize;
      blocks.add(
          new Block(
              new Attention(
                  heads,
                  keyValueHeads,
                  headSize,
                  rotary,
                  Projection.of(tensors.matrix(prefix + "self_attn.q_proj.weight", queries, width)),
                  Projection.of(tensors.matrix(prefix + "self_attn.k_proj.weight", keys, width)),
                  tensors.matrix(prefix + "self_attn.v_proj.weight", keys, width),
                  tensors.output(prefix + "self_attn.o_proj.weight", width, queries)),
              norms.apply(prefix + "input_layernorm"),
              new GatedMlp(
                  tensors.matrix(prefix + "mlp.gate_proj.weight", intermediate, width),
                  tensors.matrix(prefix + "mlp.up_proj.weight", intermediate, width),
                  tensors.output(prefix + "mlp.down_proj.weight", width, intermediate)),
              norms.apply(prefix + "post_attention_layernorm")));
    }
    return blocks;
  }

  /** A norm of a layer, by its name without the ending. */
  public Norm norm(TensorSource tensors, String name) {
    return tensors.norm(name + ".weight", width, epsilon);
  }

  /** Tensors that these layers would leave out silently. */
  private static void refuseBiases(TensorSource tensors) {
    Stream.of(
            "self_attn.q_proj.bias",
            "self_attn.k_proj.bias",
            "self_attn.v_proj.bias",
            "self_attn.o_proj.bias",
            "self_attn.q_norm.weight",
            "self_attn.k_norm.weight",
            "mlp.gate_proj.bias",
            "mlp.up_proj.bias",
            "mlp.down_proj.bias")
        .map(name -> "model.layers.0." + name)
        .filter(tensors::contains)
        .forEach(tensors::refuse);
  }
}
