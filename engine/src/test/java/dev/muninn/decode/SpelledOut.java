package dev.muninn.decode;

import dev.muninn.backend.LatentRows;
import dev.muninn.backend.RowBatch;
import dev.muninn.cache.KeyValueLayout;
import dev.muninn.cache.SequenceCache;
import java.util.ArrayList;
import java.util.List;

/**
 * Greedy decoding spelled out: one row after the other, the prompt's too, each from its initial
 * state until its criterion lets it go or it has all recurrences.
 */
final class SpelledOut {
  /** Decides about the rows of a sequence. */
  interface Depths {
    /** The criterion of a position, or null for all recurrences. */
    ExitCriterion criterion(int position);
  }

  final List<Integer> tokens = new ArrayList<>();

  /** Recurrences of every position that was computed. */
  final List<Integer> depths = new ArrayList<>();

  /** Of every position that was computed. */
  final List<float[]> logits = new ArrayList<>();

  /** The likeliest token of every position after a number of recurrences. */
  final List<Integer> drafts = new ArrayList<>();

  SpelledOut(DecodingModel model, SequenceRequest request, Depths criteria) {
    this(model, request, criteria, 0);
  }

  /** Reads out the tokens that so many recurrences would choose, too. */
  SpelledOut(DecodingModel model, SequenceRequest request, Depths criteria, int draftRecurrence) {
    int width = model.config.width();
    int[] prompt = request.prompt();
    KeyValueLayout layout =
        new KeyValueLayout(
            model.config,
            request.options().effectivePolicy(),
            request.recurrence(),
            request.capacity());
    InitialStates states = new InitialStates(request.state(), model.config.core().start());
    float[] latent = new float[width];
    float[] warm = new float[width];
    float[] row = new float[model.config.vocabularySize()];
    RowBatch batch = new RowBatch(1);
    try (SequenceCache cache = new SequenceCache(layout, model.plain.allocate(layout));
        LatentRows rows = model.plain.rows(1)) {
      for (int position = 0; tokens.size() < request.count(); position++) {
        boolean inPrompt = position < prompt.length;
        batch.clear();
        batch.add(
            0, cache, position, inPrompt ? prompt[position] : tokens.get(position - prompt.length));
        batch.setLogits(0, true);
        rows.prelude(batch);
        states.fill(position, latent);
        if (request.options().warmStart() && !inPrompt) {
          System.arraycopy(warm, 0, latent, 0, width);
        }
        rows.writeLatent(0, latent);
        ExitCriterion criterion = criteria.criterion(position);
        if (criterion != null) {
          criterion.begin(latent, 1, width);
        }
        int depth = 0;
        boolean leaves = false;
        while (!leaves && depth < request.recurrence()) {
          batch.setRecurrence(0, depth++);
          rows.recur(batch);
          boolean reads = criterion != null && criterion.readsLogits();
          if (reads || depth == draftRecurrence) {
            rows.coda(batch);
            rows.readLogits(0, row);
          }
          if (depth == draftRecurrence) {
            drafts.add(argmax(row));
          }
          if (criterion != null && depth < request.recurrence()) {
            rows.readLatent(0, latent);
            leaves = criterion.satisfied(criterion.measure(latent, 1, width, row));
          }
        }
        rows.coda(batch);
        rows.readLogits(0, row);
        rows.readNormedLatent(0, warm);
        depths.add(depth);
        logits.add(row.clone());
        if (position >= prompt.length - 1) {
          tokens.add(argmax(row));
        }
      }
    }
  }

  static int argmax(float[] values) {
    int best = 0;
    for (int i = 1; i < values.length; i++) {
      if (values[i] > values[best]) {
        best = i;
      }
    }
    return best;
  }

  int[] tokenArray() {
    return tokens.stream().mapToInt(Integer::intValue).toArray();
  }

  /** Recurrences of the positions from one on. */
  int[] depthArray(int from) {
    return depths.stream().skip(from).mapToInt(Integer::intValue).toArray();
  }
}
