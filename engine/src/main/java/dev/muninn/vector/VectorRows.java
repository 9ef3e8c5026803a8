package dev.muninn.vector;

import dev.muninn.backend.LatentRows;
import dev.muninn.backend.RowBatch;
import dev.muninn.cache.KeyValueLayout;
import dev.muninn.cache.SequenceCache;
import dev.muninn.model.Matrix;
import dev.muninn.model.RavenConfig;
import dev.muninn.model.RavenWeights;
import dev.muninn.model.SandwichBlock;
import dev.muninn.weights.DType;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;

/**
 * P, R and C on the CPU. Every thread of the team runs the whole function; between two barriers
 * each has its own rows (norms), heads (attention) or outputs (products). A batch goes through in
 * chunks of {@link #CHUNK} rows, which bounds the activations.
 */
final class VectorRows extends LatentRows implements ThreadTeam.Task {
  /**
   * Most rows whose activations are kept at once: enough for products to be bound by arithmetic.
   */
  private static final int CHUNK = 128;

  /** Units of a product that a thread takes at once at the least. */
  private static final int LEAST_STEP = 4;

  /** Units of gates, and of ups, that a thread computes at once for many rows. */
  private static final int GATE_UNITS = 12;

  /** How often a thread takes units of a product, if all are equally fast. */
  private static final int TURNS = 6;

  /** Products with weights of R that scalars compute in some tens of milliseconds. */
  private static final long MUCH = 1L << 24;

  private enum Function {
    PRELUDE,
    RECURRENT_BLOCK,
    CODA
  }

  private final RavenWeights weights;

  /** The adapter's columns for the latent state. */
  private final Matrix adapterState;

  /** The adapter's columns for e, whose product is the same for every recurrence. */
  private final Matrix adapterEmbedding;

  private final RavenConfig config;
  private final ThreadTeam team;
  private final RotaryTable rotary;
  private final int capacity;
  private final int width;
  private final float epsilon;

  private final float[] embeddings;

  /** What the adapter makes of the embeddings. */
  private final float[] injections;

  /** Whether a slot's injection is that of its embedding. */
  private final boolean[] injected;

  private final float[] latents;
  private float[] logits = new float[0];
  private int[] logitsIndex = new int[0];

  // Activations of a chunk, row by row.
  private final float[] stream;
  private final float[] queryKeyValue;
  private final float[] attended;
  private final float[] projected;
  private final float[] hidden;
  private final PackedRows packed;
  private final ThreadScratch[] scratch;

  // Of the running call; written before the team starts. Only the coda reduces the count meanwhile,
  // between two barriers.
  private Function function;
  private RowBatch batch;
  private int first;
  private int count;

  // The slots of the chunk whose embedding the adapter has not seen.
  private final int[] changed;
  private int changedCount;

  // The rows of the chunk that are read out, where their logits begin, and whether there are
  // others.
  private int readOutCount;
  private int readOutFrom;
  private boolean hasUnread;

  // The slots where each row of the chunk finds the positions before it.
  private final int[] runStart;
  private final int[] runCount;
  private int[] runPosition = new int[0];
  private int[] runSlot = new int[0];

  VectorRows(RavenWeights weights, ThreadTeam team, RotaryTable rotary, int capacity) {
    this.weights = weights;
    this.config = weights.config();
    this.team = team;
    this.rotary = rotary;
    this.capacity = capacity;
    this.width = config.embeddingSize();
    this.epsilon = (float) config.normEpsilon();
    this.embeddings = new float[Math.multiplyExact(capacity, width)];
    this.injections = new float[embeddings.length];
    this.injected = new boolean[capacity];
    this.latents = new float[embeddings.length];
    this.adapterState = weights.adapter().part(0, width);
    this.adapterEmbedding = weights.adapter().part(width, width);
    int chunk = Math.min(capacity, CHUNK);
    this.stream = new float[chunk * width];
    this.queryKeyValue = new float[chunk * 3 * width];
    this.attended = new float[chunk * width];
    this.projected = new float[chunk * width];
    this.hidden = new float[chunk * config.intermediateSize()];
    this.packed = new PackedRows(chunk, Math.max(width, config.intermediateSize()));
    this.changed = new int[chunk];
    this.runStart = new int[chunk];
    this.runCount = new int[chunk];
    this.scratch = new ThreadScratch[team.size()];
    for (int thread = 0; thread < scratch.length; thread++) {
      scratch[thread] = new ThreadScratch(config, chunk);
    }
  }

  @Override
  public int capacity() {
    return capacity;
  }

  @Override
  public void prelude(RowBatch rows) {
    for (int row = 0; row < rows.size(); row++) {
      injected[rows.slot(row)] = false;
    }
    runChunks(Function.PRELUDE, rows);
  }

  @Override
  protected void applyRecurrentBlock(RowBatch rows) {
    runChunks(Function.RECURRENT_BLOCK, rows);
  }

  @Override
  public void coda(RowBatch rows) {
    if (logitsIndex.length < rows.size()) {
      logitsIndex = new int[rows.size()];
    }
    int logitsRows = 0;
    for (int row = 0; row < rows.size(); row++) {
      logitsIndex[row] = rows.logits(row) ? logitsRows++ : -1;
    }
    int needed = Math.multiplyExact(logitsRows, config.vocabularySize());
    if (logits.length < needed) {
      logits = new float[needed];
    }
    runChunks(Function.CODA, rows);
  }

  private void runChunks(Function function, RowBatch rows) {
    this.function = function;
    this.batch = rows;
    int chunks = (rows.size() + CHUNK - 1) / CHUNK;
    for (int chunk = 0; chunk < chunks; chunk++) {
      // Even chunks: a last one of few rows would read all weights for little.
      first = (int) ((long) rows.size() * chunk / chunks);
      count = (int) ((long) rows.size() * (chunk + 1) / chunks) - first;
      findSlots();
      findChanged();
      findReadOut();
      DType type = weights.adapter().dtype();
      if (hasTiles(type)) {
        WarmUp.beginTiles(type);
      }
      if (isMuch(config, count) || WarmUp.isLate()) {
        WarmUp.await(type);
      }
      if (WarmUp.running()) {
        // The other processors are compiling.
        team.runAlone(this);
      } else {
        team.run(this);
      }
      for (int i = 0; i < changedCount; i++) {
        injected[changed[i]] = true;
      }
    }
  }

  /**
   * Whether scalars would take so long for a call that it waits for kernels that are being compiled
   * rather than to compute without.
   */
  static boolean isMuch(RavenConfig config, int rows) {
    long width = config.embeddingSize();
    long block = width * (4 * width + 3L * config.intermediateSize());
    return rows * block * config.recurrentLayers() > MUCH;
  }

  /** Whether products of the chunk need the kernels for a few rows. */
  private boolean hasTiles(DType type) {
    return hasTiles(count, type) || hasTiles(changedCount, type) || hasTiles(readOutCount, type);
  }

  private boolean hasTiles(int rows, DType type) {
    return rows > 0
        && (PackedRows.hasTiles(rows, width, type)
            || PackedRows.hasTiles(rows, config.intermediateSize(), type));
  }

  private void findChanged() {
    changedCount = 0;
    if (function != Function.RECURRENT_BLOCK) {
      return;
    }
    for (int row = 0; row < count; row++) {
      int slot = batch.slot(first + row);
      if (!injected[slot]) {
        changed[changedCount++] = slot;
      }
    }
  }

  private void findReadOut() {
    readOutCount = 0;
    if (function != Function.CODA) {
      return;
    }
    for (int row = count - 1; row >= 0; row--) {
      if (batch.logits(first + row)) {
        readOutFrom = logitsIndex[first + row];
        readOutCount++;
      }
    }
    hasUnread = readOutCount < count;
  }

  private void findSlots() {
    int runs = 0;
    for (int row = 0; row < count; row++) {
      int position = batch.position(first + row);
      if (runPosition.length < runs + position + 1) {
        int length = Math.max(2 * runPosition.length, runs + position + 1);
        runPosition = Arrays.copyOf(runPosition, length);
        runSlot = Arrays.copyOf(runSlot, length);
      }
      runStart[row] = runs;
      if (function == Function.RECURRENT_BLOCK) {
        runCount[row] =
            batch
                .sequence(first + row)
                .slotRuns(position, batch.recurrence(first + row), runPosition, runSlot, runs);
      } else {
        runPosition[runs] = 0;
        runSlot[runs] = 0;
        runCount[row] = 1;
      }
      runs += runCount[row];
    }
  }

  @Override
  public void run(int thread) {
    switch (function) {
      case PRELUDE -> {
        embed(thread);
        blocks(thread, weights.prelude(), config.preludeLayers());
        copyRows(thread, embeddings);
      }
      case RECURRENT_BLOCK -> {
        adapt(thread);
        blocks(thread, weights.recurrentBlock(), config.recurrentLayers());
        copyRows(thread, latents);
      }
      case CODA -> {
        normLatents(thread);
        coda(thread, weights.coda());
      }
    }
  }

  private void blocks(int thread, List<SandwichBlock> blocks, int end) {
    for (int block = 0; block < end; block++) {
      sandwich(thread, blocks.get(block), block);
    }
  }

  /** Behind the last block's queries, keys and values, only rows that are read out go on. */
  private void coda(int thread, List<SandwichBlock> blocks) {
    int last = blocks.size() - 1;
    blocks(thread, blocks, last);
    attention(thread, blocks.get(last), last);
    if (hasUnread) {
      keepReadOut(thread);
    }
    if (count > 0) {
      feedForward(thread, blocks.get(last));
      readOut(thread);
    }
  }

  /** Moves the rows that are read out together, and forgets the others. */
  private void keepReadOut(int thread) {
    if (thread == 0) {
      int target = 0;
      for (int row = 0; row < count; row++) {
        if (batch.logits(first + row)) {
          System.arraycopy(stream, row * width, stream, target * width, width);
          System.arraycopy(attended, row * width, attended, target * width, width);
          target++;
        }
      }
      count = target;
    }
    team.barrier();
  }

  private int rowsBefore(int thread) {
    return share(count, thread);
  }

  private int share(int units, int thread) {
    return (int) ((long) units * thread / team.running());
  }

  /**
   * The thread's part of a product. Threads take outputs as they come to them: one that the system
   * has slowed down must not keep the others waiting.
   */
  private void multiply(int thread, Matrix matrix, float[] y, int at) {
    int units = units(matrix.rows());
    int step = step(units);
    for (int unit = team.claim(step); unit < units; unit = team.claim(step)) {
      Kernels.multiply(
          matrix,
          unit * MatrixKernels.UNIT,
          Math.min(matrix.rows(), (unit + step) * MatrixKernels.UNIT),
          packed,
          y,
          at,
          matrix.rows(),
          scratch[thread].product);
    }
  }

  private static int units(int outputs) {
    return (outputs + MatrixKernels.UNIT - 1) / MatrixKernels.UNIT;
  }

  /** Units that a thread takes at once: several turns each, but long streams. */
  private int step(int units) {
    int threads = team.running();
    return threads == 1 ? units : Math.max(LEAST_STEP, units / (threads * TURNS));
  }

  private void embed(int thread) {
    Matrix embedding = weights.embedding();
    float scale = (float) Math.sqrt(width);
    for (int row = rowsBefore(thread); row < rowsBefore(thread + 1); row++) {
      int at = row * width;
      ScalarKernels.read(embedding, batch.token(first + row), scratch[thread].halves, stream, at);
      for (int i = at; i < at + width; i++) {
        stream[i] *= scale;
      }
    }
  }

  private void adapt(int thread) {
    if (changedCount > 0) {
      inject(thread);
    }
    shape(thread, count, adapterState);
    for (int row = rowsBefore(thread); row < rowsBefore(thread + 1); row++) {
      Kernels.pack(packed, row, latents, batch.slot(first + row) * width);
    }
    team.barrier();
    multiply(thread, adapterState, stream, 0);
    team.barrier();
    for (int row = rowsBefore(thread); row < rowsBefore(thread + 1); row++) {
      Kernels.add(stream, row * width, injections, batch.slot(first + row) * width, width);
    }
  }

  private void inject(int thread) {
    final int from = share(changedCount, thread);
    final int to = share(changedCount, thread + 1);
    shape(thread, changedCount, adapterEmbedding);
    for (int i = from; i < to; i++) {
      Kernels.pack(packed, i, embeddings, changed[i] * width);
    }
    team.barrier();
    multiply(thread, adapterEmbedding, projected, 0);
    team.barrier();
    for (int i = from; i < to; i++) {
      System.arraycopy(projected, i * width, injections, changed[i] * width, width);
    }
  }

  /** Every thread sets the same shape; the last product is behind a barrier. */
  private void shape(int thread, int rows, Matrix matrix) {
    packed.shape(rows, matrix);
    if (thread == 0) {
      team.resetClaims();
    }
  }

  /** Packs the norms of the thread's rows for a product. */
  private void packNormed(int thread, float[] norm, Matrix matrix) {
    float[] normed = scratch[thread].row;
    shape(thread, count, matrix);
    for (int row = rowsBefore(thread); row < rowsBefore(thread + 1); row++) {
      Kernels.norm(stream, row * width, norm, epsilon, normed, 0, width, scratch[thread].product);
      Kernels.pack(packed, row, normed, 0);
    }
  }

  private void normLatents(int thread) {
    for (int row = rowsBefore(thread); row < rowsBefore(thread + 1); row++) {
      Kernels.norm(
          latents,
          batch.slot(first + row) * width,
          weights.finalNorm(),
          epsilon,
          stream,
          row * width,
          width,
          scratch[thread].product);
    }
  }

  private void copyRows(int thread, float[] target) {
    for (int row = rowsBefore(thread); row < rowsBefore(thread + 1); row++) {
      System.arraycopy(stream, row * width, target, batch.slot(first + row) * width, width);
    }
  }

  private void sandwich(int thread, SandwichBlock block, int index) {
    attention(thread, block, index);
    feedForward(thread, block);
  }

  /** Stores keys and values, and attends. */
  private void attention(int thread, SandwichBlock block, int index) {
    packNormed(thread, block.norm1(), block.queryKeyValue());
    team.barrier();
    multiply(thread, block.queryKeyValue(), queryKeyValue, 0);
    team.barrier();
    attend(thread, block, index);
    team.barrier();
  }

  /** What follows the attention: nothing in it is between rows. */
  private void feedForward(int thread, SandwichBlock block) {
    final int from = rowsBefore(thread);
    final int to = rowsBefore(thread + 1);
    final float[] normed = scratch[thread].row;

    shape(thread, count, block.attentionProjection());
    for (int row = from; row < to; row++) {
      Kernels.pack(packed, row, attended, row * width);
    }
    team.barrier();
    multiply(thread, block.attentionProjection(), projected, 0);
    team.barrier();

    shape(thread, count, block.gateUp());
    for (int row = from; row < to; row++) {
      Kernels.add(stream, row * width, projected, row * width, width);
      Kernels.norm(
          stream,
          row * width,
          block.norm2(),
          epsilon,
          stream,
          row * width,
          width,
          scratch[thread].product);
      Kernels.norm(
          stream, row * width, block.norm3(), epsilon, normed, 0, width, scratch[thread].product);
      Kernels.pack(packed, row, normed, 0);
    }
    team.barrier();
    gate(thread, block.gateUp());
    team.barrier();

    int intermediate = config.intermediateSize();
    shape(thread, count, block.mlpProjection());
    for (int row = from; row < to; row++) {
      Kernels.pack(packed, row, hidden, row * intermediate);
    }
    team.barrier();
    multiply(thread, block.mlpProjection(), projected, 0);
    team.barrier();
    for (int row = from; row < to; row++) {
      Kernels.add(stream, row * width, projected, row * width, width);
      Kernels.norm(
          stream,
          row * width,
          block.norm4(),
          epsilon,
          stream,
          row * width,
          width,
          scratch[thread].product);
    }
  }

  /**
   * A thread computes the gate and the up of the same columns, and needs no barrier between; of
   * many rows, of so few columns that the cache has them until they are multiplied.
   */
  private void gate(int thread, Matrix matrix) {
    int intermediate = config.intermediateSize();
    ThreadScratch own = scratch[thread];
    int units = units(intermediate);
    int step = count > PackedRows.WIDE_TILE ? Math.min(step(units), GATE_UNITS) : step(units);
    for (int unit = team.claim(step); unit < units; unit = team.claim(step)) {
      int from = unit * MatrixKernels.UNIT;
      int to = Math.min(intermediate, (unit + step) * MatrixKernels.UNIT);
      int size = to - from;
      int stride = 2 * size;
      Kernels.multiply(matrix, from, to, packed, own.gateUp, -from, stride, own.product);
      Kernels.multiply(
          matrix,
          intermediate + from,
          intermediate + to,
          packed,
          own.gateUp,
          size - intermediate - from,
          stride,
          own.product);
      for (int row = 0; row < count; row++) {
        int at = row * stride;
        Kernels.gate(
            own.gateUp, at, own.gateUp, at + size, hidden, row * intermediate + from, size);
      }
    }
  }

  private void attend(int thread, SandwichBlock block, int index) {
    int heads = config.heads();
    int size = config.headSize();
    float scale = (float) (1 / Math.sqrt(size));
    ThreadScratch own = scratch[thread];
    boolean lastOfCoda = function == Function.CODA && index == config.codaLayers() - 1;
    for (int head = share(heads, thread); head < share(heads, thread + 1); head++) {
      // The keys and values of all rows come first: rows of one sequence see each other.
      for (int row = 0; row < count; row++) {
        storeKeyAndValue(own, block, index, row, head);
      }
      for (int row = 0; row < count; row++) {
        if (lastOfCoda && !batch.logits(first + row)) {
          continue;
        }
        int position = batch.position(first + row);
        int at = row * 3 * width + head * size;
        Kernels.rotate(
            queryKeyValue, at, block.queryBias(), head * size, rotary, position, own.query, size);
        for (int i = 0; i < size; i++) {
          own.query[i] *= scale;
        }
        MemorySegment.copy(own.query, 0, own.packedQuery, ScalarKernels.FLOAT, 0, size);
        attendRow(own, index, row, head, position + 1);
        System.arraycopy(own.mixed, 0, attended, row * width + head * size, size);
      }
    }
  }

  private void storeKeyAndValue(
      ThreadScratch own, SandwichBlock block, int index, int row, int head) {
    int size = config.headSize();
    int position = batch.position(first + row);
    SequenceCache sequence = batch.sequence(first + row);
    VectorStore store = (VectorStore) sequence.store();
    int slot = sequence.layout().policy().slot(batch.recurrence(first + row));
    int plane = plane(sequence.layout(), slot, index);
    int at = row * 3 * width + width + head * size;
    Kernels.rotate(
        queryKeyValue, at, block.keyBias(), head * size, rotary, position, own.key, size);
    Kernels.store(store, own.key, 0, store.key(plane, head, position), size);
    Kernels.store(store, queryKeyValue, at + width, store.value(plane, head, position), size);
  }

  private int plane(KeyValueLayout layout, int slot, int block) {
    return switch (function) {
      case PRELUDE -> layout.preludePlane(block);
      case RECURRENT_BLOCK -> layout.recurrentPlane(slot, block);
      case CODA -> layout.codaPlane(block);
    };
  }

  private void attendRow(ThreadScratch own, int index, int row, int head, int length) {
    int size = config.headSize();
    SequenceCache sequence = batch.sequence(first + row);
    VectorStore store = (VectorStore) sequence.store();
    float[] scores = own.scores(length);
    int begin = runStart[row];
    int runs = runCount[row];
    for (int run = 0; run < runs; run++) {
      int plane = plane(sequence.layout(), runSlot[begin + run], index);
      int end = run + 1 < runs ? runPosition[begin + run + 1] : length;
      for (int p = runPosition[begin + run]; p < end; p += MatrixKernels.UNIT) {
        Kernels.scores(store, store.key(plane, head, p), size, own.packedQuery, own.product);
        System.arraycopy(own.product.partials, 0, scores, p, MatrixKernels.UNIT);
      }
    }
    float sum = Kernels.exponentiate(scores, length, own.product);
    Arrays.fill(own.mixed, 0);
    for (int run = 0; run < runs; run++) {
      int plane = plane(sequence.layout(), runSlot[begin + run], index);
      int start = runPosition[begin + run];
      int end = run + 1 < runs ? runPosition[begin + run + 1] : length;
      Kernels.addWeighted(
          store, store.value(plane, head, start), size, scores, start, end, own.mixed);
    }
    float share = 1 / sum;
    for (int i = 0; i < size; i++) {
      own.mixed[i] *= share;
    }
  }

  private void readOut(int thread) {
    Matrix head = weights.head();
    packNormed(thread, weights.finalNorm(), head);
    team.barrier();
    multiply(thread, head, logits, readOutFrom * config.vocabularySize());
  }

  @Override
  public void readLogits(int row, float[] into) {
    int vocabulary = config.vocabularySize();
    System.arraycopy(logits, logitsIndex[row] * vocabulary, into, 0, vocabulary);
  }

  @Override
  public void readEmbedding(int slot, float[] embedding) {
    System.arraycopy(embeddings, slot * width, embedding, 0, width);
  }

  @Override
  public void writeEmbedding(int slot, float[] embedding) {
    System.arraycopy(embedding, 0, embeddings, slot * width, width);
    injected[slot] = false;
  }

  @Override
  public void readLatent(int slot, float[] latent) {
    System.arraycopy(latents, slot * width, latent, 0, width);
  }

  @Override
  public void readNormedLatent(int slot, float[] latent) {
    Kernels.norm(
        latents, slot * width, weights.finalNorm(), epsilon, latent, 0, width, scratch[0].product);
  }

  @Override
  public void writeLatent(int slot, float[] latent) {
    System.arraycopy(latent, 0, latents, slot * width, width);
  }

  @Override
  public void close() {
    // The arrays are the heap's.
  }

  /** What one thread works in. */
  private static final class ThreadScratch {
    final MatrixKernels.Scratch product = new MatrixKernels.Scratch();
    final float[] row;

    /** Gates and ups of some columns, row by row. */
    final float[] gateUp;

    final short[] halves;
    final float[] query;

    /** The query outside the heap, where all rows of products are. */
    final MemorySegment packedQuery;

    final float[] key;
    final float[] mixed;
    private float[] scores = new float[0];

    ThreadScratch(RavenConfig config, int rows) {
      row = new float[config.embeddingSize()];
      int few = Math.min(rows, PackedRows.WIDE_TILE);
      int columns =
          Math.max(few * config.intermediateSize(), rows * GATE_UNITS * MatrixKernels.UNIT);
      gateUp = new float[2 * columns];
      halves = new short[config.embeddingSize()];
      query = new float[config.headSize()];
      packedQuery = NativeMemory.allocateAutomatic(4L * query.length);
      key = new float[config.headSize()];
      mixed = new float[config.headSize()];
    }

    /** Room for the scores of a number of positions and the rest of the last unit. */
    float[] scores(int positions) {
      int needed = positions + 2 * MatrixKernels.UNIT;
      if (scores.length < needed) {
        scores = new float[Math.max(needed, 2 * scores.length)];
      }
      return scores;
    }
  }
}
