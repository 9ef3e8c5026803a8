package dev.muninn.cli.bench;

import dev.muninn.LanguageModel;
import dev.muninn.decode.Cancellation;
import dev.muninn.serve.FinishReason;
import dev.muninn.serve.GenerationListener;
import dev.muninn.serve.GenerationRequest;
import dev.muninn.serve.GenerationResult;
import java.util.Optional;

/**
 * One run of a workload by the clock.
 *
 * @param firstTokenNanos from the call to the first token
 * @param gaps nanoseconds from each token to the next
 * @param result what the engine says of it
 */
record TimedRun(long firstTokenNanos, long[] gaps, GenerationResult result) {

  /** Runs a workload; empty if it was cancelled. */
  static Optional<TimedRun> of(LanguageModel model, Workload workload, Cancellation cancellation) {
    GenerationRequest request = workload.request(model.architecture().vocabularySize());
    TokenClock clock = new TokenClock(workload.newTokens() + 1);
    long began = System.nanoTime();
    GenerationResult result = model.generate(request, clock, cancellation);
    if (result.finishReason() == FinishReason.CANCELLED) {
      return Optional.empty();
    }
    long[] gaps = new long[workload.newTokens()];
    for (int i = 0; i < gaps.length; i++) {
      gaps[i] = clock.times[i + 1] - clock.times[i];
    }
    return Optional.of(new TimedRun(clock.times[0] - began, gaps, result));
  }

  /** Nanoseconds of all tokens behind the prompt. */
  long decodeNanos() {
    long sum = 0;
    for (long gap : gaps) {
      sum += gap;
    }
    return sum;
  }

  private static final class TokenClock implements GenerationListener {
    private final long[] times;
    private int count;

    TokenClock(int tokens) {
      times = new long[tokens];
    }

    @Override
    public void onToken(int token, int recurrences) {
      times[count++] = System.nanoTime();
    }

    @Override
    public void onText(String text) {
      // Only when tokens come counts.
    }
  }
}
