package dev.muninn.tornado;

import dev.muninn.kernel.RotaryTable;
import dev.muninn.model.Attention;
import dev.muninn.model.Block;
import dev.muninn.model.BranchNorms;
import dev.muninn.model.Norm;
import dev.muninn.model.Projection;
import dev.muninn.model.Rotary;
import dev.muninn.model.WeightMatrix;
import dev.muninn.tornado.kernel.TurnKernels;
import java.util.ArrayList;
import java.util.List;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * A block as kernels take it.
 *
 * @param attention its shape
 * @param projection queries, keys and values, [(heads + 2 * key-value heads) * head size, h]
 * @param output [h, heads * head size]
 * @param gateUp what gates, and what is gated, [2 * i, h]
 * @param down [h, i]
 * @param attentionNorms around the attention
 * @param mlpNorms around the MLP
 * @param turning what {@link TurnKernels#turn} takes as vectors
 * @param rotary cosines and sines, [context, head size]
 * @param cache keys and values of all sequences, [units, key-value heads * head size]
 */
record DeviceBlock(
    Attention attention,
    DeviceMatrix projection,
    DeviceMatrix output,
    DeviceMatrix gateUp,
    DeviceMatrix down,
    Norms attentionNorms,
    Norms mlpNorms,
    FloatArray turning,
    FloatArray rotary,
    IntArray cache) {

  /** The norms around a branch. */
  record Norms(DeviceNorm before, DeviceNorm output, DeviceNorm stream) {
    static Norms of(BranchNorms norms) {
      return new Norms(
          DeviceNorm.of(norms.before()),
          DeviceNorm.of(norms.output()),
          DeviceNorm.of(norms.stream()));
    }
  }

  static DeviceBlock stage(Block block, FloatArray rotary, IntArray cache, Staging staging) {
    Attention attention = block.attention();
    return new DeviceBlock(
        attention,
        DeviceMatrix.stage(projections(block), staging),
        DeviceMatrix.stage(attention.output(), staging),
        DeviceMatrix.stage(gates(block), staging),
        DeviceMatrix.stage(block.mlp().down(), staging),
        Norms.of(block.attentionNorms()),
        Norms.of(block.mlpNorms()),
        turning(attention),
        rotary,
        cache);
  }

  private static List<WeightMatrix> projections(Block block) {
    Attention attention = block.attention();
    return List.of(attention.query().weights(), attention.key().weights(), attention.value());
  }

  private static List<WeightMatrix> gates(Block block) {
    return List.of(block.mlp().gate(), block.mlp().up());
  }

  /** Bytes of each array of weights that a block takes. */
  static List<Long> weightBytes(Block block) {
    return List.of(
        DeviceMatrix.bytes(projections(block)),
        DeviceMatrix.bytes(List.of(block.attention().output())),
        DeviceMatrix.bytes(gates(block)),
        DeviceMatrix.bytes(List.of(block.mlp().down())));
  }

  /** Scales, biases and epsilons, with neutral ones where the model has none. */
  private static FloatArray turning(Attention attention) {
    int both = attention.width() + attention.keyValueWidth();
    FloatArray vectors = new FloatArray(2 * both + 2);
    int from = 0;
    int norm = 2 * both;
    for (Projection projection : List.of(attention.query(), attention.key())) {
      int size = projection.weights().rows();
      for (int i = 0; i < size; i++) {
        int column = i;
        vectors.set(from + i, projection.norm().map(found -> found.scale()[column]).orElse(1f));
        vectors.set(both + from + i, projection.bias().map(bias -> bias[column]).orElse(0f));
      }
      vectors.set(norm++, projection.norm().map(Norm::epsilon).orElse(0f));
      from += size;
    }
    return vectors;
  }

  /** Cosine and sine of each pair's angle, [positions, head size]. */
  static FloatArray angles(Rotary rotary, int positions) {
    RotaryTable angles = new RotaryTable(rotary);
    angles.extend(positions);
    int size = rotary.headSize();
    FloatArray table = new FloatArray(Math.multiplyExact(positions, size));
    for (int position = 0; position < positions; position++) {
      for (int pair = 0; pair < size / 2; pair++) {
        table.set(position * size + 2 * pair, angles.cosine(position, pair));
        table.set(position * size + 2 * pair + 1, angles.sine(position, pair));
      }
    }
    return table;
  }

  /** What {@link TurnKernels#turn} does. */
  int turningFlags() {
    return (attention.rotary().layout() == Rotary.Layout.HALVES ? TurnKernels.HALVES : 0)
        | (attention.query().norm().isPresent() ? TurnKernels.QUERY_NORM : 0)
        | (attention.key().norm().isPresent() ? TurnKernels.KEY_NORM : 0);
  }

  /** The arrays that travel to the device once. */
  List<Object> constants() {
    List<Object> all = new ArrayList<>(List.of(turning, rotary));
    for (Norms norms : List.of(attentionNorms, mlpNorms)) {
      all.addAll(List.of(norms.before().array(), norms.output().array(), norms.stream().array()));
    }
    for (DeviceMatrix matrix : List.of(projection, output, gateUp, down)) {
      all.addAll(List.of(matrix.arrays()));
    }
    return all;
  }
}
