package dev.muninn.decode;

import java.util.ArrayList;
import java.util.List;

/** Exit criteria that keep all that they see, to the last bit. */
final class RecordedExits {
  /** Latents of every begin, latents and logits of every measure, in their order. */
  final List<float[]> seen = new ArrayList<>();

  /** What was measured, in order. */
  final List<Double> values = new ArrayList<>();

  /** How many rows each forward began with, by group. */
  final List<Integer> begun = new ArrayList<>();

  /** Watches a criterion. */
  ExitCriteria.Factory watch(ExitCriteria.Factory criterion) {
    return config -> new Watched(criterion.create(config));
  }

  /** A criterion that lets nothing leave. */
  static ExitCriteria.Factory never(boolean readsLogits) {
    return after(Integer.MAX_VALUE, readsLogits);
  }

  /** A criterion that lets rows leave at a number of checks. */
  static ExitCriteria.Factory after(int checks, boolean readsLogits) {
    return config -> new After(checks, readsLogits);
  }

  private static final class After implements ExitCriterion {
    private final int most;
    private final boolean readsLogits;
    private int checks;

    After(int most, boolean readsLogits) {
      this.most = most;
      this.readsLogits = readsLogits;
    }

    @Override
    public boolean readsLogits() {
      return readsLogits;
    }

    @Override
    public void begin(float[] latents, int rows, int width) {
      checks = 0;
    }

    @Override
    public double measure(float[] latents, int rows, int width, float[] logits) {
      return ++checks;
    }

    @Override
    public boolean satisfied(double value) {
      return value >= most;
    }
  }

  private final class Watched implements ExitCriterion {
    private final ExitCriterion criterion;

    Watched(ExitCriterion criterion) {
      this.criterion = criterion;
    }

    @Override
    public boolean readsLogits() {
      return criterion.readsLogits();
    }

    private void keepLatents(float[] latents, int rows, int width) {
      float[] copy = new float[rows * width];
      System.arraycopy(latents, 0, copy, 0, copy.length);
      seen.add(copy);
    }

    @Override
    public void begin(float[] latents, int rows, int width) {
      begun.add(rows);
      keepLatents(latents, rows, width);
      criterion.begin(latents, rows, width);
    }

    @Override
    public double measure(float[] latents, int rows, int width, float[] logits) {
      keepLatents(latents, rows, width);
      if (readsLogits()) {
        seen.add(logits.clone());
      }
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
