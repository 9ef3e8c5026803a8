package dev.muninn.vector;

import dev.muninn.backend.LatentRows;
import dev.muninn.backend.MatrixInputs;
import dev.muninn.backend.RowBatch;
import dev.muninn.kernel.RotaryTable;
import dev.muninn.kernel.ThreadTeam;
import dev.muninn.model.Block;
import dev.muninn.model.Norm;
import dev.muninn.model.RecurrentModel;
import dev.muninn.model.Rotary;
import dev.muninn.model.WeightFormat;
import dev.muninn.model.WeightMatrix;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * P, R and C on the CPU. Every thread of the team runs the whole function. A batch goes through in
 * chunks of {@link #CHUNK} rows, which bounds the activations.
 */
final class VectorRows extends LatentRows implements ThreadTeam.Task {
  /**
   * Most rows whose activations are kept at once: enough for products to be bound by arithmetic.
   */
  private static final int CHUNK = 256;

  /** Products with weights of R that scalars compute in some tens of milliseconds. */
  private static final long MUCH = 1L << 24;

  private final RecurrentModel model;
  private final ThreadTeam team;
  private final int capacity;
  private final int width;
  private final int vocabulary;
  private final WeightFormat[] formats;
  private final long coreWeights;
  private final RowChunk chunk;
  private final Activations activations;
  private final BlockForward[] prelude;
  private final BlockForward[] core;
  private final BlockForward[] coda;
  private final MatrixGroup head;

  /** The injection's columns for the latent state; null where R sees nothing but that. */
  private final MatrixGroup stateInjection;

  /** The injection's columns for e, whose product is the same for every recurrence. */
  private final MatrixGroup embeddingInjection;

  private final float[] embeddings;
  private final float[] latents;

  /** What the injection makes of the embeddings. */
  private final float[] injections;

  /** Whether a slot's injection is that of its embedding. */
  private final boolean[] injected;

  private float[] logits = new float[0];
  private int[] logitsIndex = new int[0];

  // The slots of the chunk whose embedding the injection has not seen.
  private final int[] changed;
  private int changedCount;

  // The rows of the chunk that are read out, where their logits begin, and whether there are
  // others.
  private int readOutCount;
  private int readOutFrom;
  private boolean hasUnread;

  VectorRows(
      RecurrentModel model,
      ThreadTeam team,
      Map<Rotary, RotaryTable> rotary,
      int capacity,
      MatrixInputs inputs) {
    this.model = model;
    this.team = team;
    this.capacity = capacity;
    this.width = model.width();
    this.vocabulary = model.vocabularySize();
    this.formats = model.matrixFormats().toArray(new WeightFormat[0]);
    this.coreWeights = coreWeights(model);
    int rows = Math.min(capacity, CHUNK);
    this.chunk = new RowChunk(rows);
    this.activations = new Activations(model, team, chunk, rows, inputs);
    this.prelude = forwards(model.prelude(), rotary);
    this.core = forwards(model.core().blocks(), rotary);
    this.coda = forwards(model.coda().blocks(), rotary);
    this.head = new MatrixGroup(model.coda().head());
    Optional<WeightMatrix> injection = model.core().injection();
    if (injection.isPresent()) {
      WeightMatrix matrix = injection.get();
      this.stateInjection = new MatrixGroup(matrix.part(0, width));
      this.embeddingInjection = new MatrixGroup(matrix.part(matrix.columns() - width, width));
    } else {
      this.stateInjection = null;
      this.embeddingInjection = null;
    }
    this.embeddings = new float[Math.multiplyExact(capacity, width)];
    this.latents = new float[embeddings.length];
    this.injections = new float[injection.isPresent() ? embeddings.length : 0];
    this.injected = new boolean[capacity];
    this.changed = new int[rows];
  }

  private BlockForward[] forwards(List<Block> blocks, Map<Rotary, RotaryTable> rotary) {
    BlockForward[] forwards = new BlockForward[blocks.size()];
    for (int i = 0; i < forwards.length; i++) {
      Block block = blocks.get(i);
      forwards[i] =
          new BlockForward(block, rotary.get(block.attention().rotary()), activations, team, chunk);
    }
    return forwards;
  }

  private static long coreWeights(RecurrentModel model) {
    long weights = 0;
    for (Block block : model.core().blocks()) {
      weights += block.weights();
    }
    return weights;
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
    runChunks(RowChunk.Part.PRELUDE, rows);
  }

  @Override
  protected void applyRecurrentBlock(RowBatch rows) {
    runChunks(RowChunk.Part.CORE, rows);
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
    int needed = Math.multiplyExact(logitsRows, vocabulary);
    if (logits.length < needed) {
      logits = new float[needed];
    }
    runChunks(RowChunk.Part.CODA, rows);
  }

  private void runChunks(RowChunk.Part part, RowBatch rows) {
    int chunks = (rows.size() + CHUNK - 1) / CHUNK;
    for (int i = 0; i < chunks; i++) {
      // Even chunks: a last one of few rows would read all weights for little.
      int first = (int) ((long) rows.size() * i / chunks);
      int end = (int) ((long) rows.size() * (i + 1) / chunks);
      chunk.set(part, rows, first, end - first);
      findChanged();
      findReadOut();
      awaitKernels();
      if (WarmUp.running()) {
        // The other processors are compiling.
        team.runAlone(this);
      } else {
        team.run(this);
      }
      for (int row = 0; row < changedCount; row++) {
        injected[changed[row]] = true;
      }
    }
  }

  /** Waits for kernels that are being compiled where scalars would take longer. */
  private void awaitKernels() {
    boolean waits = isMuch(coreWeights, chunk.count) || WarmUp.isLate();
    for (WeightFormat format : formats) {
      if (hasTiles(format)) {
        WarmUp.beginTiles(format);
      }
      if (!format.inPanels() && chunk.count >= PackingProducts.LEAST_ROWS) {
        WarmUp.beginPacking();
      }
      if (waits) {
        WarmUp.await(format);
      }
    }
  }

  /**
   * Whether a call is so large that it waits for kernels that are being compiled rather than to
   * compute without.
   *
   * @param coreWeights elements of the recurrent block's matrices
   */
  private static boolean isMuch(long coreWeights, int rows) {
    return rows * coreWeights > MUCH;
  }

  /** Whether one row of a model is much to compute by scalars. */
  static boolean isLarge(RecurrentModel model) {
    return isMuch(coreWeights(model), 1);
  }

  /** Whether products of the chunk need the kernels for a few rows. */
  private boolean hasTiles(WeightFormat format) {
    return switch (chunk.part) {
      case PRELUDE -> hasTiles(prelude, format);
      case CORE ->
          hasTiles(core, format)
              || stateInjection != null
                  && (stateInjection.hasTiles(chunk.count, format)
                      || embeddingInjection.hasTiles(changedCount, format));
      case CODA -> hasTiles(coda, format) || head.hasTiles(readOutCount, format);
    };
  }

  private boolean hasTiles(BlockForward[] blocks, WeightFormat format) {
    for (BlockForward block : blocks) {
      if (block.hasTiles(chunk.count, format) || block.hasTiles(readOutCount, format)) {
        return true;
      }
    }
    return false;
  }

  private void findChanged() {
    changedCount = 0;
    if (chunk.part != RowChunk.Part.CORE || stateInjection == null) {
      return;
    }
    for (int row = 0; row < chunk.count; row++) {
      int slot = chunk.slot(row);
      if (!injected[slot]) {
        changed[changedCount++] = slot;
      }
    }
  }

  private void findReadOut() {
    readOutCount = 0;
    if (chunk.part != RowChunk.Part.CODA) {
      return;
    }
    for (int row = chunk.count - 1; row >= 0; row--) {
      if (chunk.logits(row)) {
        readOutFrom = logitsIndex[chunk.first + row];
        readOutCount++;
      }
    }
    hasUnread = readOutCount < chunk.count;
  }

  @Override
  public void run(int thread) {
    switch (chunk.part) {
      case PRELUDE -> {
        embed(thread);
        blocks(thread, prelude, prelude.length);
        leave(thread, Optional.empty(), embeddings);
      }
      case CORE -> {
        if (stateInjection == null) {
          enter(thread, Optional.empty());
        } else {
          inject(thread);
        }
        blocks(thread, core, core.length);
        leave(thread, model.core().norm(), latents);
      }
      case CODA -> {
        enter(thread, model.coda().before());
        readOut(thread);
      }
    }
  }

  private void blocks(int thread, BlockForward[] blocks, int end) {
    for (int i = 0; i < end; i++) {
      blocks[i].attention(thread, i, false);
      blocks[i].feedForward(thread);
    }
  }

  private int begin(int thread) {
    return team.share(chunk.count, thread);
  }

  private int end(int thread) {
    return team.share(chunk.count, thread + 1);
  }

  private void embed(int thread) {
    WeightMatrix embedding = model.embedding().matrix();
    float scale = model.embedding().scale();
    float[] stream = activations.stream;
    for (int row = begin(thread); row < end(thread); row++) {
      int at = row * width;
      ScalarMatrixKernels.read(
          embedding, chunk.token(row), activations.scratch[thread].halves, stream, at);
      if (scale != 1) {
        for (int i = at; i < at + width; i++) {
          stream[i] *= scale;
        }
      }
    }
  }

  /** The thread's latent states go to the stream, through a norm if there is one. */
  private void enter(int thread, Optional<Norm> norm) {
    for (int row = begin(thread); row < end(thread); row++) {
      activations.copyRow(
          norm, latents, chunk.slot(row) * width, activations.stream, row * width, thread);
    }
  }

  /** The thread's rows of the stream go to their slots, through a norm if there is one. */
  private void leave(int thread, Optional<Norm> norm, float[] slots) {
    for (int row = begin(thread); row < end(thread); row++) {
      activations.copyRow(
          norm, activations.stream, row * width, slots, chunk.slot(row) * width, thread);
    }
  }

  /** The stream begins from the latent states mixed with the embedded tokens. */
  private void inject(int thread) {
    TeamProducts products = activations.products;
    MatrixKernels.Scratch own = activations.scratch[thread].product;
    if (changedCount > 0) {
      injectEmbeddings(thread);
    }
    products.shape(thread, chunk.count, stateInjection);
    for (int row = begin(thread); row < end(thread); row++) {
      products.pack(stateInjection, row, latents, chunk.slot(row) * width);
    }
    team.barrier();
    products.multiply(stateInjection, activations.stream, 0, own);
    team.barrier();
    for (int row = begin(thread); row < end(thread); row++) {
      Kernels.add(activations.stream, row * width, injections, chunk.slot(row) * width, width);
    }
  }

  private void injectEmbeddings(int thread) {
    final int from = team.share(changedCount, thread);
    final int to = team.share(changedCount, thread + 1);
    TeamProducts products = activations.products;
    products.shape(thread, changedCount, embeddingInjection);
    for (int i = from; i < to; i++) {
      products.pack(embeddingInjection, i, embeddings, changed[i] * width);
    }
    team.barrier();
    products.multiply(
        embeddingInjection, activations.projected, 0, activations.scratch[thread].product);
    team.barrier();
    for (int i = from; i < to; i++) {
      System.arraycopy(activations.projected, i * width, injections, changed[i] * width, width);
    }
  }

  /** Behind the last block's queries, keys and values, only rows that are read out go on. */
  private void readOut(int thread) {
    int last = coda.length - 1;
    blocks(thread, coda, last);
    if (last >= 0) {
      coda[last].attention(thread, last, true);
    } else {
      team.barrier();
    }
    if (hasUnread) {
      keepReadOut(thread);
    }
    if (chunk.count > 0) {
      if (last >= 0) {
        coda[last].feedForward(thread);
      }
      activations.packStream(thread, model.coda().beforeHead(), head);
      team.barrier();
      activations.products.multiply(
          head, logits, readOutFrom * vocabulary, activations.scratch[thread].product);
    }
  }

  /** Moves the rows that are read out together, and forgets the others. */
  private void keepReadOut(int thread) {
    if (thread == 0) {
      int attentionWidth =
          coda.length == 0 ? 0 : model.coda().blocks().getLast().attention().width();
      int target = 0;
      for (int row = 0; row < chunk.count; row++) {
        if (chunk.logits(row)) {
          move(activations.stream, row, target, width);
          move(activations.attended, row, target, attentionWidth);
          target++;
        }
      }
      chunk.count = target;
    }
    team.barrier();
  }

  private static void move(float[] rows, int from, int to, int width) {
    System.arraycopy(rows, from * width, rows, to * width, width);
  }

  @Override
  public void readLogits(int row, float[] into) {
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
    activations.copyRow(model.coda().before(), latents, slot * width, latent, 0, 0);
  }

  @Override
  public void writeLatent(int slot, float[] latent) {
    System.arraycopy(latent, 0, latents, slot * width, width);
  }

  @Override
  public void close() {
    // The arrays are the heap's.
  }
}
