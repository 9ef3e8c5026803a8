package dev.muninn.tornado;

import dev.muninn.backend.DeviceMemoryException;
import dev.muninn.model.Matrix;
import dev.muninn.model.RavenConfig;
import dev.muninn.model.RavenWeights;
import dev.muninn.model.SandwichBlock;
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
 * @param workBytes of activations, row slots, logits and tables
 * @param rowBytes a cache row of all recurrent blocks
 * @param outerRowBytes a cache row of all prelude and coda blocks
 * @param config the model's shape
 */
record DeviceMemory(
    String device,
    long totalBytes,
    long largestBytes,
    long weightBytes,
    long workBytes,
    long rowBytes,
    long outerRowBytes,
    RavenConfig config) {
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
    RavenConfig config = weights.config();
    long width = config.embeddingSize();
    long work =
        GRAPHS * Activations.bytes(config, mostRows)
            + 2 * 4L * rowSlots(config) * width
            + 4L * mostRows * (config.vocabularySize() + width)
            + 4L * config.contextLength() * config.headSize();
    long rowBytes = 2 * 4 * width;
    return new DeviceMemory(
        device,
        totalBytes,
        largestBytes,
        weightBytes(weights),
        work,
        rowBytes * config.recurrentLayers(),
        rowBytes * (config.preludeLayers() + config.codaLayers()),
        config);
  }

  private static int rowSlots(RavenConfig config) {
    return config.contextLength() + EXTRA_SLOTS;
  }

  private static long weightBytes(RavenWeights weights) {
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
    return matrices.stream().mapToLong(matrix -> matrix.data().byteSize()).sum();
  }

  /**
   * Shares the memory out.
   *
   * @throws DeviceMemoryException if there is not enough for the weights and the keys and values of
   *     one sequence of full length at one recurrence
   */
  DeviceSizes sizes() {
    int context = config.contextLength();
    long usable = (long) (totalBytes * USABLE);
    long left = usable - weightBytes - workBytes;
    long least = context * (rowBytes + outerRowBytes);
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
    long wanted = (long) SEQUENCES * context;
    long outer = Math.min(wanted, Math.max(context, left / 4 / outerRowBytes));
    long recurrent =
        Math.min(
            wanted * Math.max(1, config.meanRecurrence()),
            (left - outer * outerRowBytes) / rowBytes);
    long mostRows = mostRowsOfAnArray();
    return new DeviceSizes(
        rowSlots(config), (int) Math.min(outer, mostRows), (int) Math.min(recurrent, mostRows));
  }

  /** An array is counted in ints, and no larger than the device allocates at once. */
  private long mostRowsOfAnArray() {
    long width = 2L * config.embeddingSize();
    return Math.min(Integer.MAX_VALUE / width, (largestBytes - 64) / (4 * width));
  }

  /** What to say when a sequence's keys and values have no room. */
  DeviceMemoryException noRoomForSequence(
      int outerWanted, int outerLeft, long recurrentWanted, int recurrentLeft) {
    return new DeviceMemoryException(
        device
            + " has "
            + gigabytes(outerLeft * outerRowBytes + recurrentLeft * rowBytes)
            + " left for keys and values; the sequence takes "
            + gigabytes(outerWanted * outerRowBytes + recurrentWanted * rowBytes)
            + ": a shorter --context, a smaller --recurrence or a cache policy with fewer slots"
            + " takes less");
  }

  private static String gigabytes(long bytes) {
    return String.format(Locale.ROOT, "%.3f GB", bytes / 1e9);
  }
}
