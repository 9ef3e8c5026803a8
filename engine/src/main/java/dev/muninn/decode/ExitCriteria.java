package dev.muninn.decode;

import dev.muninn.model.ExitGate;
import dev.muninn.model.RecurrentModel;
import java.util.Arrays;
import java.util.Objects;
import java.util.OptionalDouble;
import java.util.stream.Collectors;

/**
 * The exit criteria of arXiv 2502.05171, section 6.1, and of the public model file, and the learned
 * gate of models that have one (arXiv 2510.25741).
 */
public final class ExitCriteria {
  private ExitCriteria() {}

  /**
   * Makes the criterion of each group of rows of a model. Options that hold a factory are the same
   * as others if the factories are equal: those that {@link #parse} makes compare as values, a
   * lambda is equal to itself alone.
   */
  @FunctionalInterface
  public interface Factory {
    /** A criterion that has seen nothing. */
    ExitCriterion create(RecurrentModel model);

    /**
     * Refuses a model that the criterion cannot be used with.
     *
     * @throws IllegalArgumentException if the model lacks something that the criterion reads
     */
    default void requireFits(RecurrentModel model) {}
  }

  /** The criteria that have names. */
  public enum Kind {
    ENTROPY_DIFF("entropy-diff", 1e-3),
    LATENT_DIFF("latent-diff", 0.03),
    COSINE("cosine", 1e-3),
    KL("kl", 1e-3),
    MINP_KL("minp-kl", 1e-5),
    ARGMAX_STABILITY("argmax-stability", 5),
    /** The model's own; so is its threshold. */
    GATE("gate", Double.NaN);

    private final String label;
    private final OptionalDouble threshold;

    Kind(String label, double threshold) {
      this.label = label;
      this.threshold =
          Double.isNaN(threshold) ? OptionalDouble.empty() : OptionalDouble.of(threshold);
    }

    /** Whether it looks at nothing but the latent states of its rows. */
    public boolean readsLatentsAlone() {
      return this == LATENT_DIFF || this == COSINE || this == GATE;
    }

    private String valid() {
      return switch (this) {
        case ARGMAX_STABILITY -> "positive whole number";
        case GATE -> "number above 0 and at most 1";
        default -> "positive number";
      };
    }

    private boolean isValid(double value) {
      return value > 0
          && value < Double.POSITIVE_INFINITY
          && switch (this) {
            case ARGMAX_STABILITY -> value == Math.rint(value);
            case GATE -> value <= 1;
            default -> true;
          };
    }
  }

  /**
   * A criterion by its name.
   *
   * @param threshold where rows leave; empty for the model's own
   */
  public record Named(Kind kind, OptionalDouble threshold) implements Factory {
    public Named {
      Objects.requireNonNull(kind, "kind");
      if (threshold.isEmpty() && kind != Kind.GATE) {
        throw new IllegalArgumentException(kind.label + " needs a threshold");
      }
      if (threshold.isPresent() && !kind.isValid(threshold.getAsDouble())) {
        throw badThreshold(kind, String.valueOf(threshold.getAsDouble()));
      }
    }

    @Override
    public ExitCriterion create(RecurrentModel model) {
      int vocabulary = model.vocabularySize();
      double at = threshold.orElse(Double.NaN);
      return switch (kind) {
        case ENTROPY_DIFF -> new LogitExits.EntropyDifference(at);
        case LATENT_DIFF -> new LatentExits.LatentDifference(at);
        case COSINE -> new LatentExits.Cosine(at);
        case KL -> new LogitExits.Divergence(at, vocabulary, false);
        case MINP_KL -> new LogitExits.Divergence(at, vocabulary, true);
        case ARGMAX_STABILITY -> new LogitExits.ArgmaxStability(at);
        case GATE -> {
          ExitGate gate = gate(model);
          yield new LearnedGate(gate, threshold.orElse(gate.threshold()));
        }
      };
    }

    @Override
    public void requireFits(RecurrentModel model) {
      if (kind == Kind.GATE) {
        gate(model);
      }
    }

    private static ExitGate gate(RecurrentModel model) {
      return model
          .gate()
          .orElseThrow(() ->
              new IllegalArgumentException(
                  "the exit gate is learned with the model, and this model has none"));
    }

    /** {@code NAME:THRESHOLD}, as {@link ExitCriteria#parse} reads it. */
    @Override
    public String toString() {
      return threshold.isEmpty() ? kind.label : kind.label + ":" + threshold.getAsDouble();
    }
  }

  /**
   * Reads {@code NAME} or {@code NAME:THRESHOLD}; the names are entropy-diff, latent-diff, cosine,
   * kl, minp-kl, argmax-stability and gate. The same text gives equal factories.
   *
   * @throws IllegalArgumentException if there is no such criterion, or the threshold is no positive
   *     number (for argmax-stability a whole one, for gate at most 1)
   */
  public static Named parse(String text) {
    int colon = text.indexOf(':');
    String name = colon < 0 ? text : text.substring(0, colon);
    for (Kind kind : Kind.values()) {
      if (kind.label.equals(name)) {
        return new Named(
            kind, colon < 0 ? kind.threshold : OptionalDouble.of(threshold(kind, text, colon + 1)));
      }
    }
    throw new IllegalArgumentException(
        "exit criterion \"" + name + "\" is none of " + names() + ", none");
  }

  /** The names that {@link #parse} knows, with commas in between. */
  public static String names() {
    return Arrays.stream(Kind.values()).map(kind -> kind.label).collect(Collectors.joining(", "));
  }

  private static double threshold(Kind kind, String text, int from) {
    String number = text.substring(from);
    double value;
    try {
      value = Double.parseDouble(number);
    } catch (NumberFormatException e) {
      throw badThreshold(kind, number);
    }
    if (!kind.isValid(value)) {
      throw badThreshold(kind, number);
    }
    return value;
  }

  private static IllegalArgumentException badThreshold(Kind kind, String text) {
    return new IllegalArgumentException(
        "exit threshold \"" + text + "\" of " + kind.label + " is not a " + kind.valid());
  }
}
