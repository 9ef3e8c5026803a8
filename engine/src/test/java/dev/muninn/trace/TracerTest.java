package dev.muninn.trace;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.Fixture;
import dev.muninn.LanguageModel;
import dev.muninn.LoadOptions;
import dev.muninn.ModelFiles;
import dev.muninn.backend.Backend;
import dev.muninn.backend.InferenceException;
import dev.muninn.cache.KeyValueLayout;
import dev.muninn.cache.KeyValueType;
import dev.muninn.cache.SlotPolicy;
import dev.muninn.decode.Cancellation;
import dev.muninn.decode.DecodingOptions;
import dev.muninn.decode.ExitCriteria;
import dev.muninn.decode.ExitOptions;
import dev.muninn.decode.InitialState;
import dev.muninn.decode.InitialStates;
import dev.muninn.decode.SequenceForward;
import dev.muninn.text.Prompt;
import dev.muninn.vector.VectorBackendProvider;
import dev.muninn.weights.Checkpoint;
import dev.muninn.weights.CheckpointException;
import dev.muninn.weights.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/** Traces against runs of every depth. */
class TracerTest {
  static final List<String> FIXTURES = Fixture.NAMES;

  @TempDir Path directory;

  @AfterEach
  void nothingIsLeftBehind() throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      assertEquals(List.of(), files.filter(file -> file.toString().endsWith(".tmp")).toList());
    }
  }

  private Path target() {
    return directory.resolve(Checkpoint.SINGLE_FILE);
  }

  private Trace trace(LanguageModel model, TraceRequest request) {
    return model.trace(request, target(), TraceListener.NONE, new Cancellation()).orElseThrow();
  }

  private static TraceRequest request(
      int[] tokens, int recurrence, int top, InitialState... starts) {
    return new TraceRequest(
        Prompt.tokens(tokens), recurrence, List.of(starts), top, DecodingOptions.defaults());
  }

  /** More than the rows in flight, so that chunks meet. */
  private static int[] tokens(int count, int vocabulary) {
    return new SplittableRandom(5).ints(count, 0, vocabulary).toArray();
  }

  @ParameterizedTest
  @FieldSource("FIXTURES")
  void everyRecurrenceSaysWhatARunOfThatDepthSays(String name) {
    try (Fixture fixture = new Fixture(name);
        LanguageModel model = LanguageModel.load(Fixture.directory(name), new LoadOptions(1));
        Backend backend = fixture.open(new VectorBackendProvider(), 1)) {
      int vocabulary = fixture.model().vocabularySize();
      int[] tokens = tokens(Math.min(70, fixture.model().contextLength()), vocabulary);
      InitialState start = InitialState.random(7);
      try (Trace trace = trace(model, request(tokens, 5, vocabulary, start))) {
        for (int depth = 1; depth <= 5; depth++) {
          int recurrence = depth;
          KeyValueLayout layout =
              new KeyValueLayout(
                  fixture.model(),
                  SlotPolicy.full(),
                  depth,
                  tokens.length,
                  KeyValueType.forWeights(fixture.model().coreFormat()));
          try (SequenceForward run =
              new SequenceForward(backend, layout, depth, 9, start, () -> false)) {
            run.append(
                tokens,
                0,
                (position, logits) -> {
                  double sum = 0;
                  double greatest = 0;
                  for (float logit : logits) {
                    sum += Math.exp(logit);
                    greatest = Math.max(greatest, Math.exp(logit));
                  }
                  Readouts readouts = trace.readouts();
                  double entropy = 0;
                  double before = 2;
                  boolean[] seen = new boolean[vocabulary];
                  for (int rank = 0; rank < vocabulary; rank++) {
                    int token = readouts.token(position, recurrence, rank);
                    double probability = readouts.probability(position, recurrence, rank);
                    assertFalse(seen[token]);
                    seen[token] = true;
                    assertTrue(probability <= before);
                    before = probability;
                    assertEquals(Math.exp(logits[token]) / sum, probability, 1e-6);
                    entropy -= Math.exp(logits[token]) / sum * (logits[token] - Math.log(sum));
                  }
                  assertEquals(greatest / sum, readouts.probability(position, recurrence, 0), 1e-6);
                  assertEquals(entropy, readouts.entropy(position, recurrence), 1e-5);
                });
          }
        }
      }
    }
  }

  @Test
  void divergenceIsThatOfNeighbours() {
    try (LanguageModel model = LanguageModel.load(ModelFiles.ravenTiny(), new LoadOptions(1))) {
      int vocabulary = model.architecture().vocabularySize();
      int[] tokens = {256, 55, 51, 48, 61};
      try (Trace trace = trace(model, request(tokens, 6, vocabulary, InitialState.random(1)))) {
        Readouts readouts = trace.readouts();
        for (int position = 0; position < tokens.length; position++) {
          assertTrue(Double.isNaN(readouts.divergence(position, 1)));
          for (int i = 2; i <= 6; i++) {
            double[] now = new double[vocabulary];
            for (int rank = 0; rank < vocabulary; rank++) {
              now[readouts.token(position, i, rank)] = readouts.probability(position, i, rank);
            }
            double expected = 0;
            for (int rank = 0; rank < vocabulary; rank++) {
              double p = readouts.probability(position, i - 1, rank);
              if (p > 0) {
                expected += p * Math.log(p / now[readouts.token(position, i - 1, rank)]);
              }
            }
            assertEquals(
                expected, readouts.divergence(position, i), 1e-5 + 1e-4 * Math.abs(expected));
          }
        }
      }
    }
  }

  @Test
  void fileHasTheStatesAndEnds() {
    int[] tokens = tokens(67, 256);
    try (LanguageModel model = LanguageModel.load(ModelFiles.ravenTiny(), new LoadOptions(2))) {
      int width = model.architecture().width();
      try (Trace trace =
          trace(model, request(tokens, 3, 2, InitialState.random(1), InitialState.random(2)))) {
        float[] state = new float[width];
        // s_0 is what the seed gives, and the end of the first start is its last state.
        InitialStates initial =
            new InitialStates(InitialState.random(1), model.architecture().core().start());
        float[] expected = new float[width];
        for (int position = 0; position < tokens.length; position++) {
          initial.fill(position, expected);
          trace.latents().read(position, 0, state);
          assertArrayEquals(expected, state);
          trace.latents().read(position, 3, expected);
          trace.latents().readEnd(0, position, state);
          assertArrayEquals(expected, state);
        }
        try (Checkpoint file = Checkpoint.open(directory)) {
          Tensor latents = file.tensor("latents");
          assertEquals(List.of(67L, 4L, (long) width), latents.shape());
          Tensor ends = file.tensor("ends");
          assertEquals(List.of(2L, 67L, (long) width), ends.shape());
          for (int position = 0; position < tokens.length; position++) {
            for (int i = 0; i <= 3; i++) {
              trace.latents().read(position, i, state);
              for (int x = 0; x < width; x++) {
                assertEquals(state[x], latents.get(((long) position * 4 + i) * width + x));
              }
            }
          }
          assertEquals(List.of(67L), file.tensor("tokens").shape());
        }
      }
    }
  }

  @Test
  void pathIndependenceIsThatOfAllPairs() {
    int[] tokens = tokens(11, 256);
    InitialState[] starts = {
      InitialState.random(1), InitialState.random(2), InitialState.random(9)
    };
    try (LanguageModel model = LanguageModel.load(ModelFiles.ravenTiny(), new LoadOptions(1))) {
      int width = model.architecture().width();
      int vocabulary = model.architecture().vocabularySize();
      PathIndependence found;
      float[][][] ends = new float[3][11][width];
      double[][][] distributions = new double[3][11][vocabulary];
      try (Trace trace = trace(model, request(tokens, 2, vocabulary, starts))) {
        found = trace.pathIndependence().orElseThrow();
        for (int start = 0; start < 3; start++) {
          for (int position = 0; position < 11; position++) {
            trace.latents().readEnd(start, position, ends[start][position]);
          }
        }
      }
      for (int start = 0; start < 3; start++) {
        try (Trace alone = trace(model, request(tokens, 2, vocabulary, starts[start]))) {
          assertTrue(alone.pathIndependence().isEmpty());
          for (int position = 0; position < 11; position++) {
            float[] end = new float[width];
            alone.latents().readEnd(0, position, end);
            assertArrayEquals(end, ends[start][position]);
            for (int rank = 0; rank < vocabulary; rank++) {
              distributions[start][position][alone.readouts().token(position, 2, rank)] =
                  alone.readouts().probability(position, 2, rank);
            }
          }
        }
      }
      for (int position = 0; position < 11; position++) {
        double between = 0;
        double others = 0;
        for (int a = 0; a < 3; a++) {
          for (int b = 0; b < 3; b++) {
            between += square(ends[a][position], ends[b][position]) / 6;
          }
          for (int other = 0; other < 11; other++) {
            others += square(ends[a][position], ends[a][other]) / 30;
          }
        }
        assertEquals(Math.sqrt(between), found.startDistance(position), 1e-5);
        assertEquals(Math.sqrt(others), found.tokenDistance(position), 1e-5);
        double divergence = 0;
        for (int token = 0; token < vocabulary; token++) {
          double mean = 0;
          for (int a = 0; a < 3; a++) {
            mean += distributions[a][position][token] / 3;
          }
          for (int a = 0; a < 3; a++) {
            double p = distributions[a][position][token];
            divergence += p > 0 ? p * Math.log(p / mean) / 3 : 0;
          }
        }
        assertEquals(divergence, found.divergence(position), 1e-5);
        assertTrue(found.agreement(position) >= 1.0 / 3 && found.agreement(position) <= 1);
      }
    }
  }

  private static double square(float[] x, float[] y) {
    double sum = 0;
    for (int i = 0; i < x.length; i++) {
      sum += ((double) x[i] - y[i]) * ((double) x[i] - y[i]);
    }
    return sum;
  }

  @Test
  void cacheOfOneSlotIsTracedToo() {
    try (LanguageModel model = LanguageModel.load(ModelFiles.ravenTiny(), new LoadOptions(1));
        Trace trace =
            trace(
                model,
                new TraceRequest(
                    Prompt.text("12+34="),
                    4,
                    List.of(InitialState.random(0)),
                    1,
                    DecodingOptions.defaults().withPolicy(new SlotPolicy.Budget(1))))) {
      assertEquals(7, trace.tokens().length);
      assertEquals(4, trace.recurrence());
    }
  }

  @Test
  void progressCountsToTheTotal() {
    int[] tokens = tokens(70, 256);
    long[] last = new long[2];
    try (LanguageModel model = LanguageModel.load(ModelFiles.ravenTiny(), new LoadOptions(1));
        Trace trace =
            model
                .trace(
                    request(tokens, 2, 1, InitialState.random(1), InitialState.random(2)),
                    target(),
                    (done, total) -> {
                      assertTrue(done > last[0] && done <= total);
                      last[0] = done;
                      last[1] = total;
                    },
                    new Cancellation())
                .orElseThrow()) {
      assertEquals(last[1], last[0]);
      assertEquals(70, trace.tokens().length);
    }
  }

  @Test
  void cancelledTraceLeavesNothing() throws IOException {
    try (LanguageModel model = LanguageModel.load(ModelFiles.ravenTiny(), new LoadOptions(1))) {
      for (long when : new long[] {1, 40, 150, 350}) {
        Cancellation cancellation = new Cancellation();
        assertTrue(
            model
                .trace(
                    request(tokens(30, 256), 4, 1, InitialState.random(1), InitialState.random(2)),
                    target(),
                    (done, total) -> {
                      if (done >= when) {
                        cancellation.cancel();
                      }
                    },
                    cancellation)
                .isEmpty());
        try (Stream<Path> files = Files.list(directory)) {
          assertEquals(List.of(), files.toList());
        }
      }
    }
  }

  @Test
  void brokenWeightsAreRefused() throws IOException {
    Path broken =
        ModelFiles.copy(
            ModelFiles.ravenTiny(),
            directory.resolve("model"),
            tensors -> {
              String name = "transformer.adapter.weight";
              ModelFiles.Content adapter = tensors.get(name);
              float[] values = ModelFiles.floats(adapter);
              Arrays.fill(values, Float.NaN);
              tensors.put(name, ModelFiles.content(adapter.dtype(), adapter.shape(), values));
            });
    try (LanguageModel model = LanguageModel.load(broken, new LoadOptions(1))) {
      InferenceException refusal =
          assertThrows(
              InferenceException.class,
              () -> trace(model, request(new int[] {1, 2}, 2, 1, InitialState.zero())));
      assertEquals(
          "the latent state of position 0 at recurrence 1 has a value that is not a finite number",
          refusal.getMessage());
      assertFalse(Files.exists(target()));
    }
  }

  @Test
  void requestsThatDoNotFitAreRefused() {
    try (LanguageModel model = LanguageModel.load(ModelFiles.ravenTiny(), new LoadOptions(1))) {
      int context = model.architecture().contextLength();
      TraceRequest tooLong = request(new int[context + 1], 1, 1, InitialState.zero());
      assertEquals(
          "the prompt has " + (context + 1) + " tokens, more than the context of " + context,
          assertThrows(IllegalArgumentException.class, () -> trace(model, tooLong)).getMessage());
      TraceRequest tooDeep = request(new int[200], 2_000_000, 1, InitialState.zero());
      assertTrue(
          assertThrows(IllegalArgumentException.class, () -> trace(model, tooDeep))
              .getMessage()
              .contains("more than a trace can hold"));
    }
    CheckpointException full =
        assertThrows(
            CheckpointException.class,
            () -> LatentFile.create(target(), new int[1 << 20], 1 << 20, 1, 1 << 20));
    assertTrue(full.getMessage().contains("bytes of free disk, expected"), full.getMessage());
    assertThrows(IllegalArgumentException.class, () -> request(new int[] {1}, 0, 1));
    assertThrows(
        IllegalArgumentException.class, () -> request(new int[] {1}, 1, 0, InitialState.zero()));
    DecodingOptions exits =
        DecodingOptions.defaults().withExit(ExitOptions.of(ExitCriteria.parse("kl")));
    assertThrows(
        IllegalArgumentException.class,
        () -> new TraceRequest(Prompt.tokens(1), 2, List.of(InitialState.zero()), 1, exits));
  }
}
