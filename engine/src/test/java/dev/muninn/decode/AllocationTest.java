package dev.muninn.decode;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.management.ThreadMXBean;
import dev.muninn.cache.KeyValueLayout;
import dev.muninn.cache.KeyValueType;
import dev.muninn.decode.ExitOptions.Prefill;
import java.lang.management.ManagementFactory;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Decode steps allocate nothing on the heap once they are compiled. Until then, and while arrays
 * grow that keep scores of more and more positions, they do; so sequences are decoded until there
 * is a long run of tokens without, which must come in bounded time.
 */
class AllocationTest {
  /** Tokens in a row that must come without allocation. */
  private static final int WINDOW = 48;

  /** Less than the smallest array that a step could make for every token. */
  private static final long MOST_BYTES = 8L * WINDOW;

  private static final long MOST_NANOS = 40_000_000_000L;
  private static final int LENGTH = 400;
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  private static DecodingModel model;

  @BeforeAll
  static void open() {
    assumeTrue(
        THREADS.isThreadAllocatedMemorySupported() && THREADS.isThreadAllocatedMemoryEnabled());
    model = new DecodingModel(DecodingModel.UNTIED, LENGTH);
  }

  @AfterAll
  static void close() {
    if (model != null) {
      model.close();
    }
  }

  static Stream<Arguments> settings() {
    DecodingOptions plain = DecodingOptions.defaults();
    SamplingOptions greedy = SamplingOptions.greedy();
    SamplingOptions sampling = new SamplingOptions(0.9f, 40, 0.95f, 0.01f, 1.1f, 3);
    return Stream.of(
        Arguments.of("sequential", plain, greedy, 1),
        Arguments.of("sequential, sampling", plain, sampling, 1),
        Arguments.of("kl exits", exit("kl:0.02"), greedy, 1),
        Arguments.of("latent-diff exits", exit("latent-diff:0.3"), greedy, 1),
        Arguments.of("warm start", plain.withWarmStart(true), greedy, 1),
        Arguments.of("BF16 keys and values", plain.withType(KeyValueType.BF16), greedy, 1),
        Arguments.of("batch of 3, kl exits", exit("kl:0.02"), greedy, 3),
        Arguments.of(
            "speculative", plain.withStrategy(new Strategy.Speculative(2, 4)), sampling, 1),
        Arguments.of(
            "parallel",
            plain.withStrategy(
                new Strategy.Parallel(
                    2, 2, Strategy.Parallel.Freeze.LATENT_DIFF, 0.3, 8, 0.1f, 0.1f)),
            sampling,
            1));
  }

  private static DecodingOptions exit(String criterion) {
    return DecodingOptions.defaults()
        .withExit(new ExitOptions(Optional.of(ExitCriteria.parse(criterion)), 1, 1, Prefill.GROUP));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("settings")
  void stepsAllocateNothing(
      String name, DecodingOptions options, SamplingOptions sampling, int batch) {
    Meter meter = new Meter();
    long began = System.nanoTime();
    while (meter.least > MOST_BYTES && System.nanoTime() - began < MOST_NANOS) {
      if (batch == 1) {
        meter.count = 0;
        Decoders.run(model.plain, task(options, sampling, 0, meter), () -> false);
      } else {
        meter.count = 0;
        try (Scheduler scheduler = new Scheduler(model.plain, model.config, batch, 3)) {
          scheduler.add(task(options, sampling, 0, meter));
          for (int i = 1; i < batch; i++) {
            scheduler.add(task(options, sampling, i, (token, recurrences) -> true));
          }
          while (meter.least > MOST_BYTES && scheduler.step()) {}
        }
      }
    }
    assertTrue(
        meter.least <= MOST_BYTES,
        name + ": never less than " + meter.least + " bytes in " + WINDOW + " tokens");
  }

  private static SequenceTask task(
      DecodingOptions options, SamplingOptions sampling, int number, TokenSink sink) {
    int recurrence = 4;
    KeyValueLayout layout =
        new KeyValueLayout(
            model.config,
            options.effectivePolicy(),
            recurrence,
            LENGTH,
            options.type().orElse(KeyValueType.F32));
    return new SequenceTask(
        layout,
        model.prompt(3, number),
        recurrence,
        InitialState.random(number),
        options,
        new Sampler(sampling, model.config.vocabularySize()),
        sink);
  }

  /** The least that was allocated between two tokens that stand a window apart. */
  private static final class Meter implements TokenSink {
    private final long[] allocated = new long[LENGTH + 1];
    private int count;
    private long least = Long.MAX_VALUE;

    @Override
    public boolean accept(int token, int recurrences) {
      allocated[count++] = THREADS.getCurrentThreadAllocatedBytes();
      if (count > WINDOW) {
        least = Math.min(least, allocated[count - 1] - allocated[count - 1 - WINDOW]);
      }
      return least > MOST_BYTES;
    }
  }
}
