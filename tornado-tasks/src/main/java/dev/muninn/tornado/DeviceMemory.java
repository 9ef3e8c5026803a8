package dev.muninn.tornado;

import dev.muninn.backend.DeviceMemoryException;
import dev.muninn.cache.KeyValueLayout;
import dev.muninn.cache.KeyValueType;
import dev.muninn.model.Block;
import dev.muninn.model.RecurrentModel;
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
 * @param workBytes of activations, row slots, logits, kept distributions and tables
 * @param unitBytes a unit of keys and values in all recurrent blocks
 * @param outerUnitBytes the same in all prelude and coda blocks
 * @param units that a position takes in the type that the weights have
 * @param mostRows most rows of an execution
 * @param context most positions of a sequence
 * @param model what is computed
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
    int mostRows,
    int context,
    RecurrentModel model) {
  /** The share that the driver and other programs need. */
  private static final double USABLE = 0.9;

  /** Sequences of full length and default recurrence that there is room for, if memory allows. */
  private static final int SEQUENCES = 4;

  /** Row slots beside those of a whole context: prompts under way in a batch. */
  private static final int EXTRA_SLOTS = 1024;

  /** Vectors of a row slot: s, e, and the state that is kept for comparison. */
  private static final int STATES = 3;

  /** Graphs with activations of their own. */
  private static final int GRAPHS = 3;

  /** A context is halved until a sequence of one recurrence takes at most this share. */
  private static final double SEQUENCE = 1.0 / 4;

  /** A context is not halved below this. */
  private static final int LEAST_CONTEXT = 2048;

  static DeviceMemory of(
      String device, long totalBytes, long largestBytes, RecurrentModel model, int mostRows) {
    long unitBytes = 4L * model.keyValueHeads() * model.headSize();
    long recurrentUnit = unitBytes * model.core().blocks().size();
    long outerUnit = unitBytes * (model.prelude().size() + model.coda().blocks().size());
    int units = TornadoStore.units(KeyValueType.forWeights(model.coreFormat()));
    int context = model.contextLength();
    while (context / 2 >= LEAST_CONTEXT
        && (double) context * units * (recurrentUnit + outerUnit) > totalBytes * SEQUENCE) {
      context /= 2;
    }
    long width = model.width();
    long work =
        GRAPHS * Activations.bytes(model, mostRows)
            + STATES * 4L * rowSlots(context) * width
            + 4L * mostRows * (model.vocabularySize() + width)
            + 4L * LogitComparer.PLACES * model.vocabularySize()
            + GRAPHS * 4L * context * model.headSize();
    List<Long> arrays = weightBytes(model);
    return new DeviceMemory(
        device,
        totalBytes,
        largestBytes,
        arrays.stream().mapToLong(Long::longValue).sum(),
        arrays.stream().mapToLong(Long::longValue).max().orElseThrow(),
        work,
        recurrentUnit,
        outerUnit,
        units,
        mostRows,
        context,
        model);
  }

  private static int rowSlots(int context) {
    return context + EXTRA_SLOTS;
  }

  /** Bytes of each array of weights. */
  private static List<Long> weightBytes(RecurrentModel model) {
    List<Long> arrays = new ArrayList<>();
    arrays.add(DeviceMatrix.bytes(List.of(model.coda().head())));
    model.core().injection().ifPresent(matrix -> arrays.add(DeviceMatrix.bytes(List.of(matrix))));
    for (Block block : model.blocks()) {
      arrays.addAll(DeviceBlock.weightBytes(block));
    }
    return arrays;
  }

  /**
   * Shares the memory out.
   *
   * @throws DeviceMemoryException if there is not enough for the weights and the keys and values of
   *     one sequence of full length at one recurrence, or if a matrix is larger than the device
   *     allocates at once
   */
  DeviceSizes sizes() {
    long usable = (long) (totalBytes * USABLE);
    long left = usable - weightBytes - workBytes;
    long least = (long) context * units * (unitBytes + outerUnitBytes);
    if (left < least) {
      throw tooLarge(usable, least);
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
    long most = mostUnitsOfAnArray();
    long wanted = (long) SEQUENCES * context * CacheFormat.F32_UNITS;
    long outer = Math.min(wanted, most);
    if (outerUnitBytes > 0) {
      outer = Math.min(outer, Math.max((long) context * units, left / 4 / outerUnitBytes));
    }
    long recurrent =
        Math.min(wanted * model.defaultRecurrence(), (left - outer * outerUnitBytes) / unitBytes);
    return new DeviceSizes(
        mostRows, context, rowSlots(context), (int) outer, (int) Math.min(recurrent, most));
  }

  private DeviceMemoryException tooLarge(long usable, long least) {
    return new DeviceMemoryException(
        device
            + " has "
            + gigabytes(totalBytes)
            + ", of which a model may take "
            + gigabytes(usable)
            + "; this one takes "
            + gigabytes(weightBytes + workBytes + least)
            + ": weights "
            + gigabytes(weightBytes)
            + ", work "
            + gigabytes(workBytes)
            + ", keys and values of one sequence of "
            + context
            + " positions at least "
            + gigabytes(least)
            + "; --backend vector computes on the CPU");
  }

  /** An array is counted in ints, and no larger than the device allocates at once. */
  private long mostUnitsOfAnArray() {
    long width = (long) model.keyValueHeads() * model.headSize();
    return Math.min(Integer.MAX_VALUE / width, (largestBytes - 64) / (4 * width));
  }

  /**
   * Checks a sequence's length.
   *
   * @throws DeviceMemoryException if it is longer than the device was prepared for
   */
  void requireContext(int positions) {
    if (positions > context) {
      throw new DeviceMemoryException(
          device
              + " has room for sequences of "
              + context
              + " positions, not "
              + positions
              + ": --context "
              + context
              + " fits, and --backend vector takes longer ones");
    }
  }

  /**
   * The error when a sequence's keys and values do not fit.
   *
   * @param layout the sequence's
   * @param outerLeft units left in prelude and coda blocks
   * @param recurrentLeft units left in recurrent blocks
   */
  DeviceMemoryException noRoom(KeyValueLayout layout, int outerLeft, int recurrentLeft) {
    int perPosition = TornadoStore.units(layout.type());
    long slots = layout.policy().slots(layout.recurrences());
    long positions = layout.capacity();
    return new DeviceMemoryException(
        device
            + " has "
            + gigabytes(outerLeft * outerUnitBytes + recurrentLeft * unitBytes)
            + " left for keys and values; the sequence takes "
            + gigabytes(positions * perPosition * (outerUnitBytes + slots * unitBytes))
            + " for "
            + positions
            + " positions in "
            + slots
            + (slots == 1 ? " slot: " : " slots: ")
            + advice(layout, slots, outerLeft, recurrentLeft));
  }

  /** The first of the options that lets the sequence in, from the one that costs least. */
  private static String advice(
      KeyValueLayout layout, long slots, int outerLeft, int recurrentLeft) {
    long positions = layout.capacity();
    boolean wide = layout.type() == KeyValueType.F32;
    long least = wide ? CacheFormat.BF16_UNITS : TornadoStore.units(layout.type());
    if (wide && positions * least <= outerLeft && positions * slots * least <= recurrentLeft) {
      return "--kv-type bf16 halves that, which fits";
    }
    long fitting = recurrentLeft / (positions * least);
    if (fitting >= 1 && positions * least <= outerLeft) {
      return "--kv budget:" + fitting + (wide ? " fits, with --kv-type bf16" : " fits");
    }
    long context = Math.min(outerLeft / least, recurrentLeft / (slots * least));
    return context < 1
        ? "close other sequences, or use --backend vector"
        : "--context " + context + (wide ? " fits, with --kv-type bf16" : " fits");
  }

  private static String gigabytes(long bytes) {
    return String.format(Locale.ROOT, "%.3f GB", bytes / 1e9);
  }
}
