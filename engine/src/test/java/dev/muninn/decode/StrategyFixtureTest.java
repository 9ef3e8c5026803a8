package dev.muninn.decode;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.Fixture;
import dev.muninn.backend.Backend;
import dev.muninn.cache.KeyValueLayout;
import dev.muninn.cache.KeyValueType;
import dev.muninn.vector.VectorBackendProvider;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/** Every strategy against the sequences and counts of an independent implementation. */
class StrategyFixtureTest {
  static final List<String> NAMES = Fixture.NAMES;

  @Test
  void adaptiveExits() {
    try (Fixture fixture = new Fixture("raven-2-4-2-f32");
        Backend backend = fixture.open(new VectorBackendProvider(), 1)) {
      for (Map<String, Object> expected : fixture.cases("adaptive")) {
        String name =
            expected.get("criterion")
                + ":"
                + String.valueOf(expected.get("threshold")).replaceAll("\\.0$", "");
        List<Double> values = new ArrayList<>();
        ExitCriteria.Factory watched =
            config -> new Watched(ExitCriteria.parse(name).create(config), values);
        DecodingOptions options = DecodingOptions.defaults().withExit(ExitOptions.of(watched));
        Run run = run(fixture, backend, options, Fixture.integer(expected, "max_r"), 16);
        assertArrayEquals(Fixture.ints(expected, "new_tokens"), run.tokens(), name);
        assertArrayEquals(Fixture.ints(expected, "steps"), run.task.recurrences(), name);
        float[] first = Fixture.floats(expected, "exit_values_first_token");
        for (int i = 0; i < first.length; i++) {
          if (Float.isNaN(first[i])) {
            assertTrue(Double.isNaN(values.get(i)), name);
          } else {
            assertEquals(first[i], values.get(i), 2e-4 * Math.max(1, Math.abs(first[i])), name);
          }
        }
      }
    }
  }

  @ParameterizedTest
  @FieldSource("NAMES")
  void warmStart(String name) {
    try (Fixture fixture = new Fixture(name);
        Backend backend = fixture.open(new VectorBackendProvider(), 2)) {
      @SuppressWarnings("unchecked")
      Map<String, Object> expected = (Map<String, Object>) fixture.expected().get("warm_start");
      int r = Fixture.integer(expected, "r");
      Run run = run(fixture, backend, DecodingOptions.defaults().withWarmStart(true), r, 16);
      assertArrayEquals(Fixture.ints(expected, "new_tokens"), run.tokens());
    }
  }

  @Test
  void speculation() {
    try (Fixture fixture = new Fixture("raven-2-4-2-f32");
        Backend backend = fixture.open(new VectorBackendProvider(), 1)) {
      @SuppressWarnings("unchecked")
      Map<String, Object> expected = (Map<String, Object>) fixture.expected().get("speculative");
      Strategy strategy =
          new Strategy.Speculative(
              Fixture.integer(expected, "draft_r"), Fixture.integer(expected, "lookahead"));
      Run run =
          run(
              fixture,
              backend,
              DecodingOptions.defaults().withStrategy(strategy),
              Fixture.integer(expected, "r"),
              16);
      assertArrayEquals(Fixture.ints(expected, "new_tokens"), run.tokens());
    }
  }

  @Test
  void parallelSampling() {
    try (Fixture fixture = new Fixture("raven-2-4-2-f32");
        Backend backend = fixture.open(new VectorBackendProvider(), 1)) {
      for (Map<String, Object> expected : fixture.cases("parallel")) {
        Strategy strategy =
            new Strategy.Parallel(
                Fixture.integer(expected, "inner_recurrence"),
                Fixture.integer(expected, "headway"),
                Strategy.Parallel.Freeze.LATENT_DIFF,
                ((Number) expected.get("exit_threshold")).doubleValue(),
                Fixture.integer(expected, "max_wavefront"),
                ((Number) expected.get("embedding_ema")).floatValue(),
                ((Number) expected.get("state_noise")).floatValue());
        int[] tokens = Fixture.ints(expected, "new_tokens");
        Run run =
            run(
                fixture,
                backend,
                DecodingOptions.defaults().withStrategy(strategy),
                Fixture.integer(expected, "prefill_r"),
                tokens.length);
        assertArrayEquals(tokens, run.tokens());
        DecodingStatistics statistics = run.task.statistics();
        assertEquals(Fixture.integer(expected, "outer_steps"), statistics.outerSteps());
        assertEquals(Fixture.integer(expected, "core_forward_passes"), statistics.corePasses());
        assertEquals(Fixture.integer(expected, "rows_forwarded"), statistics.coreRows());
      }
    }
  }

  /** Runs a strategy greedily from zeros. */
  static Run run(Fixture fixture, Backend backend, DecodingOptions options, int r, int count) {
    int[] prompt = fixture.tokens();
    int room = options.strategy() instanceof Strategy.Parallel ? 128 : prompt.length + count - 1;
    KeyValueLayout layout =
        new KeyValueLayout(
            fixture.config(),
            options.effectivePolicy(),
            r,
            Math.min(fixture.config().contextLength(), room),
            options.type().orElse(KeyValueType.F32));
    Run run = new Run();
    run.task =
        new SequenceTask(
            layout,
            prompt,
            r,
            InitialState.zero(),
            options,
            new Sampler(SamplingOptions.greedy(), fixture.config().vocabularySize()),
            (token, recurrences) -> {
              run.chosen.add(token);
              return run.chosen.size() < count;
            });
    Decoders.run(backend, run.task, () -> false);
    return run;
  }

  /** What a strategy chose. */
  static final class Run {
    final List<Integer> chosen = new ArrayList<>();
    SequenceTask task;

    int[] tokens() {
      return chosen.stream().mapToInt(Integer::intValue).toArray();
    }
  }

  /** Notes the values of a criterion. */
  private record Watched(ExitCriterion criterion, List<Double> values) implements ExitCriterion {
    @Override
    public boolean readsLogits() {
      return criterion.readsLogits();
    }

    @Override
    public void begin(float[] latents, int rows, int width) {
      criterion.begin(latents, rows, width);
    }

    @Override
    public double measure(float[] latents, int rows, int width, float[] logits) {
      double value = criterion.measure(latents, rows, width, logits);
      values.add(value);
      return value;
    }

    @Override
    public boolean satisfied(double value) {
      return criterion.satisfied(value);
    }
  }
}
