package dev.muninn.train;

import static dev.muninn.train.SandwichLayer.add;
import static dev.muninn.train.SandwichLayer.copy;

import dev.muninn.family.huginn.HuginnConfig;
import dev.muninn.train.data.Batch;
import java.util.ArrayList;
import java.util.List;

/**
 * A thread's forward and backward of some sequences. Activations are kept for the prelude, the coda
 * and the last k recurrences only, so memory does not grow with r: recurrence i has the place i mod
 * k, and the places of the last k are those that the backward finds.
 */
final class Pass {
  private final Network network;
  private final HuginnConfig config;
  private final Workspace space;
  private final int length;
  private final int rows;
  private final List<BlockActivations> prelude;
  private final List<Recurrence> recurrences = new ArrayList<>();
  private final List<BlockActivations> coda;
  private final Head.Pass head;
  private final float[] embedded;

  /** What the adapter makes of e, which is the same for every recurrence. */
  private final float[] injected;

  private final float[] codaInput;
  private final float[] readOut;
  private final float[] gradient;
  private final float[] injectedGradient;

  /** The activations of one recurrence. */
  private static final class Recurrence {
    final float[] state;
    final float[] adapted;
    final List<BlockActivations> blocks;

    Recurrence(int size, List<BlockActivations> blocks) {
      state = new float[size];
      adapted = new float[size];
      this.blocks = blocks;
    }
  }

  /**
   * Room for a number of sequences.
   *
   * @param sequences most of them at once
   * @param length of the longest
   * @param kept recurrences whose activations are kept, k
   */
  Pass(Network network, int thread, int sequences, int length, int kept) {
    this.network = network;
    this.config = network.config;
    this.length = length;
    this.rows = Math.multiplyExact(sequences, length);
    this.space = new Workspace(config, thread, rows, length);
    this.prelude = activations(config.preludeLayers());
    int size = rows * config.embeddingSize();
    for (int i = 0; i < kept; i++) {
      recurrences.add(new Recurrence(size, activations(config.recurrentLayers())));
    }
    this.coda = activations(config.codaLayers());
    this.head = network.head.new Pass(rows);
    this.embedded = new float[size];
    this.injected = new float[size];
    this.codaInput = new float[size];
    this.readOut = new float[size];
    this.gradient = new float[size];
    this.injectedGradient = new float[size];
  }

  private List<BlockActivations> activations(int blocks) {
    List<BlockActivations> activations = new ArrayList<>();
    for (int block = 0; block < blocks; block++) {
      activations.add(new BlockActivations(config, rows, network.sandwich));
    }
    return activations;
  }

  /** Whether this has room for such a pass. */
  boolean holds(int sequences, int sequenceLength, int kept) {
    return (long) sequences * sequenceLength <= rows
        && sequenceLength <= length
        && kept <= recurrences.size();
  }

  /**
   * The sum of the losses of the labels that count.
   *
   * @param first the first sequence of the batch that is passed
   * @param count how many
   * @param recurrence r
   * @param predictions gets the likeliest token of every position, [batch]; or null
   */
  double forward(
      Batch batch, int first, int count, StartingStates states, int recurrence, int[] predictions) {
    Rows out = readOut(batch, first, count, states, recurrence, recurrences.size());
    return head.loss(space, out, batch.labels(), first * batch.length(), 0, null, predictions);
  }

  /**
   * The sum of the losses; adds the gradients of all weights.
   *
   * @param kept k, how many of the last recurrences are gone back through, at most r
   * @param weight the factor on every label's loss in what is differentiated
   */
  double forwardAndBackward(
      Batch batch,
      int first,
      int count,
      StartingStates states,
      int recurrence,
      int kept,
      float weight) {
    int tokens = batch.length();
    Rows out = readOut(batch, first, count, states, recurrence, kept);
    Rows d = all(gradient, out.rows());
    double loss = head.loss(space, out, batch.labels(), first * tokens, weight, d, null);
    network.finalNorm.backward(space, coda.getLast().output(out.rows()), d, d);
    backward(network.coda, coda, d, tokens);
    Recurrence last = recurrences.get((recurrence - 1) % kept);
    network.finalNorm.backward(space, last.blocks.getLast().output(out.rows()), d, d);
    backwardRecurrences(d, recurrence, kept, tokens);
    backward(network.prelude, prelude, d, tokens);
    embeddingGradient(batch, first * tokens, d);
    return loss;
  }

  /** What the head reads: ln_f of the coda's output. */
  private Rows readOut(
      Batch batch, int first, int count, StartingStates states, int recurrence, int kept) {
    int tokens = batch.length();
    int passed = count * tokens;
    Rows x = all(embedded, passed);
    embed(batch, first * tokens, x);
    x = forward(network.prelude, prelude, x, tokens);
    Rows fixed = all(injected, passed);
    network.adapterEmbedding.forward(space.products, x, fixed);
    Rows state = null;
    for (int i = 0; i < recurrence; i++) {
      Recurrence place = recurrences.get(i % kept);
      Rows input = all(place.state, passed);
      if (i == 0) {
        for (int sequence = 0; sequence < count; sequence++) {
          states.fill(first + sequence, input.rows(sequence * tokens, tokens));
        }
      } else {
        copy(state, input);
      }
      Rows adapted = all(place.adapted, passed);
      copy(fixed, adapted);
      network.adapterState.forwardAdd(space.products, input, adapted);
      state = forward(network.recurrentBlock, place.blocks, adapted, tokens);
    }
    Rows out = all(codaInput, passed);
    network.finalNorm.forward(state, out);
    Rows result = all(readOut, passed);
    network.finalNorm.forward(forward(network.coda, coda, out, tokens), result);
    return result;
  }

  /** Turns the gradient of s_r into that of e; the first r - k recurrences are constants. */
  private void backwardRecurrences(Rows d, int recurrence, int kept, int tokens) {
    Rows sum = all(injectedGradient, d.rows());
    for (int i = recurrence - 1; i >= recurrence - kept; i--) {
      Recurrence place = recurrences.get(i % kept);
      backward(network.recurrentBlock, place.blocks, d, tokens);
      network.adapterState.backwardWeight(
          space.products, d, all(place.state, d.rows()), space.thread);
      if (i == recurrence - 1) {
        copy(d, sum);
      } else {
        add(sum, d);
      }
      if (i > recurrence - kept) {
        Rows next = space.attendedGradient(d.rows());
        network.adapterState.backwardInput(space.products, d, next);
        copy(next, d);
      }
    }
    Rows e = prelude.getLast().output(d.rows());
    network.adapterEmbedding.backwardWeight(space.products, sum, e, space.thread);
    network.adapterEmbedding.backwardInput(space.products, sum, d);
  }

  private Rows forward(
      List<SandwichLayer> layers, List<BlockActivations> kept, Rows x, int tokens) {
    Rows output = x;
    for (int block = 0; block < layers.size(); block++) {
      output = layers.get(block).forward(space, output, kept.get(block), tokens);
    }
    return output;
  }

  private void backward(
      List<SandwichLayer> layers, List<BlockActivations> kept, Rows d, int tokens) {
    for (int block = layers.size() - 1; block >= 0; block--) {
      layers.get(block).backward(space, kept.get(block), d, tokens);
    }
  }

  private void embed(Batch batch, int from, Rows x) {
    int width = x.columns();
    float scale = (float) Math.sqrt(width);
    float[] table = network.parameters.embedding.values;
    for (int row = 0; row < x.rows(); row++) {
      int at = batch.tokens()[from + row] * width;
      for (int i = 0; i < width; i++) {
        x.data()[row * width + i] = scale * table[at + i];
      }
    }
  }

  private void embeddingGradient(Batch batch, int from, Rows d) {
    int width = d.columns();
    float scale = (float) Math.sqrt(width);
    float[] target = network.parameters.embedding.gradient(space.thread);
    for (int row = 0; row < d.rows(); row++) {
      int at = batch.tokens()[from + row] * width;
      for (int i = 0; i < width; i++) {
        target[at + i] = Math.fma(scale, d.data()[row * width + i], target[at + i]);
      }
    }
  }

  private Rows all(float[] data, int count) {
    return Rows.of(data, count, config.embeddingSize());
  }
}
