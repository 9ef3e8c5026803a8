package dev.muninn.cli.bench;

/**
 * The results of one test's runs.
 *
 * @param workload what was run
 * @param decoding whether this is of the tokens behind the prompt, not of the prompt
 * @param seconds of each run
 * @param gaps milliseconds from token to token, of all runs; null for a prompt
 * @param byContext the median of those over the runs, by the number of positions before the token;
 *     null for a prompt
 * @param meanRecurrences over the forwards or, where a prompt's rows leave alone, its rows
 * @param work of one run
 * @param keyValueBytes memory for keys and values
 */
record TestResult(
    Workload workload,
    boolean decoding,
    Sample seconds,
    Sample gaps,
    double[] byContext,
    double meanRecurrences,
    WorkCount work,
    long keyValueBytes) {

  String test() {
    return decoding ? workload.decodeTest() : workload.promptTest();
  }

  int tokens() {
    return decoding ? workload.newTokens() : workload.promptTokens();
  }

  Sample tokensPerSecond() {
    double[] rates = seconds.values();
    for (int i = 0; i < rates.length; i++) {
      rates[i] = tokens() / rates[i];
    }
    return new Sample(rates);
  }

  double bytesPerSecond() {
    return work.bytes() / seconds.mean();
  }

  double operationsPerSecond() {
    return work.operations() / seconds.mean();
  }
}
