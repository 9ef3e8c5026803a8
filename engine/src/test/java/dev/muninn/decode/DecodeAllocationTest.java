package dev.muninn.decode;

import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.OperatingSystemMXBean;
import com.sun.management.ThreadMXBean;
import dev.muninn.Fixture;
import dev.muninn.ModelFiles;
import dev.muninn.backend.Backend;
import dev.muninn.cache.KeyValueLayout;
import dev.muninn.cache.KeyValueType;
import dev.muninn.cache.SlotPolicy;
import dev.muninn.family.ModelFamilies;
import dev.muninn.model.RecurrentModel;
import dev.muninn.vector.VectorBackendProvider;
import dev.muninn.weights.Checkpoint;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A decode step leaves nothing for the collector, on no thread of the team. Compilers work when
 * they like, and a kernel that is not compiled yet makes an object of every vector: so steps are
 * run until a hundred of them allocate nothing worth mentioning, and then a hundred more must not
 * either.
 */
class DecodeAllocationTest {
  private static final int PROMPT = 20;
  private static final int STEPS = 100;
  private static final int RECURRENCE = 3;

  /** Scores and slots get more room now and then; a boxed vector in a product makes megabytes. */
  private static final long MOST_BYTES = 300L * STEPS;

  /** Of the processors' time: a machine that is busy with others compiles later, too. */
  private static final long MOST_NANOS = 30_000_000_000L;

  private static final OperatingSystemMXBean SYSTEM =
      (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  static Stream<Arguments> modelsAndThreads() {
    Path tiny = ModelFiles.ravenTiny();
    Path fixture = Fixture.directory("raven-2-4-2-f32");
    return Stream.of(
        Arguments.of(tiny, 1),
        Arguments.of(tiny, 2),
        Arguments.of(fixture, 1),
        Arguments.of(fixture, 2));
  }

  /** An open model and the threads that compute it. */
  private static final class Model implements AutoCloseable {
    private final Checkpoint checkpoint;
    private final RecurrentModel config;
    private final Backend backend;
    private final KeyValueLayout layout;
    private final long[] threads;

    Model(Path directory, int size) {
      checkpoint = Checkpoint.open(directory);
      config = ModelFamilies.load(directory, checkpoint);
      Set<Thread> before = new HashSet<>(Thread.getAllStackTraces().keySet());
      backend = new VectorBackendProvider().open(config, checkpoint, size);
      threads =
          Stream.concat(
                  Stream.of(Thread.currentThread()),
                  Thread.getAllStackTraces().keySet().stream()
                      .filter(thread -> !before.contains(thread))
                      .filter(thread -> thread.getName().matches("muninn-\\d+")))
              .mapToLong(Thread::threadId)
              .toArray();
      assertTrue(threads.length == size, () -> threads.length + " threads");
      layout =
          new KeyValueLayout(
              config,
              SlotPolicy.full(),
              RECURRENCE,
              PROMPT + STEPS + 1,
              KeyValueType.forWeights(config.coreFormat()));
    }

    long allocated() {
      long bytes = 0;
      for (long thread : threads) {
        bytes += THREADS.getThreadAllocatedBytes(thread);
      }
      return bytes;
    }

    int[] prompt() {
      int[] tokens = new int[PROMPT];
      for (int i = 0; i < PROMPT; i++) {
        tokens[i] = i * 7 % config.vocabularySize();
      }
      return tokens;
    }

    @Override
    public void close() {
      backend.close();
      checkpoint.close();
    }
  }

  /** Bytes that a hundred steps allocate. */
  private interface Run {
    long bytes(Model model);
  }

  private static void check(Path directory, int threads, Run run) {
    try (Model model = new Model(directory, threads)) {
      long end = SYSTEM.getProcessCpuTime() + MOST_NANOS;
      long bytes = Long.MAX_VALUE;
      int quiet = 0;
      while (quiet < 2 && SYSTEM.getProcessCpuTime() < end) {
        bytes = run.bytes(model);
        quiet = bytes <= MOST_BYTES ? quiet + 1 : 0;
      }
      long last = bytes;
      assertTrue(quiet == 2, () -> STEPS + " steps allocated " + last + " bytes");
    }
  }

  @ParameterizedTest
  @MethodSource("modelsAndThreads")
  void sequenceForward(Path directory, int threads) {
    check(directory, threads, DecodeAllocationTest::append);
  }

  private static long append(Model model) {
    try (SequenceForward sequence =
        new SequenceForward(
            model.backend, model.layout, RECURRENCE, PROMPT, InitialState.random(1), () -> false)) {
      sequence.append(model.prompt());
      long before = model.allocated();
      for (int step = 0; step < STEPS; step++) {
        sequence.append(step);
      }
      return model.allocated() - before;
    }
  }

  @ParameterizedTest
  @MethodSource("modelsAndThreads")
  void scheduler(Path directory, int threads) {
    check(directory, threads, DecodeAllocationTest::decode);
  }

  private static long decode(Model model) {
    long[] bytes = new long[2];
    int[] count = {0};
    TokenSink sink =
        (token, recurrences) -> {
          if (count[0] == 0) {
            bytes[0] = model.allocated();
          } else if (count[0] == STEPS) {
            bytes[1] = model.allocated();
          }
          return count[0]++ < STEPS;
        };
    SequenceTask task =
        new SequenceTask(
            model.layout,
            model.prompt(),
            RECURRENCE,
            InitialState.random(1),
            DecodingOptions.defaults(),
            new Sampler(SamplingOptions.greedy(), model.config.vocabularySize()),
            sink);
    Decoders.run(model.backend, task, () -> false);
    return bytes[1] - bytes[0];
  }
}
