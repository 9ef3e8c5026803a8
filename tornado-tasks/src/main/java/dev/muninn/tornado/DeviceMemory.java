package dev.muninn.tornado;

import dev.muninn.backend.DeviceMemoryException;
import dev.muninn.cache.KeyValueType;
import dev.muninn.model.Matrix;
import dev.muninn.family.huginn.HuginnConfig;
import dev.muninn.model.RavenWeights;
import dev.muninn.model.SandwichBlock;
import dev.muninn.tornado.kernel.CacheFormat;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * What a model takes of a device's memory, and what it leaves for keys and values.
 *
 * @param device the device, for messages
 * @param totalBytes the device's memory
 * @param largestBytes most bytes of one array
 * @param weightBytes of all weights
 * @param matrixBytes of the largest matrix among them
 * @param workBytes of activations, row slots, logits and tables
 * @param unitBytes a unit of keys and values in all recurrent blocks
 * @param outerUnitBytes the same in all prelude and coda blocks
 * @param units that a position takes in the type that the weights have
 * @param config the model's shape
 */
record DeviceMemory(
    String device,
    long totalBytes,
    long largestBytes,
    long weightBytes,
    long matrixBytes,
    long workBytes,
    long unitBytes,
    long outerUnitBytes,
    int units,
    HuginnConfig config) {
  /** What the driver and others need. */
  private static final double USABLE = 0.9;

  /** Sequences of full length and mean recurrence that there is room for, if memory allows. */
  private static final int SEQUENCES = 4;

  /** Row slots beside those of a whole context: prompts under way in a batch. */
  private static final int EXTRA_SLOTS = 1024;

  /** Graphs with activations of their own. */
  private static final int GRAPHS = 3;

  static DeviceMemory of(
      String device, long totalBytes, long largestBytes, RavenWeights weights, int mostRows) {
    HuginnConfig config = weights.config();
    long width = config.embeddingSize();
    long work =
        GRAPHS * Activations.bytes(config, mostRows)
            + 2 * 4L * rowSlots(config) * width
            + 4L * mostRows * (config.vocabularySize() + width)
            + 4L * config.contextLength() * config.headSize();
    long unitBytes = 4 * width;
    return new DeviceMemory(
        device,
        totalBytes,
        largestBytes,
        matrices(weights).stream().mapToLong(matrix -> matrix.data().byteSize()).sum(),
        matrices(weights).stream()
            .mapToLong(matrix -> matrix.data().byteSize())
            .max()
            .orElseThrow(),
        work,
        unitBytes * config.recurrentLayers(),
        unitBytes * (config.preludeLayers() + config.codaLayers()),
        TornadoStore.units(KeyValueType.forWeights(weights.adapter().dtype())),
        config);
  }

  private static int rowSlots(HuginnConfig config) {
    return config.contextLength() + EXTRA_SLOTS;
  }

  private static List<Matrix> matrices(RavenWeights weights) {
    List<Matrix> matrices = new ArrayList<>(List.of(weights.adapter(), weights.head()));
    for (List<SandwichBlock> part :
        List.of(weights.prelude(), weights.recurrentBlock(), weights.coda())) {
      for (SandwichBlock block : part) {
        matrices.add(block.queryKeyValue());
        matrices.add(block.attentionProjection());
        matrices.add(block.gateUp());
        matrices.add(block.mlpProjection());
      }
    }
    return matrices;
  }

  /**
   * Shares the memory out.
   *
   * @throws DeviceMemoryException if there is not enough for the weights and the keys and values of
   *     one sequence of full length at one recurrence, or if a matrix is larger than the device
   *     allocates at once
   */
  DeviceSizes sizes() {
    int context = config.contextLength();
    long usable = (long) (totalBytes * USABLE);
    long left = usable - weightBytes - workBytes;
    long least = (long) context * units * (unitBytes + outerUnitBytes);
    if (left < least) {
      throw new DeviceMemoryException(
          device
              + " has "
              + gigabytes(totalBytes)
              + ", of which "
              + gigabytes(usable)
              + " are for a model; this one takes "
              + gigabytes(weightBytes)
              + " for its weights, "
              + gigabytes(workBytes)
              + " to work in and at least "
              + gigabytes(least)
              + " for keys and values; --backend vector computes on the CPU");
    }
    if (matrixBytes > largestBytes) {
      throw new DeviceMemoryException(
          device
              + " allocates at most "
              + gigabytes(largestBytes)
              + " at once; a matrix of this model takes "
              + gigabytes(matrixBytes)
              + "; --backend vector computes on the CPU");
    }
    long wanted = (long) SEQUENCES * context * CacheFormat.F32_UNITS;
    long outer = Math.min(wanted, Math.max((long) context * units, left / 4 / outerUnitBytes));
    long recurrent =
        Math.min(
            wanted * Math.max(1, config.meanRecurrence()),
            (left - outer * outerUnitBytes) / unitBytes);
    long most = mostUnitsOfAnArray();
    return new DeviceSizes(
        rowSlots(config), (int) Math.min(outer, most), (int) Math.min(recurrent, most));
  }

  /** An array is counted in ints, and no larger than the device allocates at once. */
  private long mostUnitsOfAnArray() {
    long width = config.embeddingSize();
    return Math.min(Integer.MAX_VALUE / width, (largestBytes - 64) / (4 * width));
  }

  /** What to say when a sequence's keys and values have no room. */
  DeviceMemoryException noRoomForSequence(
      int outerWanted, int outerLeft, long recurrentWanted, int recurrentLeft) {
    return new DeviceMemoryException(
        device
            + " has "
            + gigabytes(outerLeft * outerUnitBytes + recurrentLeft * unitBytes)
            + " left for keys and values; the sequence takes "
            + gigabytes(outerWanted * outerUnitBytes + recurrentWanted * unitBytes)
            + ": a shorter --context, a smaller --recurrence or a cache policy with fewer slots"
            + " takes less");
  }

  private static String gigabytes(long bytes) {
    return String.format(Locale.ROOT, "%.3f GB", bytes / 1e9);
  }
}
