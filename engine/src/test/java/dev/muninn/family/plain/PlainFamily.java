package dev.muninn.family.plain;

import dev.muninn.family.ConfigReader;
import dev.muninn.family.LlamaLayers;
import dev.muninn.family.ModelFamily;
import dev.muninn.family.TensorSource;
import dev.muninn.model.BranchNorms;
import dev.muninn.model.Coda;
import dev.muninn.model.Depth;
import dev.muninn.model.Embedding;
import dev.muninn.model.RecurrentBlock;
import dev.muninn.model.RecurrentModel;
import dev.muninn.model.StartState;
import dev.muninn.model.WeightMatrix;
import java.util.List;
import java.util.Optional;

/** A Llama that runs its layers several times: a family that nothing but this folder knows. */
public final class PlainFamily implements ModelFamily {

  @Override
  public String name() {
    return "plain loops";
  }

  @Override
  public String modelType() {
    return "plain_loops";
  }

  @Override
  public RecurrentModel bind(ConfigReader config, TensorSource tensors) {
    LlamaLayers layers = LlamaLayers.read(config, 10_000);
    WeightMatrix embedding = layers.embedding(tensors);
    return new RecurrentModel(
        name(),
        layers.context(),
        new Depth(config.integer("loops"), false),
        new Embedding(embedding, 1),
        List.of(),
        new RecurrentBlock(
            new StartState.Embedded(),
            Optional.empty(),
            layers.blocks(tensors, norm -> BranchNorms.before(layers.norm(tensors, norm))),
            Optional.empty()),
        new Coda(
            Optional.empty(),
            List.of(),
            Optional.of(layers.finalNorm(tensors)),
            layers.head(tensors, embedding)),
        Optional.empty());
  }
}
