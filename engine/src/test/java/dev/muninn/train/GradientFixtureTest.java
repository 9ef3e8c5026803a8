package dev.muninn.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.Fixture;
import dev.muninn.family.huginn.HuginnConfig;
import dev.muninn.train.data.Batch;
import dev.muninn.weights.Checkpoint;
import dev.muninn.weights.JsonFile;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Losses and every gradient against those of an independent implementation. */
class GradientFixtureTest {
  private static final Path DIRECTORY = directory();

  private static Path directory() {
    try {
      return Path.of(GradientFixtureTest.class.getResource("gradients").toURI());
    } catch (URISyntaxException e) {
      throw new AssertionError(e);
    }
  }

  @ParameterizedTest
  @CsvSource({"r1-k1, 1", "r1-k1, 2", "r6-k3, 1", "r6-k3, 3", "r4-k8, 1", "r4-k8, 2", "r4-k8, 5"})
  void lossAndGradientsAreThoseOfAutomaticDifferentiation(String name, int threads) {
    Map<String, Object> batch = JsonFile.readObject(DIRECTORY.resolve("batch.json"));
    Map<?, ?> expected = (Map<?, ?>) ((Map<?, ?>) batch.get("cases")).get(name);
    HuginnConfig config = HuginnConfig.load(DIRECTORY);
    try (TrainedModel model = new TrainedModel(config, true, threads);
        Checkpoint weights = Checkpoint.open(DIRECTORY)) {
      model.parameters().read(weights);
      model.network.refresh();
      double loss =
          model.lossAndGradients(
              batch(batch),
              states(batch, config.embeddingSize()),
              ((Long) expected.get("r")).intValue(),
              ((Long) expected.get("k")).intValue(),
              1);
      assertEquals((Double) expected.get("loss"), loss, 1e-5);
      double norm = model.gatherGradients();
      double squares = 0;
      try (Checkpoint gradients = gradients(name)) {
        for (Parameter parameter : model.parameters().all()) {
          squares += compare(parameter, gradients);
        }
        assertEquals(gradients.tensors().size(), model.parameters().all().size());
      }
      assertEquals(Math.sqrt(squares), norm, 1e-4 * norm);
    }
  }

  private static double compare(Parameter parameter, Checkpoint gradients) {
    double squares = 0;
    double difference = 0;
    for (int i = 0; i < parameter.values.length; i++) {
      double expected = gradients.tensor(parameter.name).get(i);
      double deviation = parameter.gradient(0)[i] - expected;
      squares += expected * expected;
      difference += deviation * deviation;
    }
    double relative = Math.sqrt(difference / squares);
    assertTrue(relative < 1e-4, parameter.name + " is off by " + relative + " of its norm");
    return squares;
  }

  @Test
  void lossWithoutGradientsIsTheSame() {
    Map<String, Object> batch = JsonFile.readObject(DIRECTORY.resolve("batch.json"));
    HuginnConfig config = HuginnConfig.load(DIRECTORY);
    try (TrainedModel model = new TrainedModel(config, true, 2);
        Checkpoint weights = Checkpoint.open(DIRECTORY)) {
      model.parameters().read(weights);
      model.network.refresh();
      StartingStates states = states(batch, config.embeddingSize());
      double loss = model.loss(batch(batch), states, 6, null);
      assertEquals(4.404232501983643, loss, 1e-5);
      assertEquals(loss, model.lossAndGradients(batch(batch), states, 6, 3, 1));
      assertEquals(loss, model.loss(batch(batch), states, 6, null));
    }
  }

  private static Checkpoint gradients(String name) {
    return Checkpoint.open(DIRECTORY.resolve(name));
  }

  static Batch batch(Map<String, Object> file) {
    Object tokens = file.get("tokens");
    int count = ((List<?>) tokens).size();
    int[] flat = flat(file, "tokens");
    return new Batch(count, flat.length / count, flat, flat(file, "labels"));
  }

  private static int[] flat(Map<String, Object> file, String key) {
    return ((List<?>) file.get(key))
        .stream()
            .flatMapToInt(
                row -> ((List<?>) row).stream().mapToInt(value -> ((Long) value).intValue()))
            .toArray();
  }

  static StartingStates states(Map<String, Object> file, int width) {
    float[] values = Fixture.floats(file, "initial_state");
    return (sequence, states) ->
        System.arraycopy(
            values,
            sequence * states.rows() * width,
            states.data(),
            states.from(),
            states.rows() * width);
  }
}
