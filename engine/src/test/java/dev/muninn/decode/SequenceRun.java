package dev.muninn.decode;

import dev.muninn.cache.KeyValueLayout;
import dev.muninn.cache.KeyValueType;
import dev.muninn.model.RecurrentModel;
import java.util.ArrayList;
import java.util.List;

/** A sequence that a test decodes, and what came of it. */
final class SequenceRun implements TokenSink {
  final SequenceRequest request;
  final SequenceTask task;

  /** The logits that were read last when each token was chosen: its own, in a run alone. */
  final List<float[]> logits = new ArrayList<>();

  private final CountingBackend backend;
  private final List<Integer> tokens = new ArrayList<>();
  private final List<Integer> recurrences = new ArrayList<>();
  private int begun;
  private int ended;

  SequenceRun(SequenceRequest request, RecurrentModel config, CountingBackend backend) {
    this.request = request;
    this.backend = backend;
    KeyValueLayout layout =
        new KeyValueLayout(
            config,
            request.options().effectivePolicy(),
            request.recurrence(),
            request.capacity(),
            request.options().type().orElse(KeyValueType.F32));
    this.task =
        new SequenceTask(
            layout,
            request.prompt(),
            request.recurrence(),
            request.state(),
            request.options(),
            new Sampler(request.sampling(), config.vocabularySize()),
            this);
  }

  @Override
  public void begun() {
    begun++;
  }

  @Override
  public boolean accept(int token, int recurrences) {
    tokens.add(token);
    this.recurrences.add(recurrences);
    logits.add(backend.lastLogits().clone());
    return tokens.size() < request.count() && token != request.stopToken();
  }

  @Override
  public void ended() {
    ended++;
  }

  /** How often it was told to begin. */
  int timesBegun() {
    return begun;
  }

  /** How often it was told that it has ended. */
  int timesEnded() {
    return ended;
  }

  int[] tokens() {
    return tokens.stream().mapToInt(Integer::intValue).toArray();
  }

  /** What the sink was told with each token. */
  int[] recurrences() {
    return recurrences.stream().mapToInt(Integer::intValue).toArray();
  }

  DecodingStatistics statistics() {
    return task.statistics();
  }
}
