package dev.muninn.train;

import dev.muninn.family.huginn.HuginnConfig;
import dev.muninn.kernel.RotaryTable;
import dev.muninn.model.Rotary;
import java.util.ArrayList;
import java.util.List;

/** The layers of P, R and C over a set of parameters. They are shared by all threads. */
final class Network {
  final HuginnConfig config;
  final boolean sandwich;
  final Parameters parameters;
  final List<SandwichLayer> prelude;

  /** The adapter's columns for the latent state. */
  final Linear adapterState;

  /** The adapter's columns for e, whose product is the same for every recurrence. */
  final Linear adapterEmbedding;

  final List<SandwichLayer> recurrentBlock;
  final List<SandwichLayer> coda;
  final Norm finalNorm;
  final Head head;
  private final Linear headLinear;

  Network(HuginnConfig config, boolean sandwich, Parameters parameters) {
    this.config = config;
    this.sandwich = sandwich;
    this.parameters = parameters;
    int h = config.embeddingSize();
    RotaryTable rotary =
        new RotaryTable(Rotary.of(Rotary.Layout.PAIRS, config.headSize(), config.ropeBase()));
    rotary.extend(config.contextLength());
    float[] negatedSines = new float[rotary.sines().length];
    for (int i = 0; i < negatedSines.length; i++) {
      negatedSines[i] = -rotary.sines()[i];
    }
    this.prelude = layers(parameters.prelude, rotary, negatedSines);
    this.adapterState = new Linear(parameters.adapter, 0, h);
    this.adapterEmbedding = new Linear(parameters.adapter, h, h);
    this.recurrentBlock = layers(parameters.recurrentBlock, rotary, negatedSines);
    this.coda = layers(parameters.coda, rotary, negatedSines);
    this.finalNorm = norm(parameters.finalNorm);
    this.headLinear = new Linear(parameters.head);
    this.head = new Head(config, headLinear);
    refresh();
  }

  private List<SandwichLayer> layers(
      List<Parameters.Block> blocks, RotaryTable rotary, float[] negatedSines) {
    List<SandwichLayer> layers = new ArrayList<>();
    for (Parameters.Block block : blocks) {
      layers.add(
          new SandwichLayer(
              norm(block.norm1()),
              norm(block.norm2()),
              norm(block.norm3()),
              norm(block.norm4()),
              new Linear(block.queryKeyValue()),
              new Attention(config, block.bias(), rotary, negatedSines),
              new Linear(block.attentionProjection()),
              new GatedMlp(new Linear(block.gateUp()), new Linear(block.mlpProjection()))));
    }
    return layers;
  }

  private Norm norm(Parameter weight) {
    return weight == null ? null : new Norm(weight, (float) config.normEpsilon());
  }

  /** Takes over the parameters' values; after every change of them, before a forward. */
  void refresh() {
    for (List<SandwichLayer> part : List.of(prelude, recurrentBlock, coda)) {
      part.forEach(SandwichLayer::refresh);
    }
    adapterState.refresh();
    adapterEmbedding.refresh();
    headLinear.refresh();
  }
}
