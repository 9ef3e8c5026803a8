package dev.muninn.family.ouro;

import dev.muninn.family.ConfigReader;
import dev.muninn.family.LlamaLayers;
import dev.muninn.family.ModelFamily;
import dev.muninn.family.TensorSource;
import dev.muninn.model.BranchNorms;
import dev.muninn.model.Coda;
import dev.muninn.model.Depth;
import dev.muninn.model.Embedding;
import dev.muninn.model.ExitGate;
import dev.muninn.model.RecurrentBlock;
import dev.muninn.model.RecurrentModel;
import dev.muninn.model.StartState;
import dev.muninn.model.WeightMatrix;
import dev.muninn.text.StopTokens;
import java.util.List;
import java.util.Optional;

/**
 * Ouro (arXiv 2510.25741). What is odd about it: all layers are looped, none stands before or
 * behind; the loops begin from the embedding and never see it again; each branch has a norm before
 * it and one on what it adds; {@code model.norm} stands behind every loop, and the head follows
 * without another; a learned gate says after each loop whether it is enough. Answers get worse with
 * more loops than it was trained for.
 */
public final class OuroFamily implements ModelFamily {
  private static final String GATE_WEIGHT = "model.early_exit_gate.weight";
  private static final String GATE_BIAS = "model.early_exit_gate.bias";

  @Override
  public String name() {
    return "Ouro";
  }

  @Override
  public String modelType() {
    return "ouro";
  }

  @Override
  public RecurrentModel bind(ConfigReader config, TensorSource tensors) {
    final int loops = config.integer("total_ut_steps");
    final double threshold = config.number("early_exit_threshold", 1);
    config.refuse("early_exit_step");
    final LlamaLayers layers = LlamaLayers.read(config, 1_000_000);
    WeightMatrix embedding = layers.embedding(tensors);
    return new RecurrentModel(
        name(),
        layers.context(),
        new Depth(loops, true),
        new Embedding(embedding, 1),
        List.of(),
        new RecurrentBlock(
            new StartState.Embedded(),
            Optional.empty(),
            layers.blocks(
                tensors,
                norm ->
                    BranchNorms.beforeAndOutput(
                        layers.norm(tensors, norm), layers.norm(tensors, norm + "_2"))),
            Optional.of(layers.finalNorm(tensors))),
        new Coda(Optional.empty(), List.of(), Optional.empty(), layers.head(tensors, embedding)),
        gate(tensors, layers.width(), threshold));
  }

  private static Optional<ExitGate> gate(TensorSource tensors, int width, double threshold) {
    if (!tensors.contains(GATE_WEIGHT) && !tensors.contains(GATE_BIAS)) {
      return Optional.empty();
    }
    return Optional.of(
        new ExitGate(
            tensors.vector(GATE_WEIGHT, 1, width), tensors.vector(GATE_BIAS, 1)[0], threshold));
  }

  /** The public files say 0 for the ends of text and for padding; a turn ends with 2. */
  @Override
  public StopTokens correctStopTokens(StopTokens shipped) {
    return shipped.equals(StopTokens.of(0)) ? StopTokens.of(2) : shipped;
  }
}
