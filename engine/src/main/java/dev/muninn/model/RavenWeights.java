package dev.muninn.model;

import dev.muninn.weights.Checkpoint;
import dev.muninn.weights.CheckpointException;
import dev.muninn.weights.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The weights of a model, bound to names and shapes. Matrices stay in the mapped files; the norm
 * scales and biases, a few values each, are widened to floats.
 *
 * @param checkpoint has the files that the matrices stand in
 * @param config the model's shape
 * @param embedding token embeddings, [vocabulary, h]
 * @param prelude l_P blocks
 * @param adapter mixes {@code [s ; e]} to the recurrent block's input, [h, 2h]
 * @param recurrentBlock l_R blocks
 * @param coda l_C blocks
 * @param finalNorm scale of ln_f, used before the coda and before the head, [h]
 * @param head reads out the next token, [vocabulary, h]; the embedding itself if tied
 */
public record RavenWeights(
    Checkpoint checkpoint,
    RavenConfig config,
    Matrix embedding,
    List<SandwichBlock> prelude,
    Matrix adapter,
    List<SandwichBlock> recurrentBlock,
    List<SandwichBlock> coda,
    float[] finalNorm,
    Matrix head) {

  public RavenWeights {
    prelude = List.copyOf(prelude);
    recurrentBlock = List.copyOf(recurrentBlock);
    coda = List.copyOf(coda);
  }

  /**
   * Binds a checkpoint's tensors. Tensors that the model has no use for are ignored, {@code
   * freqs_cis} among them.
   *
   * @throws CheckpointException one line that lists every tensor that is missing, misshapen, of an
   *     unreadable type or of a block that the configuration does not have
   */
  public static RavenWeights bind(RavenConfig config, Checkpoint checkpoint) {
    return new Binder(config, checkpoint).bind();
  }

  private static final class Binder {
    private static final Pattern BLOCK =
        Pattern.compile("transformer\\.(prelude|core_block|coda)\\.(\\d{1,9})\\..*");

    private final RavenConfig config;
    private final Checkpoint checkpoint;
    private final List<String> problems = new ArrayList<>();

    Binder(RavenConfig config, Checkpoint checkpoint) {
      this.config = config;
      this.checkpoint = checkpoint;
    }

    RavenWeights bind() {
      final int h = config.embeddingSize();
      final Matrix embedding = matrix("transformer.wte.weight", config.vocabularySize(), h);
      final List<SandwichBlock> prelude = blocks("prelude", config.preludeLayers());
      final Matrix adapter = matrix("transformer.adapter.weight", h, 2 * h);
      final List<SandwichBlock> recurrent = blocks("core_block", config.recurrentLayers());
      final List<SandwichBlock> coda = blocks("coda", config.codaLayers());
      final float[] finalNorm = vector("transformer.ln_f.weight", h);
      final Matrix head =
          config.tiedEmbeddings()
              ? embedding
              : matrix("lm_head.weight", config.vocabularySize(), h);
      refuseSurplusBlocks();
      if (!problems.isEmpty()) {
        throw new CheckpointException(
            checkpoint.directory()
                + ": the tensors do not fit config.json: "
                + String.join("; ", problems));
      }
      return new RavenWeights(
          checkpoint, config, embedding, prelude, adapter, recurrent, coda, finalNorm, head);
    }

    private List<SandwichBlock> blocks(String part, int count) {
      List<SandwichBlock> blocks = new ArrayList<>();
      int h = config.embeddingSize();
      int i = config.intermediateSize();
      for (int index = 0; index < count; index++) {
        String prefix = "transformer." + part + "." + index + ".";
        float[] norm1 = vector(prefix + "norm_1.weight", h);
        float[] norm2 = vector(prefix + "norm_2.weight", h);
        float[] norm3 = vector(prefix + "norm_3.weight", h);
        float[] norm4 = vector(prefix + "norm_4.weight", h);
        Matrix queryKeyValue = matrix(prefix + "attn.Wqkv.weight", 3 * h, h);
        float[] bias =
            config.qkBias()
                ? values(prefix + "attn.qk_bias", 2, 1, config.heads(), config.headSize())
                : new float[2 * h];
        Matrix projection = matrix(prefix + "attn.proj.weight", h, h);
        Matrix gateUp = matrix(prefix + "mlp.fc.weight", 2 * i, h);
        Matrix mlpProjection = matrix(prefix + "mlp.proj.weight", h, i);
        if (problems.isEmpty()) {
          blocks.add(
              new SandwichBlock(
                  norm1,
                  norm2,
                  norm3,
                  norm4,
                  queryKeyValue,
                  Arrays.copyOfRange(bias, 0, h),
                  Arrays.copyOfRange(bias, h, 2 * h),
                  projection,
                  gateUp,
                  mlpProjection));
        }
      }
      return blocks;
    }

    private Matrix matrix(String name, int rows, int columns) {
      Tensor tensor = tensor(name, rows, columns);
      if (tensor == null) {
        return null;
      }
      // A mapped segment is of another class than other native memory; kernels that saw both would
      // ask at every access which one they have, which costs a quarter of their speed.
      MemorySegment plain = tensor.data().reinterpret(tensor.byteSize());
      return new Matrix(tensor.dtype(), rows, columns, plain);
    }

    private float[] vector(String name, int size) {
      return values(name, size);
    }

    private float[] values(String name, int... shape) {
      Tensor tensor = tensor(name, shape);
      if (tensor == null) {
        return new float[0];
      }
      float[] values = new float[Math.toIntExact(tensor.elements())];
      for (int i = 0; i < values.length; i++) {
        values[i] = tensor.get(i);
      }
      return values;
    }

    /** The tensor, or null after its problem was noted. */
    private Tensor tensor(String name, int... shape) {
      if (!checkpoint.contains(name)) {
        problems.add(name + " is missing");
        return null;
      }
      Tensor tensor = checkpoint.tensor(name);
      List<Long> expected = new ArrayList<>();
      for (int size : shape) {
        expected.add((long) size);
      }
      if (!tensor.shape().equals(expected)) {
        problems.add(name + " has shape " + tensor.shape() + ", expected " + expected);
        return null;
      }
      if (!tensor.dtype().readable()) {
        problems.add(name + " is " + tensor.dtype() + ", expected F32, F16 or BF16");
        return null;
      }
      return tensor;
    }

    private void refuseSurplusBlocks() {
      Map<String, Integer> counts =
          new HashMap<>(
              Map.of(
                  "prelude", config.preludeLayers(),
                  "core_block", config.recurrentLayers(),
                  "coda", config.codaLayers()));
      for (String name : checkpoint.tensors().keySet()) {
        Matcher matcher = BLOCK.matcher(name);
        if (matcher.matches()) {
          int count = counts.get(matcher.group(1));
          if (Integer.parseInt(matcher.group(2)) >= count) {
            problems.add(name + " is beyond the " + count + " blocks of that part");
          }
        }
      }
    }
  }
}
