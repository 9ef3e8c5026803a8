package dev.muninn.train;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.muninn.family.huginn.HuginnConfig;
import dev.muninn.train.data.Batch;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Every gradient against the slope of the loss, on odd sizes and every kind of model. */
class FiniteDifferenceTest {

  @ParameterizedTest
  @CsvSource({"true, true, true, 1", "false, false, false, 2", "true, false, true, 3"})
  void gradientsAreSlopes(boolean sandwich, boolean tied, boolean bias, int threads) {
    HuginnConfig config = new HuginnConfig(18, 3, 7, 1, 2, 2, 3, 11, 13, 50_000, 1e-6, bias, tied);
    try (TrainedModel model = new TrainedModel(config, sandwich, threads)) {
      TakaseInit.initialize(config, model.parameters(), 5);
      perturb(model, new SplittableRandom(6));
      model.network.refresh();
      Batch batch = batch(new SplittableRandom(7), config.vocabularySize());
      StartingStates states = StartingStates.drawn(config, 8);
      model.lossAndGradients(batch, states, 3, 3, 1);
      model.gatherGradients();
      for (Parameter parameter : model.parameters().all()) {
        check(model, parameter, batch, states);
      }
    }
  }

  /** Along its gradient, the loss rises by the gradient's norm. */
  private static void check(
      TrainedModel model, Parameter parameter, Batch batch, StartingStates states) {
    float[] gradient = parameter.gradient(0);
    double squares = 0;
    for (float g : gradient) {
      squares += (double) g * g;
    }
    double norm = Math.sqrt(squares);
    double step = 4e-3;
    double up = moved(model, parameter, step / norm, batch, states);
    double down = moved(model, parameter, -step / norm, batch, states);
    assertEquals(norm, (up - down) / (2 * step), 0.02 * norm + 5e-4, parameter.name);
  }

  private static double moved(
      TrainedModel model,
      Parameter parameter,
      double distance,
      Batch batch,
      StartingStates states) {
    float[] before = parameter.values.clone();
    for (int i = 0; i < before.length; i++) {
      parameter.values[i] += (float) (distance * parameter.gradient(0)[i]);
    }
    model.network.refresh();
    double loss = model.loss(batch, states, 3, null);
    System.arraycopy(before, 0, parameter.values, 0, before.length);
    model.network.refresh();
    return loss;
  }

  /** Norms that are no ones and biases that are no zeros. */
  private static void perturb(TrainedModel model, SplittableRandom random) {
    for (Parameter parameter : model.parameters().all()) {
      if (!parameter.decays()) {
        for (int i = 0; i < parameter.values.length; i++) {
          parameter.values[i] += (float) (0.4 * random.nextDouble() - 0.2);
        }
      }
    }
  }

  private static Batch batch(SplittableRandom random, int vocabulary) {
    int count = 5;
    int length = 9;
    int[] tokens = new int[count * length];
    int[] labels = new int[tokens.length];
    for (int i = 0; i < tokens.length; i++) {
      tokens[i] = random.nextInt(vocabulary);
      labels[i] = i % 4 == 0 ? Batch.IGNORED : random.nextInt(vocabulary);
    }
    return new Batch(count, length, tokens, labels);
  }
}
