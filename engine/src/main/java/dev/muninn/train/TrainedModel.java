package dev.muninn.train;

import dev.muninn.family.huginn.HuginnConfig;
import dev.muninn.kernel.RowKernels;
import dev.muninn.kernel.ThreadTeam;
import dev.muninn.train.data.Batch;
import java.util.Arrays;

/**
 * A model in training, on a thread team. Every thread has sequences of its own, always the same
 * ones, and gradients of its own, which are added up in the order of the threads: so the same
 * number of threads gives the same bits.
 */
final class TrainedModel implements AutoCloseable {
  /** Rows that go through a layer at once: enough for products, few enough for the caches. */
  private static final int ROWS = 288;

  final Network network;
  private final Parameters parameters;
  private final ThreadTeam team;
  private final Pass[] passes;
  private final double[] sums;

  TrainedModel(HuginnConfig config, boolean sandwich, int threads) {
    parameters = new Parameters(config, sandwich, threads);
    network = new Network(config, sandwich, parameters);
    passes = new Pass[threads];
    sums = new double[threads];
    team = new ThreadTeam(threads);
  }

  Parameters parameters() {
    return parameters;
  }

  ThreadTeam team() {
    return team;
  }

  /**
   * The mean loss of the labels that count.
   *
   * @param predictions gets the likeliest token of every position whose label counts; or null
   */
  double loss(Batch batch, StartingStates states, int recurrence, int[] predictions) {
    check(batch);
    team.run(thread ->
        sums[thread] =
            share(
                batch,
                thread,
                1,
                (pass, first, count) ->
                    pass.forward(batch, first, count, states, recurrence, predictions)));
    return Arrays.stream(sums).sum() / batch.counted();
  }

  /**
   * The mean loss of the labels that count; its gradients are added to the threads'.
   *
   * @param recurrence r
   * @param depth most recurrences that are gone back through, k
   * @param weight factor on the gradients
   */
  double lossAndGradients(
      Batch batch, StartingStates states, int recurrence, int depth, double weight) {
    check(batch);
    int kept = Math.min(depth, recurrence);
    int counted = batch.counted();
    float each = (float) (weight / counted);
    team.run(thread ->
        sums[thread] =
            share(
                batch,
                thread,
                kept,
                (pass, first, count) ->
                    pass.forwardAndBackward(batch, first, count, states, recurrence, kept, each)));
    return Arrays.stream(sums).sum() / counted;
  }

  private interface Work {
    double run(Pass pass, int first, int count);
  }

  private double share(Batch batch, int thread, int kept, Work work) {
    int threads = team.size();
    int begin = (int) ((long) batch.count() * thread / threads);
    int end = (int) ((long) batch.count() * (thread + 1) / threads);
    int most = Math.max(1, ROWS / batch.length());
    double sum = 0;
    for (int first = begin; first < end; first += most) {
      int count = Math.min(most, end - first);
      Pass pass = passes[thread];
      if (pass == null || !pass.holds(count, batch.length(), kept)) {
        pass = new Pass(network, thread, Math.min(most, end - begin), batch.length(), kept);
        passes[thread] = pass;
      }
      sum += work.run(pass, first, count);
    }
    return sum;
  }

  private void check(Batch batch) {
    HuginnConfig config = network.config;
    if (batch.length() > config.contextLength()) {
      throw new IllegalArgumentException(
          "sequences of " + batch.length() + " exceed the context of " + config.contextLength());
    }
    if (batch.counted() == 0) {
      throw new IllegalArgumentException("no label of the batch counts");
    }
    for (int token : batch.tokens()) {
      if (token < 0 || token >= config.vocabularySize()) {
        throw new IllegalArgumentException(
            "token " + token + " is outside of the vocabulary of " + config.vocabularySize());
      }
    }
    for (int label : batch.labels()) {
      if (label != Batch.IGNORED && (label < 0 || label >= config.vocabularySize())) {
        throw new IllegalArgumentException(
            "label " + label + " is outside of the vocabulary of " + config.vocabularySize());
      }
    }
  }

  /** Adds the threads' gradients up in thread 0's and returns their norm. */
  double gatherGradients() {
    team.run(thread -> {
      double squares = 0;
      for (Parameter parameter : parameters.all()) {
        int from = begin(parameter, thread);
        int end = begin(parameter, thread + 1);
        float[] gradient = parameter.gradient(0);
        for (int other = 1; other < team.size(); other++) {
          RowKernels.add(gradient, from, parameter.gradient(other), from, end - from);
        }
        for (int i = from; i < end; i++) {
          squares += (double) gradient[i] * gradient[i];
        }
      }
      sums[thread] = squares;
    });
    return Math.sqrt(Arrays.stream(sums).sum());
  }

  /** Takes a step of the optimizer on the gathered gradients, and clears all gradients. */
  void update(AdamW.Step step) {
    team.run(thread -> {
      for (Parameter parameter : parameters.all()) {
        int from = begin(parameter, thread);
        int end = begin(parameter, thread + 1);
        step.update(parameter, from, end);
        for (int other = 0; other < team.size(); other++) {
          Arrays.fill(parameter.gradient(other), from, end, 0);
        }
      }
    });
    network.refresh();
  }

  private int begin(Parameter parameter, int thread) {
    return (int) ((long) parameter.values.length * thread / team.size());
  }

  @Override
  public void close() {
    team.close();
  }
}
