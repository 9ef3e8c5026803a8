package dev.muninn.family.nanbeige;

import dev.muninn.family.ConfigReader;
import dev.muninn.family.LlamaLayers;
import dev.muninn.family.ModelFamily;
import dev.muninn.family.TensorSource;
import dev.muninn.model.BranchNorms;
import dev.muninn.model.Coda;
import dev.muninn.model.Depth;
import dev.muninn.model.Embedding;
import dev.muninn.model.Norm;
import dev.muninn.model.RecurrentBlock;
import dev.muninn.model.RecurrentModel;
import dev.muninn.model.StartState;
import dev.muninn.model.WeightMatrix;
import java.util.List;
import java.util.Optional;

/**
 * Nanbeige 4.2: a Llama whose layers all run several times. What is odd about it: heads times head
 * size is not the width; {@code model.norm} stands behind every loop and the head follows without
 * another, or with {@code skip_loop_final_norm} stands once before the head.
 */
public final class NanbeigeFamily implements ModelFamily {

  @Override
  public String name() {
    return "Nanbeige";
  }

  @Override
  public String modelType() {
    return "nanbeige";
  }

  @Override
  public RecurrentModel bind(ConfigReader config, TensorSource tensors) {
    config.refuse(
        "enable_double_loop_split",
        "enable_hyper_connection",
        "enable_h_res_identity",
        "enable_mhc",
        "enable_depth_attention",
        "qk_layernorm",
        "ngram_insert_all_layers",
        "emb_neighbor_num",
        "insert_ngram_layer_idx",
        "loop_loss_weights",
        "loop_middle_layers",
        "loop_middle_repeats",
        "loop_share_kv");
    // What belongs to the options above, as the public configuration's defaults have it.
    config.ignore(
        "depth_attention_static_anchor_once",
        "mhc_sinkhorn_iterations",
        "ngram_fused_mode",
        "num_residual_streams");
    final int loops = config.integer("num_loops");
    final boolean once = config.flag("skip_loop_final_norm", false);
    final LlamaLayers layers = LlamaLayers.read(config, 10_000);
    WeightMatrix embedding = layers.embedding(tensors);
    Optional<Norm> norm = Optional.of(layers.finalNorm(tensors));
    return new RecurrentModel(
        name(),
        layers.context(),
        new Depth(loops, false),
        new Embedding(embedding, 1),
        List.of(),
        new RecurrentBlock(
            new StartState.Embedded(),
            Optional.empty(),
            layers.blocks(tensors, name -> BranchNorms.before(layers.norm(tensors, name))),
            once ? Optional.empty() : norm),
        new Coda(
            Optional.empty(),
            List.of(),
            once ? norm : Optional.empty(),
            layers.head(tensors, embedding)),
        Optional.empty());
  }
}
