package dev.muninn.tornado;

import dev.muninn.model.SandwichBlock;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * A sandwich block as kernels take it.
 *
 * @param vectors scales of norms 1 to 4, bias of queries, bias of keys, [6 * width]
 * @param queryKeyValue [3 * width, width]
 * @param attentionProjection [width, width]
 * @param gateUp [2 * intermediate, width]
 * @param mlpProjection [width, intermediate]
 * @param cache keys and values of all sequences, [units, width]
 */
record DeviceBlock(
    FloatArray vectors,
    DeviceMatrix queryKeyValue,
    DeviceMatrix attentionProjection,
    DeviceMatrix gateUp,
    DeviceMatrix mlpProjection,
    IntArray cache) {

  static DeviceBlock stage(SandwichBlock block, IntArray cache, Staging staging) {
    float[][] parts = {
      block.norm1(), block.norm2(), block.norm3(), block.norm4(), block.queryBias(), block.keyBias()
    };
    int width = block.norm1().length;
    FloatArray vectors = new FloatArray(parts.length * width);
    for (int part = 0; part < parts.length; part++) {
      for (int i = 0; i < width; i++) {
        vectors.set(part * width + i, parts[part][i]);
      }
    }
    return new DeviceBlock(
        vectors,
        DeviceMatrix.stage(block.queryKeyValue(), staging),
        DeviceMatrix.stage(block.attentionProjection(), staging),
        DeviceMatrix.stage(block.gateUp(), staging),
        DeviceMatrix.stage(block.mlpProjection(), staging),
        cache);
  }
}
