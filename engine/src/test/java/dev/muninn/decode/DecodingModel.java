package dev.muninn.decode;

import dev.muninn.Fixture;
import dev.muninn.backend.Backend;
import dev.muninn.family.ModelFamilies;
import dev.muninn.model.RecurrentModel;
import dev.muninn.vector.VectorBackendProvider;
import dev.muninn.weights.Checkpoint;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.BooleanSupplier;

/** A fixture's model, open to decode sequences. */
final class DecodingModel implements AutoCloseable {
  static final String F32 = "raven-2-4-2-f32";
  static final String BF16 = "raven-1-4-1-bf16";
  static final String UNTIED = "raven-1-2-1-untied";

  private static final int MOST_PASSES = 5_000;

  final RecurrentModel config;

  /** What computes. */
  final Backend plain;

  /** What computes, and counts. */
  final CountingBackend backend;

  private final Checkpoint checkpoint;

  DecodingModel(String name) {
    this(name, 0);
  }

  /** A model whose context is longer than the file says, or as it says for 0. */
  DecodingModel(String name, int contextLength) {
    Path directory = Fixture.directory(name);
    checkpoint = Checkpoint.open(directory);
    RecurrentModel file = ModelFamilies.load(directory, checkpoint);
    config =
        new RecurrentModel(
            file.family(),
            Math.max(contextLength, file.contextLength()),
            file.depth(),
            file.embedding(),
            file.prelude(),
            file.core(),
            file.coda(),
            file.gate());
    plain = new VectorBackendProvider().open(config, checkpoint, 1);
    backend = new CountingBackend(plain, config.width());
  }

  /** Tokens of a seed. */
  int[] prompt(int length, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    int[] tokens = new int[length];
    for (int i = 0; i < length; i++) {
      tokens[i] = random.nextInt(config.vocabularySize());
    }
    return tokens;
  }

  /** A sequence that has not begun. */
  SequenceRun prepare(SequenceRequest request) {
    return new SequenceRun(request, config, backend);
  }

  /** Decodes a sequence alone, to its end, which must come in a bounded number of passes. */
  SequenceRun run(SequenceRequest request) {
    SequenceRun run = prepare(request);
    int[] passes = {0};
    if (!Decoders.run(backend, run.task, () -> passes[0]++ == MOST_PASSES)) {
      throw new AssertionError("no end in " + MOST_PASSES + " passes");
    }
    return run;
  }

  /** Decodes a sequence alone until it is cancelled. */
  SequenceRun run(SequenceRequest request, BooleanSupplier cancelled) {
    SequenceRun run = prepare(request);
    if (Decoders.run(backend, run.task, cancelled)) {
      throw new AssertionError("not cancelled");
    }
    return run;
  }

  /** Decodes sequences side by side, to their ends. */
  List<SequenceRun> batch(int size, List<SequenceRequest> requests) {
    List<SequenceRun> runs = new ArrayList<>();
    int promptRows = 1;
    for (SequenceRequest request : requests) {
      runs.add(prepare(request));
      promptRows =
          Math.max(
              promptRows, Scheduler.promptRows(request.prompt().length, request.options().exit()));
    }
    try (Scheduler scheduler = new Scheduler(backend, config, size, promptRows)) {
      for (SequenceRun run : runs) {
        scheduler.add(run.task);
      }
      boolean more = true;
      while (more) {
        more = scheduler.step();
        if (scheduler.activeSequences() > size) {
          throw new AssertionError("more than " + size + " sequences in flight");
        }
      }
    }
    return runs;
  }

  @Override
  public void close() {
    plain.close();
    checkpoint.close();
  }
}
