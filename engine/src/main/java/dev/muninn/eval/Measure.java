package dev.muninn.eval;

import java.util.ArrayList;
import java.util.List;

/**
 * How well a model did on problems, in one figure.
 *
 * @param name what is measured
 * @param value a share from 0 to 1, or a perplexity
 * @param interval where the value of all problems of this kind is, at 95 %
 * @param score the value on the scale that errors are measured on, more being better: the share, or
 *     the mean log-probability of a token
 * @param standardError of the score; NaN where nothing is known
 */
public record Measure(
    String name, double value, Interval interval, double score, double standardError) {
  public static final String ACCURACY = "accuracy";
  public static final String ACCURACY_BY_LENGTH = "accuracy by length";
  public static final String PERPLEXITY = "perplexity";

  /**
   * Measures results.
   *
   * @param results of problems of the task, at least one
   * @param vote whether the answer of most samples counts; else the share of right samples
   * @return one measure, or two for multiple choice
   */
  public static List<Measure> of(Task task, List<? extends ProblemResult> results, boolean vote) {
    double right = 0;
    double rightByLength = 0;
    List<ProblemResult.Text> texts = new ArrayList<>();
    for (ProblemResult result : results) {
      Problem problem = task.problems().get(result.number());
      switch (result) {
        case ProblemResult.Choice choice -> {
          Problem.Choice asked = (Problem.Choice) problem;
          right += choice.likeliest() == asked.answer() ? 1 : 0;
          rightByLength += choice.likeliestByLength(asked) == asked.answer() ? 1 : 0;
        }
        case ProblemResult.Answer answer ->
            right += rightShare((Problem.Answer) problem, answer, vote);
        case ProblemResult.Text text -> texts.add(text);
      }
    }
    if (!texts.isEmpty()) {
      return List.of(perplexity(texts));
    }
    Measure accuracy = share(ACCURACY, right, results.size());
    return results.getFirst() instanceof ProblemResult.Choice
        ? List.of(accuracy, share(ACCURACY_BY_LENGTH, rightByLength, results.size()))
        : List.of(accuracy);
  }

  private static double rightShare(
      Problem.Answer problem, ProblemResult.Answer result, boolean vote) {
    if (vote) {
      return problem.isRight(result.majority()) ? 1 : 0;
    }
    int right = 0;
    for (String answer : result.answers()) {
      right += problem.isRight(answer) ? 1 : 0;
    }
    return (double) right / result.answers().size();
  }

  private static Measure share(String name, double right, int count) {
    double share = right / count;
    return new Measure(
        name, share, Interval.wilson(right, count), share, Math.sqrt(share * (1 - share) / count));
  }

  /**
   * Of all tokens together. The error is that of a ratio of sums over texts, as tokens of one text
   * are not independent.
   */
  private static Measure perplexity(List<ProblemResult.Text> texts) {
    double logLikelihood = 0;
    long tokens = 0;
    for (ProblemResult.Text text : texts) {
      logLikelihood += text.logLikelihood();
      tokens += text.tokens();
    }
    double mean = logLikelihood / tokens;
    double squares = 0;
    for (ProblemResult.Text text : texts) {
      double residual = text.logLikelihood() - mean * text.tokens();
      squares += residual * residual;
    }
    int count = texts.size();
    double error = count < 2 ? Double.NaN : Math.sqrt(squares * count / (count - 1)) / tokens;
    Interval interval = Interval.normal(-mean, error);
    return new Measure(
        PERPLEXITY,
        Math.exp(-mean),
        new Interval(Math.exp(interval.low()), Math.exp(interval.high())),
        mean,
        error);
  }
}
