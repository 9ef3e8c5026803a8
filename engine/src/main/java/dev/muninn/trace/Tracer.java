package dev.muninn.trace;

import dev.muninn.backend.Backend;
import dev.muninn.backend.InferenceException;
import dev.muninn.backend.LatentRows;
import dev.muninn.backend.RowBatch;
import dev.muninn.cache.KeyValueLayout;
import dev.muninn.cache.SequenceCache;
import dev.muninn.cache.SlotPolicy;
import dev.muninn.decode.InitialState;
import dev.muninn.decode.SequenceForward;
import dev.muninn.model.StartState;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import java.util.UUID;
import java.util.function.BooleanSupplier;

/**
 * Traces one prompt.
 *
 * <p>First all states are computed and written. Then the coda reads them, recurrence by recurrence
 * over all positions, so that it finds the keys and values that it would find in a run of so many
 * recurrences.
 */
public final class Tracer {
  /** Rows in flight. */
  private static final int ROWS = 64;

  /** Floats of the distributions of several starts that are in memory together. */
  private static final int MOST_DISTRIBUTIONS = 1 << 24;

  private final Backend backend;
  private final KeyValueLayout layout;
  private final int[] tokens;
  private final TraceRequest request;
  private final TraceListener listener;
  private final BooleanSupplier cancelled;
  private final int vocabulary;
  private final float[] latent;
  private final long total;
  private long done;

  private Tracer(
      Backend backend,
      KeyValueLayout layout,
      int[] tokens,
      TraceRequest request,
      TraceListener listener,
      BooleanSupplier cancelled) {
    if (request.starts().size() > 1
        && layout.model().core().start() instanceof StartState.Embedded) {
      throw new IllegalArgumentException(
          "this model begins every thought at the token's embedding: it has one start, not "
              + request.starts().size());
    }
    this.backend = backend;
    this.layout = layout;
    this.tokens = tokens;
    this.request = request;
    this.listener = listener;
    this.cancelled = cancelled;
    this.vocabulary = layout.model().vocabularySize();
    this.latent = new float[layout.model().width()];
    long starts = request.starts().size();
    this.total = tokens.length * (layout.recurrences() * (starts + 1) + (starts > 1 ? starts : 0));
  }

  /**
   * Traces a prompt.
   *
   * @param layout room for the prompt at all recurrences
   * @param target the safetensors file of the states
   * @return empty if it was cancelled; there is no file then
   * @throws InferenceException if the model computes states or logits that are NaN
   * @throws dev.muninn.weights.CheckpointException if the file cannot be written
   * @throws UncheckedIOException if the file of the last distributions, which is beside it while
   *     the trace is made, cannot be
   */
  public static Optional<Trace> run(
      Backend backend,
      KeyValueLayout layout,
      int[] tokens,
      TraceRequest request,
      Path target,
      TraceListener listener,
      BooleanSupplier cancelled) {
    return new Tracer(backend, layout, tokens, request, listener, cancelled).run(target);
  }

  private Optional<Trace> run(Path target) {
    int starts = request.starts().size();
    int top = Math.min(request.topTokens(), vocabulary);
    Readouts readouts = new Readouts(tokens.length, layout.recurrences(), top);
    LatentFile latents =
        LatentFile.create(target, tokens, layout.recurrences(), starts, latent.length);
    boolean complete = false;
    try {
      for (int start = 0; start < starts; start++) {
        if (!compute(start, latents)) {
          return Optional.empty();
        }
      }
      if (!readOut(latents, readouts, target)) {
        return Optional.empty();
      }
      Optional<PathIndependence> independence = Optional.empty();
      if (starts > 1) {
        independence = Optional.of(PathIndependence.measure(latents));
        if (!compareEnds(latents, independence.get())) {
          return Optional.empty();
        }
      }
      latents.commit();
      complete = true;
      return Optional.of(new Trace(tokens, latents, readouts, independence));
    } finally {
      if (!complete) {
        latents.close();
      }
    }
  }

  /** The states from one start; false if cancelled. */
  private boolean compute(int start, LatentFile latents) {
    InitialState initialState = request.starts().get(start);
    int last = layout.recurrences();
    try (SequenceForward sequence =
        new SequenceForward(
            backend, layout, last, Math.min(ROWS, tokens.length), initialState, cancelled)) {
      sequence.watchLatents((position, recurrence, state) -> {
        requireFinite(state, position, recurrence);
        if (start == 0) {
          latents.put(position, recurrence, state);
        }
        if (recurrence == last && request.starts().size() > 1) {
          latents.putEnd(start, position, state);
        }
        if (recurrence > 0) {
          progress(1);
        }
      });
      // The coda has its own turn; here it leaves out the logits.
      return sequence.append(tokens, tokens.length, (position, logits) -> {});
    }
  }

  private static void requireFinite(float[] state, int position, int recurrence) {
    for (float value : state) {
      if (!Float.isFinite(value)) {
        throw new InferenceException(
            "the latent state of position "
                + position
                + " at recurrence "
                + recurrence
                + " has a value that is not a finite number");
      }
    }
  }

  /** The distribution of every state, compared with that of the recurrence before. */
  private boolean readOut(LatentFile latents, Readouts readouts, Path target) {
    Path file = target.resolveSibling(".muninn-" + UUID.randomUUID() + ".tmp");
    // The last distributions of all positions can be larger than the memory, as the states are.
    try (FileChannel channel =
            FileChannel.open(
                file,
                StandardOpenOption.CREATE_NEW,
                StandardOpenOption.READ,
                StandardOpenOption.WRITE,
                StandardOpenOption.DELETE_ON_CLOSE);
        Coda coda = new Coda(ROWS)) {
      ByteBuffer bytes =
          ByteBuffer.allocateDirect(Math.multiplyExact(vocabulary, Float.BYTES))
              .order(ByteOrder.nativeOrder());
      float[] current = new float[vocabulary];
      float[] previous = new float[vocabulary];
      for (int i = 1; i <= layout.recurrences(); i++) {
        int recurrence = i;
        boolean more =
            coda.readAll(
                (position, state) -> latents.read(position, recurrence, state),
                (position, row) -> {
                  coda.readLogProbabilities(row, current, 0);
                  double divergence = Double.NaN;
                  if (recurrence > 1) {
                    transfer(channel, bytes.clear(), position, false);
                    bytes.flip().asFloatBuffer().get(previous);
                    divergence = Distribution.divergence(previous, 0, current, 0, vocabulary);
                  }
                  if (recurrence < layout.recurrences()) {
                    bytes.clear().asFloatBuffer().put(current);
                    transfer(channel, bytes, position, true);
                  }
                  readouts.set(position, recurrence, current, vocabulary, divergence);
                });
        if (!more) {
          return false;
        }
      }
      return true;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void transfer(FileChannel channel, ByteBuffer bytes, int position, boolean write) {
    long at = (long) position * bytes.capacity();
    try {
      while (bytes.hasRemaining()) {
        int count = write ? channel.write(bytes, at) : channel.read(bytes, at);
        if (count < 0) {
          throw new IOException("the file of the last distributions was cut");
        }
        at += count;
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** What each position would say at the ends from all starts. */
  private boolean compareEnds(LatentFile latents, PathIndependence independence) {
    int starts = request.starts().size();
    int rows = Math.clamp(MOST_DISTRIBUTIONS / ((long) starts * vocabulary), 1, ROWS);
    float[] distributions = new float[Math.multiplyExact(rows * starts, vocabulary)];
    Coda[] codas = new Coda[starts];
    try {
      for (int start = 0; start < starts; start++) {
        codas[start] = new Coda(rows);
      }
      for (int from = 0; from < tokens.length; from += rows) {
        int first = from;
        for (int k = 0; k < starts; k++) {
          int start = k;
          Coda coda = codas[k];
          boolean more =
              coda.read(
                  from,
                  (position, state) -> latents.readEnd(start, position, state),
                  (position, row) ->
                      coda.readLogProbabilities(
                          row, distributions, ((position - first) * starts + start) * vocabulary));
          if (!more) {
            return false;
          }
        }
        float[] own = new float[starts * vocabulary];
        for (int position = from; position < Math.min(tokens.length, from + rows); position++) {
          System.arraycopy(distributions, (position - from) * own.length, own, 0, own.length);
          independence.setDistributions(position, own, vocabulary);
        }
      }
      return true;
    } finally {
      for (Coda coda : codas) {
        if (coda != null) {
          coda.close();
        }
      }
    }
  }

  private void progress(int rows) {
    done += rows;
    listener.progressed(done, total);
  }

  /** Gives the state of a position, [h]. */
  @FunctionalInterface
  private interface StateSource {
    void read(int position, float[] state);
  }

  /** Gets a position whose logits are in a row. */
  @FunctionalInterface
  private interface RowConsumer {
    void accept(int position, int row);
  }

  /** C over states that are there already, of all positions in order, with keys of its own. */
  private final class Coda implements AutoCloseable {
    private final LatentRows rows;
    private final SequenceCache cache;
    private final RowBatch batch;
    private final float[] logits = new float[vocabulary];

    Coda(int mostRows) {
      int capacity = Math.min(mostRows, tokens.length);
      KeyValueLayout own =
          new KeyValueLayout(
              layout.model(), new SlotPolicy.Budget(1), 1, tokens.length, layout.type());
      batch = new RowBatch(capacity);
      cache = new SequenceCache(own, backend.allocate(own));
      try {
        rows = backend.rows(capacity);
      } catch (RuntimeException | Error e) {
        cache.close();
        throw e;
      }
    }

    /** All positions; false if cancelled. */
    boolean readAll(StateSource states, RowConsumer consumer) {
      for (int from = 0; from < tokens.length; from += batch.capacity()) {
        if (!read(from, states, consumer)) {
          return false;
        }
      }
      return true;
    }

    /** As many positions as there are rows; those before must have been read. */
    boolean read(int from, StateSource states, RowConsumer consumer) {
      if (cancelled.getAsBoolean()) {
        return false;
      }
      int to = Math.min(tokens.length, from + batch.capacity());
      batch.clear();
      for (int position = from; position < to; position++) {
        int slot = position - from;
        batch.add(slot, cache, position, tokens[position]);
        batch.setLogits(slot, true);
        // A position without any recurrence would not be looked at.
        cache.recordRecurrence(position, 0);
        states.read(position, latent);
        rows.writeLatent(slot, latent);
      }
      rows.coda(batch);
      for (int position = from; position < to; position++) {
        consumer.accept(position, position - from);
      }
      progress(to - from);
      return true;
    }

    void readLogProbabilities(int row, float[] target, int offset) {
      rows.readLogits(row, logits);
      Distribution.logSoftmax(logits, 0, vocabulary);
      System.arraycopy(logits, 0, target, offset, vocabulary);
    }

    @Override
    public void close() {
      rows.close();
      cache.close();
    }
  }
}
