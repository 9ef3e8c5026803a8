package dev.muninn.vector;

import dev.muninn.kernel.RotaryTable;
import dev.muninn.kernel.ThreadTeam;
import dev.muninn.model.Block;
import dev.muninn.model.BranchNorms;
import dev.muninn.model.Norm;
import dev.muninn.model.WeightFormat;
import java.util.List;

/**
 * One block over the rows of a chunk. Every thread runs it; between two barriers each has its own
 * rows (norms), heads (attention) or outputs (products).
 */
final class BlockForward {
  private final BranchNorms attentionNorms;
  private final BranchNorms mlpNorms;
  private final MatrixGroup queryKeyValue;
  private final MatrixGroup output;
  private final MatrixGroup gateUp;
  private final MatrixGroup down;
  private final AttentionForward attention;
  private final int attentionWidth;
  private final int intermediate;
  private final Activations activations;
  private final ThreadTeam team;
  private final RowChunk chunk;
  private final int width;

  BlockForward(
      Block block, RotaryTable rotary, Activations activations, ThreadTeam team, RowChunk chunk) {
    this.attentionNorms = block.attentionNorms();
    this.mlpNorms = block.mlpNorms();
    this.queryKeyValue = new MatrixGroup(block.queryKeyValue());
    this.output = new MatrixGroup(block.attention().output());
    this.gateUp = new MatrixGroup(List.of(block.mlp().gate(), block.mlp().up()));
    this.down = new MatrixGroup(block.mlp().down());
    this.attention = new AttentionForward(block.attention(), rotary, team, chunk);
    this.attentionWidth = block.attention().width();
    this.intermediate = block.mlp().width();
    this.activations = activations;
    this.team = team;
    this.chunk = chunk;
    this.width = block.width();
  }

  /** Whether any of the block's products of so many rows needs the kernels for a few rows. */
  boolean hasTiles(int rows, WeightFormat format) {
    return queryKeyValue.hasTiles(rows, format)
        || output.hasTiles(rows, format)
        || gateUp.hasTiles(rows, format)
        || down.hasTiles(rows, format);
  }

  /**
   * Stores keys and values, and attends.
   *
   * @param block number of the block in its part
   * @param readOutOnly whether only rows whose logits are wanted attend
   */
  void attention(int thread, int block, boolean readOutOnly) {
    ThreadScratch own = activations.scratch[thread];
    activations.packStream(thread, attentionNorms.before(), queryKeyValue);
    team.barrier();
    activations.products.multiply(queryKeyValue, activations.queryKeyValue, 0, own.product);
    team.barrier();
    attention.run(thread, activations.queryKeyValue, block, readOutOnly, activations.attended, own);
    team.barrier();
  }

  /** What follows the attention: nothing in it is between rows. */
  void feedForward(int thread) {
    final int from = team.share(chunk.count, thread);
    final int to = team.share(chunk.count, thread + 1);
    final ThreadScratch own = activations.scratch[thread];
    final TeamProducts products = activations.products;

    products.shape(thread, chunk.count, output);
    for (int row = from; row < to; row++) {
      products.pack(output, row, activations.attended, row * attentionWidth);
    }
    team.barrier();
    products.multiply(output, activations.projected, 0, own.product);
    team.barrier();
    addBranch(thread, attentionNorms);

    activations.packStream(thread, mlpNorms.before(), gateUp);
    team.barrier();
    products.gate(gateUp, chunk.count, activations.hidden, own);
    team.barrier();

    products.shape(thread, chunk.count, down);
    for (int row = from; row < to; row++) {
      products.pack(down, row, activations.hidden, row * intermediate);
    }
    team.barrier();
    products.multiply(down, activations.projected, 0, own.product);
    team.barrier();
    addBranch(thread, mlpNorms);
  }

  /** Adds what a branch has made of the thread's rows to the stream. */
  private void addBranch(int thread, BranchNorms norms) {
    ThreadScratch own = activations.scratch[thread];
    for (int row = team.share(chunk.count, thread);
        row < team.share(chunk.count, thread + 1);
        row++) {
      int at = row * width;
      if (norms.output().isPresent()) {
        norm(norms.output().get(), activations.projected, at, own);
      }
      Kernels.add(activations.stream, at, activations.projected, at, width);
      if (norms.stream().isPresent()) {
        norm(norms.stream().get(), activations.stream, at, own);
      }
    }
  }

  private void norm(Norm norm, float[] values, int at, ThreadScratch own) {
    Kernels.norm(values, at, norm.scale(), norm.epsilon(), values, at, width, own.product);
  }
}
