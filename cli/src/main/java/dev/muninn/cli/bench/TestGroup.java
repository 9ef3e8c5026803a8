package dev.muninn.cli.bench;

import java.util.List;
import java.util.Optional;

/**
 * Tests that differ in nothing but their recurrences.
 *
 * @param results prompts first, then decoding
 * @param fit of milliseconds from token to token (the median) by mean recurrences; empty where
 *     these are too few
 */
record TestGroup(List<TestResult> results, Optional<LinearFit> fit) {

  static TestGroup of(List<TestResult> results) {
    List<TestResult> decoded = results.stream().filter(TestResult::decoding).toList();
    double[] x = decoded.stream().mapToDouble(TestResult::meanRecurrences).toArray();
    double[] y = decoded.stream().mapToDouble(r -> r.gaps().percentile(50)).toArray();
    long different = decoded.stream().map(TestResult::meanRecurrences).distinct().count();
    return new TestGroup(
        results,
        different < LinearFit.LEAST_POINTS ? Optional.empty() : Optional.of(LinearFit.of(x, y)));
  }

  List<TestResult> decoded() {
    return results.stream().filter(TestResult::decoding).toList();
  }

  /** The settings that the group's tests share, for people. */
  String label() {
    Workload workload = results.getFirst().workload();
    return workload.decodeTest() + workload.variant();
  }
}
