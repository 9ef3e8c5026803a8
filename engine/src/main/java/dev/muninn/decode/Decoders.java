package dev.muninn.decode;

import dev.muninn.backend.Backend;
import java.util.function.BooleanSupplier;

/** Decodes a sequence by the strategy that its options name. */
public final class Decoders {
  private Decoders() {}

  /**
   * Decodes one sequence.
   *
   * @param cancelled asked before each application of the recurrent block
   * @return false if it was cancelled
   */
  public static boolean run(Backend backend, SequenceTask task, BooleanSupplier cancelled) {
    return switch (task.options.strategy()) {
      case Strategy.Sequential sequential -> {
        try (Scheduler scheduler =
            new Scheduler(backend, task.layout.model(), 1, Scheduler.rows(task))) {
          scheduler.add(task);
          boolean more = true;
          while (more && !cancelled.getAsBoolean()) {
            more = scheduler.step();
          }
          yield !more;
        }
      }
      case Strategy.Speculative speculative -> {
        try (SpeculativeDecoder decoder = new SpeculativeDecoder(backend, task, cancelled)) {
          yield ended(task, decoder.run());
        }
      }
      case Strategy.Parallel parallel -> {
        try (WavefrontDecoder decoder = new WavefrontDecoder(backend, task, cancelled)) {
          yield ended(task, decoder.run());
        }
      }
    };
  }

  private static boolean ended(SequenceTask task, boolean completed) {
    if (completed) {
      task.sink.ended();
    }
    return completed;
  }
}
