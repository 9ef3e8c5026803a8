package dev.muninn.family.huginn;

import dev.muninn.family.ConfigReader;
import dev.muninn.family.ModelFamily;
import dev.muninn.family.TensorSource;
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
import dev.muninn.text.ChatFormat;
import dev.muninn.text.ChatTemplate;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * Huginn-0125 and its kin (arXiv 2502.05171). What is odd about it: the outer norms of a block
 * stand on the residual stream, {@code ln_f} is used both before the coda and before the head,
 * queries and keys have a bias, and rotary pairs are neighbours.
 */
public final class HuginnFamily implements ModelFamily {

  @Override
  public String name() {
    return "Huginn";
  }

  @Override
  public String modelType() {
    return HuginnKeys.MODEL_TYPE;
  }

  /** Retrofitted models have the same type, but two norms a block. */
  @Override
  public boolean recognises(Predicate<String> hasTensor) {
    return hasTensor.test("transformer.core_block.0.norm_3.weight")
        || hasTensor.test("transformer.core_block.0.norm_4.weight")
        || !hasTensor.test("transformer.core_block.0.norm_1.weight");
  }

  @Override
  public RecurrentModel bind(ConfigReader config, TensorSource tensors) {
    HuginnConfig shape = HuginnConfig.read(config);
    int h = shape.embeddingSize();
    float epsilon = (float) shape.normEpsilon();
    double scale = HuginnKeys.embeddingScale(config, Math.sqrt(h));
    WeightMatrix embedding =
        tensors.embedding(
            HuginnKeys.EMBEDDING,
            HuginnKeys.HEAD,
            shape.tiedEmbeddings(),
            shape.vocabularySize(),
            h);
    Rotary rotary = Rotary.of(Rotary.Layout.PAIRS, shape.headSize(), shape.ropeBase());
    Norm finalNorm = tensors.norm(HuginnKeys.FINAL_NORM, h, epsilon);
    RecurrentModel model =
        new RecurrentModel(
            name(),
            shape.contextLength(),
            new Depth(shape.meanRecurrence(), false),
            new Embedding(embedding, (float) scale),
            blocks("prelude", shape.preludeLayers(), shape, rotary, tensors),
            new RecurrentBlock(
                HuginnKeys.start(config, h, scale),
                Optional.of(tensors.matrix(HuginnKeys.ADAPTER, h, 2 * h)),
                blocks("core_block", shape.recurrentLayers(), shape, rotary, tensors),
                Optional.empty()),
            new Coda(
                Optional.of(finalNorm),
                blocks("coda", shape.codaLayers(), shape, rotary, tensors),
                Optional.of(finalNorm),
                HuginnKeys.head(tensors, embedding, shape.tiedEmbeddings())),
            Optional.empty());
    HuginnKeys.refuseSurplus(
        tensors,
        new HuginnKeys.Layers(shape.preludeLayers(), shape.recurrentLayers(), shape.codaLayers()));
    return model;
  }

  private static List<Block> blocks(
      String part, int count, HuginnConfig shape, Rotary rotary, TensorSource tensors) {
    return HuginnKeys.blocks(part, count, prefix -> block(prefix, shape, rotary, tensors));
  }

  private static Block block(
      String prefix, HuginnConfig shape, Rotary rotary, TensorSource tensors) {
    int h = shape.embeddingSize();
    int i = shape.intermediateSize();
    float epsilon = (float) shape.normEpsilon();
    List<WeightMatrix> qkv = tensors.stacked(prefix + "attn.Wqkv.weight", h, h, h, h);
    Optional<float[]> queryBias = Optional.empty();
    Optional<float[]> keyBias = Optional.empty();
    if (shape.qkBias()) {
      float[] bias = tensors.vector(prefix + "attn.qk_bias", 2, 1, shape.heads(), shape.headSize());
      queryBias = Optional.of(Arrays.copyOfRange(bias, 0, h));
      keyBias = Optional.of(Arrays.copyOfRange(bias, h, 2 * h));
    } else if (tensors.contains(prefix + "attn.qk_bias")) {
      tensors.refuse(prefix + "attn.qk_bias");
    }
    List<WeightMatrix> gateUp = tensors.stacked(prefix + "mlp.fc.weight", h, i, i);
    return new Block(
        new Attention(
            shape.heads(),
            shape.heads(),
            shape.headSize(),
            rotary,
            new Projection(qkv.get(0), Optional.empty(), queryBias),
            new Projection(qkv.get(1), Optional.empty(), keyBias),
            qkv.get(2),
            tensors.output(prefix + "attn.proj.weight", h, h)),
        BranchNorms.beforeAndStream(
            tensors.norm(prefix + "norm_1.weight", h, epsilon),
            tensors.norm(prefix + "norm_2.weight", h, epsilon)),
        new GatedMlp(
            gateUp.get(0), gateUp.get(1), tensors.output(prefix + "mlp.proj.weight", h, i)),
        BranchNorms.beforeAndStream(
            tensors.norm(prefix + "norm_3.weight", h, epsilon),
            tensors.norm(prefix + "norm_4.weight", h, epsilon)));
  }

  @Override
  public Optional<ChatTemplate> chatTemplate() {
    return Optional.of(ChatFormat.template());
  }
}
