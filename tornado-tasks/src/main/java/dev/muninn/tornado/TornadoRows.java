package dev.muninn.tornado;

import dev.muninn.backend.LatentComparison;
import dev.muninn.backend.LatentRows;
import dev.muninn.backend.LogitComparison;
import dev.muninn.backend.RowBatch;
import dev.muninn.cache.SequenceCache;
import dev.muninn.cache.SlotPolicy;
import dev.muninn.model.Norm;
import dev.muninn.model.RecurrentModel;
import dev.muninn.model.WeightMatrix;
import dev.muninn.tornado.kernel.RowTable;
import java.util.Arrays;
import java.util.Optional;

/**
 * P, R and C on a device. A batch goes through in chunks of {@link DeviceModel#MOST_ROWS} rows.
 * What is said of a chunk's rows goes to the device with it; e, s and the logits stay there until
 * asked for.
 */
abstract class TornadoRows extends LatentRows {
  private final RecurrentModel described;
  private final DeviceThread thread;
  private final DeviceModel model;
  private final int firstSlot;
  private final int capacity;
  private final int[] runStart;
  private final int[] runSlot;
  private final Optional<LatentComparison> comparison = Optional.of(new OfStates());
  private final Optional<LogitComparison> logitComparison = Optional.of(new OfLogits());

  /** The place of each row of the last coda among those that were read out, or -1. */
  private int[] logitsIndex = new int[0];

  /** Logits that had to leave the device, [rows read out, vocabulary]. */
  private float[] hostLogits = new float[0];

  /** What was found of them, [rows read out, {@link LogitComparison#SUMS}]. */
  private float[] hostLogitSums = new float[0];

  private final float[] logitSums = new float[LogitComparison.SUMS];

  /** The first logits, and what is behind the last, that are still on the device. */
  private int deviceFirst;

  private int deviceEnd;

  /**
   * Row slots from a first one of the device on.
   *
   * @param context most positions of a sequence
   * @param firstSlot the device's slot that is slot 0 here
   */
  TornadoRows(
      RecurrentModel described,
      int context,
      DeviceThread thread,
      DeviceModel model,
      int firstSlot,
      int capacity) {
    this.described = described;
    this.thread = thread;
    this.model = model;
    this.firstSlot = firstSlot;
    this.capacity = capacity;
    this.runStart = new int[context];
    this.runSlot = new int[context];
  }

  @Override
  public int capacity() {
    return capacity;
  }

  @Override
  public void prelude(RowBatch batch) {
    thread.run(() -> {
      for (int row = 0; row < batch.size(); ) {
        int first = row;
        RowTable rows = model.beginPrelude();
        while (row < batch.size() && addOuter(rows, batch, row)) {
          row++;
        }
        embed(batch, first, row);
        model.prelude();
      }
    });
  }

  @Override
  protected void applyRecurrentBlock(RowBatch batch) {
    thread.run(() -> {
      for (int row = 0; row < batch.size(); ) {
        RowTable rows = model.beginRecurrence();
        while (row < batch.size() && addRecurrent(rows, batch, row)) {
          row++;
        }
        model.recur();
      }
    });
  }

  @Override
  public void coda(RowBatch batch) {
    if (logitsIndex.length < batch.size()) {
      logitsIndex = new int[batch.size()];
    }
    thread.run(() -> {
      model.takeLogits(this);
      deviceFirst = 0;
      deviceEnd = 0;
      for (int row = 0; row < batch.size(); ) {
        keepLogits();
        deviceFirst = deviceEnd;
        RowTable rows = model.beginCoda();
        while (row < batch.size() && addOuter(rows, batch, row)) {
          logitsIndex[row] = -1;
          if (batch.logits(row)) {
            int wanted = rows.want();
            logitsIndex[row] = deviceEnd++;
            if (batch.place(row) >= 0) {
              model.logitComparer().add(wanted, batch.place(row), batch.likelyOnly(row));
            }
          }
          row++;
        }
        model.coda();
      }
    });
  }

  /** Fetches what logits are on the device, which is about to compute others. */
  void keepLogits() {
    int vocabulary = described.vocabularySize();
    int needed = Math.multiplyExact(deviceEnd, vocabulary);
    if (hostLogits.length < needed) {
      hostLogits = Arrays.copyOf(hostLogits, needed);
    }
    if (hostLogitSums.length < deviceEnd * LogitComparison.SUMS) {
      hostLogitSums = Arrays.copyOf(hostLogitSums, deviceEnd * LogitComparison.SUMS);
    }
    float[] row = new float[vocabulary];
    for (int index = deviceFirst; index < deviceEnd; index++) {
      model.readLogits(index - deviceFirst, row);
      System.arraycopy(row, 0, hostLogits, index * vocabulary, vocabulary);
      model.readLogitSums(index - deviceFirst, logitSums);
      System.arraycopy(
          logitSums, 0, hostLogitSums, index * LogitComparison.SUMS, LogitComparison.SUMS);
    }
    deviceFirst = deviceEnd;
  }

  @Override
  public void readLogits(int row, float[] logits) {
    int index = logitsIndex[row];
    int vocabulary = described.vocabularySize();
    if (index < deviceFirst) {
      System.arraycopy(hostLogits, index * vocabulary, logits, 0, vocabulary);
    } else {
      thread.run(() -> model.readLogits(index - deviceFirst, logits));
    }
  }

  /** Adds a row of prelude or coda to the chunk, if it has room. */
  private boolean addOuter(RowTable rows, RowBatch batch, int row) {
    if (!rows.hasRoom(1)) {
      return false;
    }
    TornadoStore store = (TornadoStore) batch.sequence(row).store();
    int position = batch.position(row);
    rows.add(firstSlot + batch.slot(row), position, store.outerUnit(position), store.units());
    rows.addRun(0, store.outerUnit(0));
    return true;
  }

  /**
   * Adds a row of the recurrent block to the chunk, if it has room. Its steps are a guess: that it
   * goes on to its next recurrence, for which earlier positions have keys and values of their own.
   */
  private boolean addRecurrent(RowTable rows, RowBatch batch, int row) {
    SequenceCache sequence = batch.sequence(row);
    int position = batch.position(row);
    int recurrence = batch.recurrence(row);
    int runs = sequence.slotRuns(position, recurrence, runStart, runSlot, 0);
    if (!rows.hasRoom(runs)) {
      return false;
    }
    TornadoStore store = (TornadoStore) sequence.store();
    SlotPolicy policy = sequence.layout().policy();
    int slot = policy.slot(recurrence);
    int step = store.step(slot, policy.slot(recurrence + 1));
    rows.add(
        firstSlot + batch.slot(row),
        position,
        store.recurrentUnit(slot, position),
        store.units(),
        step);
    for (int run = 0; run < runs; run++) {
      int base = store.recurrentUnit(runSlot[run], 0);
      rows.addRun(runStart[run], base, runSlot[run] == slot ? step : 0);
    }
    return true;
  }

  /** Looks up the embeddings of the chunk's tokens. */
  private void embed(RowBatch batch, int from, int to) {
    WeightMatrix embedding = described.embedding().matrix();
    float scale = described.embedding().scale();
    int width = described.width();
    for (int row = from; row < to; row++) {
      for (int i = 0; i < width; i++) {
        model.embedded.set((row - from) * width + i, scale * embedding.get(batch.token(row), i));
      }
    }
  }

  @Override
  public void readEmbedding(int slot, float[] embedding) {
    thread.run(() -> model.readEmbedding(firstSlot + slot, embedding));
  }

  @Override
  public void writeEmbedding(int slot, float[] embedding) {
    thread.run(() -> model.write(firstSlot + slot, true, embedding));
  }

  @Override
  public void readLatent(int slot, float[] latent) {
    thread.run(() -> model.readLatent(firstSlot + slot, latent));
  }

  @Override
  public void readNormedLatent(int slot, float[] latent) {
    readLatent(slot, latent);
    Optional<Norm> norm = described.coda().before();
    if (norm.isPresent()) {
      norm(norm.get(), latent);
    }
  }

  private static void norm(Norm norm, float[] latent) {
    double squares = 0;
    for (float value : latent) {
      squares += (double) value * value;
    }
    float factor = (float) (1 / Math.sqrt(squares / latent.length + norm.epsilon()));
    for (int i = 0; i < latent.length; i++) {
      latent[i] *= factor * norm.scale()[i];
    }
  }

  @Override
  public void writeLatent(int slot, float[] latent) {
    thread.run(() -> model.write(firstSlot + slot, false, latent));
  }

  @Override
  public Optional<LatentComparison> comparison() {
    return comparison;
  }

  @Override
  public Optional<LogitComparison> logitComparison() {
    return logitComparison;
  }

  private final class OfLogits implements LogitComparison {
    @Override
    public int take(int count) {
      return thread.call(() -> model.logitComparer().take(count));
    }

    @Override
    public void give(int first, int count) {
      thread.run(() -> model.logitComparer().give(first, count));
    }

    @Override
    public void read(int row, float[] sums, int at) {
      int index = logitsIndex[row];
      if (index < deviceFirst) {
        System.arraycopy(hostLogitSums, index * SUMS, sums, at, SUMS);
      } else {
        thread.run(() -> model.readLogitSums(index - deviceFirst, logitSums));
        System.arraycopy(logitSums, 0, sums, at, SUMS);
      }
    }
  }

  private final class OfStates implements LatentComparison {
    @Override
    public void keep(int[] slots, int count) {
      thread.run(() -> model.compare(slots, count, firstSlot, null));
    }

    @Override
    public void compare(int[] slots, int count, float[] sums) {
      thread.run(() -> model.compare(slots, count, firstSlot, sums));
    }

    @Override
    public void readKept(int slot, float[] latent) {
      thread.run(() -> model.readKept(firstSlot + slot, latent));
    }
  }
}
