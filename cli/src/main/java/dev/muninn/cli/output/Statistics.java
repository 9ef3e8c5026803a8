package dev.muninn.cli.output;

import dev.muninn.LanguageModel;
import dev.muninn.LoadTimings;
import dev.muninn.cli.process.StartUp;
import dev.muninn.serve.GenerationResult;
import java.io.PrintWriter;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;

/** Speed, depth and memory of one or several generations, for people. */
public final class Statistics {
  private static final int BAR = 40;

  private Statistics() {}

  /** Prints those of a generation, a line a figure. */
  public static void print(PrintWriter out, LanguageModel model, GenerationResult result) {
    print(out, model, List.of(result), OptionalLong.empty());
  }

  /**
   * Prints those of generations that shared their calls.
   *
   * @param nanos how long all of them took together
   */
  public static void print(
      PrintWriter out, LanguageModel model, List<GenerationResult> results, long nanos) {
    print(out, model, results, OptionalLong.of(nanos));
  }

  private static void print(
      PrintWriter out, LanguageModel model, List<GenerationResult> results, OptionalLong together) {
    long prefillNanos = 0;
    long prefillTokens = 0;
    long decodeNanos = 0;
    long decodeTokens = 0;
    long corePasses = 0;
    long coreRows = 0;
    long checkRows = 0;
    long drafted = 0;
    long accepted = 0;
    long outerSteps = 0;
    long keyValueBytes = 0;
    long tokens = 0;
    Map<Integer, Integer> histogram = new TreeMap<>();
    for (GenerationResult result : results) {
      prefillNanos += result.timings().prefillNanos();
      prefillTokens += result.timings().prefillTokens();
      decodeNanos += result.timings().decodeNanos();
      decodeTokens += result.timings().decodeTokens();
      corePasses += result.statistics().corePasses();
      coreRows += result.statistics().coreRows();
      checkRows += result.statistics().checkRows();
      drafted += result.statistics().draftedTokens();
      accepted += result.statistics().acceptedTokens();
      outerSteps += result.statistics().outerSteps();
      keyValueBytes = Math.max(keyValueBytes, result.keyValueBytes());
      tokens += result.tokens().size();
      result.recurrences().forEach(recurrence -> histogram.merge(recurrence, 1, Integer::sum));
    }
    startUp(out, model.loadTimings());
    if (together.isPresent()) {
      line(out, "prompts", "%s", Units.count(results.size(), "prompt"));
      speed(out, "together", prefillTokens + decodeTokens, together.getAsLong());
      speedOfEach(out, "prefill", prefillTokens, prefillNanos);
      speedOfEach(out, "decode", decodeTokens, decodeNanos);
    } else {
      speed(out, "prefill", prefillTokens, prefillNanos);
      speed(out, "decode", decodeTokens, decodeNanos);
    }
    depths(out, histogram);
    if (together.isPresent()) {
      // A call is counted by each sequence that has rows in it.
      line(out, "core", "%s through the recurrent block", Units.count(coreRows, "row"));
    } else {
      line(
          out,
          "core",
          "%s of the recurrent block, %s, %.2f tokens a call",
          Units.count(corePasses, "call"),
          Units.count(coreRows, "row"),
          corePasses == 0 ? 0.0 : (double) tokens / corePasses);
    }
    if (checkRows > 0) {
      line(out, "exit checks", "%s through the coda", Units.count(checkRows, "row"));
    }
    if (drafted > 0) {
      line(
          out,
          "speculation",
          "%d of %d drafted tokens accepted, %.0f %%",
          accepted,
          drafted,
          100.0 * accepted / drafted);
    }
    if (outerSteps > 0) {
      line(
          out,
          "wavefront",
          "%s; the prompt is one of the calls",
          Units.count(outerSteps, "outer step"));
    }
    line(out, "mapped", "%s of weights", Units.bytes(model.checkpoint().mappedBytes()));
    line(
        out,
        "KV cache",
        together.isEmpty() ? "%s" : "%s for the greatest sequence",
        Units.bytes(keyValueBytes));
    line(out, "backend", "%s", model.backendName());
    out.flush();
  }

  /** The time spent before the first prompt. */
  private static void startUp(PrintWriter out, LoadTimings load) {
    OptionalLong entered = StartUp.entered();
    OptionalLong age = StartUp.age();
    if (entered.isPresent() && age.isPresent()) {
      long sinceEntered = System.nanoTime() - entered.getAsLong();
      line(
          out,
          "start",
          "%.0f ms for Java, %.1f ms for the command line",
          Units.milliseconds(Math.max(0, age.getAsLong() - sinceEntered)),
          Units.milliseconds(load.began() - entered.getAsLong()));
    }
    line(
        out,
        "load",
        "%.1f ms: map %.1f ms, tokenizer %.1f ms, warm-up %.1f ms",
        Units.milliseconds(load.totalNanos()),
        Units.milliseconds(load.mapNanos()),
        Units.milliseconds(load.tokenizerNanos()),
        Units.milliseconds(load.warmUpNanos()));
  }

  /** Sequences side by side wait for each other: their times are no share of the whole. */
  private static void speedOfEach(PrintWriter out, String name, long tokens, long nanos) {
    line(out, name, "%d tokens, %.1f tokens/s for each prompt", tokens, perSecond(tokens, nanos));
  }

  private static void speed(PrintWriter out, String name, long tokens, long nanos) {
    line(
        out,
        name,
        "%d tokens in %.1f ms, %.1f tokens/s",
        tokens,
        Units.milliseconds(nanos),
        perSecond(tokens, nanos));
  }

  private static double perSecond(long tokens, long nanos) {
    return nanos == 0 ? 0.0 : tokens * 1e9 / nanos;
  }

  /** The mean, and unless all forwards are alike a bar for each depth. */
  private static void depths(PrintWriter out, Map<Integer, Integer> histogram) {
    long forwards = 0;
    long sum = 0;
    int most = 0;
    for (Map.Entry<Integer, Integer> entry : histogram.entrySet()) {
      forwards += entry.getValue();
      sum += (long) entry.getKey() * entry.getValue();
      most = Math.max(most, entry.getValue());
    }
    line(
        out,
        "recurrences",
        "%.2f a forward, %s",
        forwards == 0 ? 0.0 : (double) sum / forwards,
        Units.count(forwards, "forward"));
    if (histogram.size() < 2) {
      return;
    }
    for (Map.Entry<Integer, Integer> entry : histogram.entrySet()) {
      int length = Math.max(1, entry.getValue() * BAR / most);
      line(out, "", "%4d %s %d", entry.getKey(), "#".repeat(length), entry.getValue());
    }
  }

  private static void line(PrintWriter out, String name, String pattern, Object... values) {
    out.println(Units.format("%-12s ", name) + Units.format(pattern, values));
  }
}
