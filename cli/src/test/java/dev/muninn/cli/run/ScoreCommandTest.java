package dev.muninn.cli.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.cli.CommandRun;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ScoreCommandTest {
  private static final String TINY = CommandRun.RAVEN_TINY.toString();

  @Test
  void jsonHasOneLogProbabilityLessThanTokens() throws IOException {
    Map<String, Object> json = CommandRun.of("score", "-m", TINY, "--json", "12+34=46").json();
    assertEquals(List.of("tokens", "logprobs", "perplexity"), List.copyOf(json.keySet()));
    assertEquals(List.of(256L, 49L, 50L, 43L, 51L, 52L, 61L, 52L, 54L), json.get("tokens"));
    List<?> logProbabilities = assertInstanceOf(List.class, json.get("logprobs"));
    assertEquals(8, logProbabilities.size());
    double sum = logProbabilities.stream().mapToDouble(value -> (double) value).sum();
    assertEquals(Math.exp(-sum / 8), (double) json.get("perplexity"), 1e-6 * Math.exp(-sum / 8));
    assertTrue((double) logProbabilities.getLast() > -0.1, logProbabilities.toString());
  }

  @Test
  void linesNameTheTokens() {
    CommandRun run = CommandRun.of("score", "-m", TINY, "\"\n=");
    assertEquals("", run.err());
    List<String> lines = run.out().lines().toList();
    assertEquals("   256           -  \"\"", lines.get(0));
    assertTrue(lines.get(1).matches(" +34 +-\\d+\\.\\d{4}  \"\\\\\"\""), lines.get(1));
    assertTrue(lines.get(2).matches(" +10 +-\\d+\\.\\d{4}  \"\\\\n\""), lines.get(2));
    assertTrue(
        lines.get(4).matches("4 tokens, log-likelihood -\\d+\\.\\d{4}, perplexity \\d+\\.\\d{4}"),
        lines.get(4));
    assertEquals(5, lines.size());
  }

  @Test
  void modelWithoutTokenizerHasNoPieces() {
    CommandRun run =
        CommandRun.of(
            "score", "-m", CommandRun.UNTIED.toString(), "--prompt-tokens", "1,2", "-r", "1");
    assertEquals("", run.err());
    assertTrue(run.out().lines().toList().get(1).matches(" +2 +-\\d+\\.\\d{4}"), run.out());
  }

  @Test
  void depthCounts() throws IOException {
    String[] shallow = {"score", "-m", TINY, "--json", "-r", "1", "73059184=7"};
    String[] deep = {"score", "-m", TINY, "--json", "-r", "8", "73059184=7"};
    double atOne = (double) CommandRun.of(shallow).json().get("perplexity");
    double atEight = (double) CommandRun.of(deep).json().get("perplexity");
    assertTrue(atOne != atEight, atOne + " " + atEight);
  }
}
