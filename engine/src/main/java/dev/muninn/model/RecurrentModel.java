package dev.muninn.model;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/**
 * A recurrent-depth model as data, whatever family it is of:
 *
 * <pre>{@code
 * e   = P(x)            prelude: blocks over the embedded token
 * s_0 = start           noise, or e
 * s_i = R(e, s_{i-1})   i = 1 .. r, with the same weights every time
 * p   = C(s_r)          coda: blocks and the head
 * }</pre>
 *
 * <p>Matrices stay in the files that they were mapped from; norms, biases and gates are widened to
 * f32.
 *
 * @param family what people call models of its kind
 * @param contextLength positions that the model was made for
 * @param depth how often R was applied in training
 * @param embedding of tokens
 * @param prelude P's blocks, perhaps none
 * @param core R
 * @param coda C
 * @param gate the learned exit, if the model has one
 */
public record RecurrentModel(
    String family,
    int contextLength,
    Depth depth,
    Embedding embedding,
    List<Block> prelude,
    RecurrentBlock core,
    Coda coda,
    Optional<ExitGate> gate) {

  public RecurrentModel {
    Objects.requireNonNull(family, "family");
    Objects.requireNonNull(depth, "depth");
    prelude = List.copyOf(prelude);
    if (contextLength < 1) {
      throw new IllegalArgumentException("a context needs positions, not " + contextLength);
    }
    int width = embedding.matrix().columns();
    if (coda.head().columns() != width || coda.head().rows() != embedding.matrix().rows()) {
      throw new IllegalArgumentException(
          "the head is %d x %d and the embedding %d x %d"
              .formatted(
                  coda.head().rows(),
                  coda.head().columns(),
                  embedding.matrix().rows(),
                  embedding.matrix().columns()));
    }
    for (Optional<Norm> norm : List.of(core.norm(), coda.before(), coda.beforeHead())) {
      if (norm.isPresent()) {
        requireWidth("a norm", norm.get().size(), width);
      }
    }
    if (core.injection().isPresent()) {
      requireWidth("the injection", core.injection().get().rows(), width);
    }
    if (gate.isPresent()) {
      requireWidth("the exit gate", gate.get().weight().length, width);
    }
    Block first = core.blocks().getFirst();
    for (Block block : allBlocks(prelude, core, coda)) {
      requireWidth("a block", block.width(), width);
      Block.requireSameKeys(block, first);
    }
  }

  private static void requireWidth(String what, int found, int width) {
    if (found != width) {
      throw new IllegalArgumentException(
          what + " is " + found + " wide in a model of width " + width);
    }
  }

  private static List<Block> allBlocks(List<Block> prelude, RecurrentBlock core, Coda coda) {
    List<Block> blocks = new ArrayList<>(prelude);
    blocks.addAll(core.blocks());
    blocks.addAll(coda.blocks());
    return blocks;
  }

  /** The shape in one line, the same for the same configuration; the values are left out. */
  @Override
  public String toString() {
    StringBuilder text = new StringBuilder();
    text.append(family)
        .append(" of width ")
        .append(width())
        .append(", vocabulary ")
        .append(vocabularySize())
        .append(", context ")
        .append(contextLength)
        .append(", ")
        .append(depth)
        .append(", embedding times ")
        .append(embedding.scale())
        .append(", ")
        .append(core.start())
        .append(injects() ? ", injection" : "")
        .append(", norms ")
        .append(core.norm().isPresent())
        .append(coda.before().isPresent())
        .append(coda.beforeHead().isPresent())
        .append(tied() ? ", tied" : ", untied");
    if (gate.isPresent()) {
      text.append(", gate at ").append(gate.get().threshold());
    }
    for (Block block : blocks()) {
      text.append("; ").append(block);
    }
    return text.toString();
  }

  /** Width h of the latent state. */
  public int width() {
    return embedding.matrix().columns();
  }

  /** Tokens that the head knows, padding included. */
  public int vocabularySize() {
    return embedding.matrix().rows();
  }

  /** Applications of R by default. */
  public int defaultRecurrence() {
    return depth.recurrence();
  }

  /** Whether the head is the embedding matrix. */
  public boolean tied() {
    return coda.head() == embedding.matrix();
  }

  /** Heads of keys and values, the same in every block. */
  public int keyValueHeads() {
    return core.blocks().getFirst().attention().keyValueHeads();
  }

  /** Width of a head, the same in every block. */
  public int headSize() {
    return core.blocks().getFirst().attention().headSize();
  }

  /** Blocks that a token passes at r recurrences: l_P + r l_R + l_C. */
  public long effectiveDepth(int recurrence) {
    return prelude.size() + (long) recurrence * core.blocks().size() + coda.blocks().size();
  }

  /** Whether every recurrence sees the embedded token, and not only the first. */
  public boolean injects() {
    return core.injection().isPresent();
  }

  /** All blocks, the prelude's first and the coda's last. */
  public List<Block> blocks() {
    return allBlocks(prelude, core, coda);
  }

  /** Formats of all matrices that are multiplied with. */
  public Set<WeightFormat> matrixFormats() {
    Set<WeightFormat> formats = EnumSet.noneOf(WeightFormat.class);
    formats.add(coda.head().format());
    if (core.injection().isPresent()) {
      formats.add(core.injection().get().format());
    }
    for (Block block : blocks()) {
      for (WeightMatrix matrix : block.matrices()) {
        formats.add(matrix.format());
      }
    }
    return formats;
  }

  /** The format of most of the recurrent block's weights. */
  public WeightFormat coreFormat() {
    long[] weights = new long[WeightFormat.values().length];
    for (Block block : core.blocks()) {
      for (WeightMatrix matrix : block.matrices()) {
        weights[matrix.format().ordinal()] += matrix.elements();
      }
    }
    WeightFormat most = WeightFormat.F32;
    for (WeightFormat format : WeightFormat.values()) {
      if (weights[format.ordinal()] > weights[most.ordinal()]) {
        most = format;
      }
    }
    return most;
  }
}
