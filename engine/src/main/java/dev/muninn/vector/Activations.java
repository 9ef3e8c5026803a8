package dev.muninn.vector;

import dev.muninn.backend.MatrixInputs;
import dev.muninn.kernel.ThreadTeam;
import dev.muninn.model.Block;
import dev.muninn.model.Norm;
import dev.muninn.model.RecurrentModel;
import java.util.Optional;

/** What a chunk's rows become on their way through the blocks, row by row. */
final class Activations {
  /** The residual stream, [rows, h]. */
  final float[] stream;

  /** Queries, keys and values, [rows, queries + keys + values]. */
  final float[] queryKeyValue;

  /** What the heads have mixed, [rows, heads x head size]. */
  final float[] attended;

  /** What a branch adds, [rows, h]. */
  final float[] projected;

  /** Between the MLP's products, [rows, i]. */
  final float[] hidden;

  final TeamProducts products;
  final ThreadScratch[] scratch;
  private final ThreadTeam team;
  private final RowChunk chunk;
  private final int width;

  Activations(
      RecurrentModel model, ThreadTeam team, RowChunk chunk, int rows, MatrixInputs inputs) {
    this.team = team;
    this.chunk = chunk;
    this.width = model.width();
    int queryKeyValueWidth = 0;
    int attentionWidth = 0;
    int intermediate = 0;
    int packings = 1;
    for (Block block : model.blocks()) {
      attentionWidth = Math.max(attentionWidth, block.attention().width());
      queryKeyValueWidth =
          Math.max(
              queryKeyValueWidth,
              block.attention().width() + 2 * block.attention().keyValueWidth());
      intermediate = Math.max(intermediate, block.mlp().width());
      packings = Math.max(packings, new MatrixGroup(block.queryKeyValue()).packings());
      packings = Math.max(packings, new MatrixGroup(block.feedForward()).packings());
    }
    stream = new float[rows * width];
    queryKeyValue = new float[rows * queryKeyValueWidth];
    attended = new float[rows * attentionWidth];
    projected = new float[rows * width];
    hidden = new float[rows * intermediate];
    int columns = Math.max(width, Math.max(attentionWidth, intermediate));
    products = new TeamProducts(team, packings, rows, columns, model.matrixFormats(), inputs);
    scratch = new ThreadScratch[team.size()];
    for (int thread = 0; thread < scratch.length; thread++) {
      scratch[thread] = new ThreadScratch(rows, width, intermediate, model.headSize());
    }
  }

  /** Packs the thread's rows of the stream for a product, behind a norm if there is one. */
  void packStream(int thread, Optional<Norm> norm, MatrixGroup group) {
    ThreadScratch own = scratch[thread];
    products.shape(thread, chunk.count, group);
    for (int row = team.share(chunk.count, thread);
        row < team.share(chunk.count, thread + 1);
        row++) {
      if (norm.isPresent()) {
        normRow(norm.get(), stream, row * width, own.row, 0, own);
        products.pack(group, row, own.row, 0);
      } else {
        products.pack(group, row, stream, row * width);
      }
    }
  }

  /** Copies a row, through a norm if there is one. */
  void copyRow(Optional<Norm> norm, float[] source, int from, float[] target, int to, int thread) {
    if (norm.isPresent()) {
      normRow(norm.get(), source, from, target, to, scratch[thread]);
    } else {
      System.arraycopy(source, from, target, to, width);
    }
  }

  private void normRow(
      Norm norm, float[] source, int from, float[] target, int to, ThreadScratch own) {
    Kernels.norm(source, from, norm.scale(), norm.epsilon(), target, to, width, own.product);
  }
}
