package dev.muninn.family.retrofit;

import dev.muninn.family.ConfigReader;
import dev.muninn.family.ModelFamily;
import dev.muninn.family.RotaryConfig;
import dev.muninn.family.TensorSource;
import dev.muninn.family.huginn.HuginnKeys;
import dev.muninn.model.Attention;
import dev.muninn.model.Block;
import dev.muninn.model.BranchNorms;
import dev.muninn.model.Coda;
import dev.muninn.model.Depth;
import dev.muninn.model.Embedding;
import dev.muninn.model.GatedMlp;
import dev.muninn.model.Norm;
import dev.muninn.model.Projection;
import dev.muninn.model.RecurrentBlock;
import dev.muninn.model.RecurrentModel;
import dev.muninn.model.Rotary;
import dev.muninn.model.WeightMatrix;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * Llama, TinyLlama and OLMo-2 retrofitted with recurrence (arXiv 2511.07384). What is odd about
 * them: they have Huginn's {@code model_type} and names and compute something else. Blocks are
 * those of the model that they were cut from, norms before each branch (Llama) or on what a branch
 * adds (OLMo-2, which has norms of all queries and of all keys besides); queries share keys and
 * values in groups; rotary pairs are the halves of a head; the rotary base is {@code rope_theta},
 * whatever {@code rope_base} says; {@code ln_f} stands behind the coda only; embeddings are not
 * scaled.
 */
public final class RetrofitFamily implements ModelFamily {

  @Override
  public String name() {
    return "retrofitted recurrence";
  }

  @Override
  public String modelType() {
    return HuginnKeys.MODEL_TYPE;
  }

  /** Two norms a block, where Huginn has four. */
  @Override
  public boolean recognises(Predicate<String> hasTensor) {
    return hasTensor.test("transformer.core_block.0.norm_1.weight")
        && !hasTensor.test("transformer.core_block.0.norm_3.weight")
        && !hasTensor.test("transformer.core_block.0.norm_4.weight");
  }

  /** Sizes that every block has. */
  private record Shape(
      int width, int heads, int keyValueHeads, int headSize, int intermediate, float epsilon) {}

  @Override
  public RecurrentModel bind(ConfigReader config, TensorSource tensors) {
    HuginnKeys.expectCommon(config);
    config.expect("norm_class_name", "RMSNorm_llama", "RMSNorm");
    config.expect("qk_bias", false);
    final int h = config.integer("n_embd");
    final int heads = config.integer("n_heads", "num_attention_heads");
    final int keyValueHeads = config.integerOr(heads, "num_key_value_heads");
    config.require(h, 1, "n_embd");
    config.require(heads, 1, "n_heads");
    config.require(keyValueHeads, 1, "num_key_value_heads");
    config.requireNoProblems();
    if (heads % keyValueHeads != 0) {
      config.problem(
          "n_heads " + heads + " is not a multiple of num_key_value_heads " + keyValueHeads);
    }
    if (!config.has("head_dim") && h % heads != 0) {
      config.problem("n_embd " + h + " is not a multiple of n_heads " + heads);
    }
    final Shape shape =
        new Shape(
            h,
            heads,
            keyValueHeads,
            config.integerOr(h / heads, "head_dim"),
            config.integer("intermediate_size"),
            config.epsilon("norm_eps", 1e-5));
    final HuginnKeys.Layers layers = HuginnKeys.layers(config);
    final int vocabulary = HuginnKeys.vocabularySize(config);
    final int context = context(config);
    final int recurrence = config.integer("mean_recurrence");
    final boolean tied = config.tied(false);
    final double scale = HuginnKeys.embeddingScale(config, 1);
    config.require(layers.recurrent(), 1, "n_layers_in_recurrent_block");
    config.require(vocabulary, 1, "vocab_size");
    config.require(shape.intermediate(), 1, "intermediate_size");
    final Rotary rotary =
        RotaryConfig.read(
            config, Rotary.Layout.HALVES, shape.headSize(), config.positive("rope_base", 10_000));
    config.requireNoProblems();

    WeightMatrix embedding =
        tensors.embedding(HuginnKeys.EMBEDDING, HuginnKeys.HEAD, tied, vocabulary, h);
    Norm finalNorm = tensors.norm(HuginnKeys.FINAL_NORM, h, shape.epsilon());
    RecurrentModel model =
        new RecurrentModel(
            name(),
            context,
            new Depth(recurrence, false),
            new Embedding(embedding, (float) scale),
            blocks("prelude", layers.prelude(), shape, rotary, tensors),
            new RecurrentBlock(
                HuginnKeys.start(config, h, scale),
                Optional.of(tensors.matrix(HuginnKeys.ADAPTER, h, 2 * h)),
                blocks("core_block", layers.recurrent(), shape, rotary, tensors),
                Optional.empty()),
            new Coda(
                Optional.empty(),
                blocks("coda", layers.coda(), shape, rotary, tensors),
                Optional.of(finalNorm),
                HuginnKeys.head(tensors, embedding, tied)),
            Optional.empty());
    HuginnKeys.refuseSurplus(tensors, layers);
    return model;
  }

  /**
   * Public files have Huginn's {@code block_size} beside the original model's {@code
   * max_position_embeddings}: the shorter counts.
   */
  private static int context(ConfigReader config) {
    int block = config.integerOr(Integer.MAX_VALUE, "block_size");
    int positions = config.integerOr(Integer.MAX_VALUE, "max_position_embeddings");
    return Math.min(block, positions) < Integer.MAX_VALUE
        ? Math.min(block, positions)
        : config.integer("block_size", "max_position_embeddings");
  }

  private static List<Block> blocks(
      String part, int count, Shape shape, Rotary rotary, TensorSource tensors) {
    return HuginnKeys.blocks(part, count, prefix -> block(prefix, shape, rotary, tensors));
  }

  private static Block block(String prefix, Shape shape, Rotary rotary, TensorSource tensors) {
    int h = shape.width();
    int i = shape.intermediate();
    int queries = shape.heads() * shape.headSize();
    int keys = shape.keyValueHeads() * shape.headSize();
    List<WeightMatrix> qkv = tensors.stacked(prefix + "attn.Wqkv.weight", h, queries, keys, keys);
    List<WeightMatrix> gateUp = tensors.stacked(prefix + "mlp.fc.weight", h, i, i);
    Norm first = tensors.norm(prefix + "norm_1.weight", h, shape.epsilon());
    Norm second = tensors.norm(prefix + "norm_2.weight", h, shape.epsilon());
    boolean olmo = tensors.contains(prefix + "attn.q_norm.weight");
    return new Block(
        new Attention(
            shape.heads(),
            shape.keyValueHeads(),
            shape.headSize(),
            rotary,
            projection(qkv.get(0), prefix + "attn.q_norm.weight", shape, tensors),
            projection(qkv.get(1), prefix + "attn.k_norm.weight", shape, tensors),
            qkv.get(2),
            tensors.output(prefix + "attn.proj.weight", h, queries)),
        olmo ? BranchNorms.output(first) : BranchNorms.before(first),
        new GatedMlp(
            gateUp.get(0), gateUp.get(1), tensors.output(prefix + "mlp.proj.weight", h, i)),
        olmo ? BranchNorms.output(second) : BranchNorms.before(second));
  }

  private static Projection projection(
      WeightMatrix weights, String norm, Shape shape, TensorSource tensors) {
    return new Projection(
        weights,
        tensors.contains(norm)
            ? Optional.of(tensors.norm(norm, weights.rows(), shape.epsilon()))
            : Optional.empty(),
        Optional.empty());
  }
}
