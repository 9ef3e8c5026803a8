package dev.muninn.eval;

import java.io.Serializable;
import java.util.List;

/** A model's result on one problem. */
public sealed interface ProblemResult extends Serializable {

  /** The problem's number in its task, from 0. */
  int number();

  /** Counts of the rows that the recurrent block was applied to. */
  Depth depth();

  /**
   * Recurrences that were spent.
   *
   * @param forwards rows that chose or scored a token; a prompt counts once
   * @param recurrences applications of the recurrent block to them, summed
   */
  record Depth(long forwards, long recurrences) implements Serializable {
    static Depth of(List<Integer> recurrences) {
      long sum = 0;
      for (int recurrence : recurrences) {
        sum += recurrence;
      }
      return new Depth(recurrences.size(), sum);
    }

    /** Of all results together. */
    public static Depth sum(List<? extends ProblemResult> results) {
      Depth sum = new Depth(0, 0);
      for (ProblemResult result : results) {
        sum = sum.plus(result.depth());
      }
      return sum;
    }

    Depth plus(Depth other) {
      return new Depth(forwards + other.forwards, recurrences + other.recurrences);
    }

    /** Recurrences of a forward. */
    public double mean() {
      return (double) recurrences / forwards;
    }
  }

  /**
   * Of a {@link Problem.Choice}.
   *
   * @param logLikelihoods of each choice behind the question, in nats
   */
  record Choice(int number, Depth depth, List<Double> logLikelihoods) implements ProblemResult {
    public Choice {
      logLikelihoods = List.copyOf(logLikelihoods);
    }

    /** The likeliest choice, the first of equals. */
    public int likeliest() {
      int best = 0;
      for (int i = 1; i < logLikelihoods.size(); i++) {
        if (logLikelihoods.get(i) > logLikelihoods.get(best)) {
          best = i;
        }
      }
      return best;
    }

    /** The likeliest choice by its length, the first of equals. */
    public int likeliestByLength(Problem.Choice problem) {
      int best = 0;
      double greatest = Double.NEGATIVE_INFINITY;
      for (int i = 0; i < logLikelihoods.size(); i++) {
        double value = logLikelihoods.get(i) / problem.length(i);
        if (value > greatest) {
          greatest = value;
          best = i;
        }
      }
      return best;
    }
  }

  /**
   * Of a {@link Problem.Answer}.
   *
   * @param answers that of each sample, as {@link Problem.Answer#read} gives it
   */
  record Answer(int number, Depth depth, List<String> answers) implements ProblemResult {
    public Answer {
      answers = List.copyOf(answers);
    }

    /** The answer of most samples, the first of equals; samples without an answer do not vote. */
    public String majority() {
      String best = "";
      int most = 0;
      for (String candidate : answers) {
        int votes = 0;
        for (String answer : answers) {
          votes += answer.equals(candidate) ? 1 : 0;
        }
        if (!candidate.isEmpty() && votes > most) {
          best = candidate;
          most = votes;
        }
      }
      return best;
    }
  }

  /**
   * Of a {@link Problem.Text}.
   *
   * @param logLikelihood of the text, in nats
   * @param tokens that were scored
   * @param bytes of the text in UTF-8; 0 if it was given as tokens
   */
  record Text(int number, Depth depth, double logLikelihood, int tokens, long bytes)
      implements ProblemResult {}
}
