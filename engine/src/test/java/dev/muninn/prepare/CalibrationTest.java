package dev.muninn.prepare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.Fixture;
import dev.muninn.ModelFiles;
import dev.muninn.family.ConfigReader;
import dev.muninn.family.PanelTensor;
import dev.muninn.family.PreparedTensors;
import dev.muninn.model.WeightFormat;
import dev.muninn.weights.Checkpoint;
import dev.muninn.weights.CheckpointException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Weights that are rounded for what they are multiplied with. */
class CalibrationTest {
  private static final int INPUTS = 160;

  @TempDir private Path temporary;

  static Stream<String> models() {
    return Stream.concat(Fixture.NAMES.stream(), Fixture.FAMILIES.stream());
  }

  /** Rows of inputs that go together: a few causes, and some of each input's own. */
  private static float[][] inputs(int rows, Random random) {
    float[][] mixing = new float[6][INPUTS];
    for (float[] cause : mixing) {
      for (int i = 0; i < INPUTS; i++) {
        cause[i] = (float) random.nextGaussian();
      }
    }
    float[][] values = new float[rows][INPUTS];
    for (float[] row : values) {
      for (float[] cause : mixing) {
        float size = (float) random.nextGaussian();
        for (int i = 0; i < INPUTS; i++) {
          row[i] += size * cause[i];
        }
      }
      for (int i = 0; i < INPUTS; i++) {
        row[i] += 0.3f * (float) random.nextGaussian();
      }
    }
    return values;
  }

  private static double outputError(
      PanelTensor layout, float[][] weights, ErrorFeedback feedback, float[][] inputs) {
    float[][] copy = new float[weights.length][];
    for (int row = 0; row < weights.length; row++) {
      copy[row] = weights[row].clone();
    }
    ByteBuffer bytes = ByteBuffer.allocate((int) layout.panelBytes());
    new PanelEncoder(layout, feedback).encode(copy, copy.length, bytes);
    float[] found = ExpandedModel.weights(layout, MemorySegment.ofArray(bytes.array()));
    double error = 0;
    for (float[] input : inputs) {
      for (int row = 0; row < weights.length; row++) {
        double sum = 0;
        for (int i = 0; i < INPUTS; i++) {
          sum += (found[row * INPUTS + i] - weights[row][i]) * input[i];
        }
        error += sum * sum;
      }
    }
    return error;
  }

  @Test
  void outputsChangeLess() {
    Random random = new Random(3);
    float[][] weights = new float[32][INPUTS];
    for (float[] row : weights) {
      for (int i = 0; i < INPUTS; i++) {
        row[i] = (float) random.nextGaussian();
      }
    }
    float[][] all = inputs(1200, random);
    List<float[]> seen = List.of(all).subList(0, 1000);
    float[][] unseen = List.of(all).subList(1000, 1200).toArray(float[][]::new);
    // In two parts, of which the second begins a block and a band of its own.
    InputMoments first = new InputMoments(100);
    InputMoments second = new InputMoments(INPUTS - 100);
    for (float[] row : seen) {
      first.add(row, 0);
      second.add(row, 100);
    }
    for (WeightFormat format : List.of(WeightFormat.Q4, WeightFormat.Q8)) {
      PanelTensor layout = new PanelTensor(format, List.of(32), List.of(100, INPUTS - 100));
      ErrorFeedback feedback = new ErrorFeedback(List.of(first, second));
      double before = outputError(layout, weights, null, unseen);
      double after = outputError(layout, weights, feedback, unseen);
      assertTrue(after < 0.4 * before, format + ": " + after + " of " + before);
    }
  }

  /** Nothing is known of inputs that are zero, or not finite: then all count alike. */
  @Test
  void momentsOfNoUseChangeNothing() {
    float[][] weights = new float[2][INPUTS];
    for (int i = 0; i < INPUTS; i++) {
      weights[0][i] = i - 70.5f;
      weights[1][i] = 1 - i % 7;
    }
    PanelTensor layout = new PanelTensor(WeightFormat.Q4, List.of(2), List.of(INPUTS));
    for (float value : new float[] {0, Float.NaN, Float.POSITIVE_INFINITY, 1e30f}) {
      InputMoments moments = new InputMoments(INPUTS);
      float[] row = new float[INPUTS];
      Arrays.fill(row, value);
      moments.add(row, 0);
      ByteBuffer plain = ByteBuffer.allocate((int) layout.panelBytes());
      ByteBuffer same = ByteBuffer.allocate((int) layout.panelBytes());
      new PanelEncoder(layout, null).encode(weights, 2, plain);
      new PanelEncoder(layout, new ErrorFeedback(List.of(moments))).encode(weights, 2, same);
      assertEquals(plain.flip(), same.flip(), "inputs of " + value);
    }
  }

  /** Every matrix in panels, whatever the family calls it. */
  @ParameterizedTest
  @MethodSource("models")
  void allMatricesAreSeen(String model) throws IOException {
    Path source = Fixture.directory(model);
    Path prepared = ExpandedModel.prepare(source, temporary.resolve("q4"), Recipe.of("q4"));
    Map<String, PanelTensor> panels = PreparedTensors.read(ConfigReader.of(prepared)).tensors();
    try (Calibration calibration = Calibration.open(source);
        Checkpoint checkpoint = Checkpoint.open(source)) {
      assertTrue(calibration.read(new int[] {1, 2, 3, 4, 5}, () -> false));
      panels.forEach((name, layout) ->
          assertNotNull(calibration.feedback(checkpoint.tensor(name), layout), name));
    }
  }

  private Path prepare(String name, boolean calibrated) throws IOException {
    Path target = Files.createDirectory(temporary.resolve(name));
    try (Calibration calibration = Calibration.open(ModelFiles.ravenTiny())) {
      assertTrue(calibration.writesQuickly());
      assertTrue(calibration.write(new int[] {256}, token -> token == 257, () -> false));
      Preparation.prepare(
          ModelFiles.ravenTiny(),
          target,
          Recipe.of("q4"),
          calibrated ? calibration : null,
          bytes -> {});
    }
    return target;
  }

  private double divergence(Path prepared) {
    int[] tokens = "\u0100730591826453=5<".chars().toArray();
    try (Verification verification = Verification.open(ModelFiles.ravenTiny(), prepared)) {
      return verification.divergences(tokens, List.of(8), 1, () -> false).getFirst().mean();
    }
  }

  @Test
  void distributionsAreNearerAndTheSameEachTime() throws IOException {
    Path plain = prepare("plain", false);
    Path once = prepare("once", true);
    Path twice = prepare("twice", true);
    String weights = "model.safetensors";
    assertEquals(-1, Files.mismatch(once.resolve(weights), twice.resolve(weights)));
    assertNotEquals(-1, Files.mismatch(once.resolve(weights), plain.resolve(weights)));
    double before = divergence(plain);
    double after = divergence(once);
    assertTrue(after < before, after + " and without " + before);
  }

  @Test
  void itCanBeCancelled() {
    try (Calibration calibration = Calibration.open(ModelFiles.ravenTiny())) {
      AtomicInteger asked = new AtomicInteger();
      assertFalse(
          calibration.write(new int[] {256}, t -> false, () -> asked.incrementAndGet() > 20));
      assertFalse(calibration.read(new int[] {1, 2}, () -> true));
    }
  }

  @Test
  void preparedModelsAreRefused() throws IOException {
    Path prepared =
        ExpandedModel.prepare(
            Fixture.directory("raven-1-2-1-untied"), temporary.resolve("q8"), Recipe.of("q8"));
    CheckpointException refusal =
        assertThrows(CheckpointException.class, () -> Calibration.open(prepared));
    assertTrue(refusal.getMessage().contains("prepared already"), refusal.getMessage());
  }
}
