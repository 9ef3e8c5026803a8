package dev.muninn.cli.trace;

import dev.muninn.trace.Convergence;
import dev.muninn.trace.LatentFile;
import dev.muninn.trace.PathIndependence;
import dev.muninn.trace.Readouts;
import dev.muninn.trace.Trace;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A trace and what was measured of it.
 *
 * @param model what computed, for people
 * @param recurrence applications of the recurrent block, r
 * @param threshold relative change below which a position has settled
 * @param tokens the positions, in order
 * @param readouts what the model would say at each recurrence
 * @param pathIndependence empty with one initial state
 * @param texts tokens for people
 * @param longest the last recurrence at which a position settles; r + 1 if one does not
 */
public record TraceAnalysis(
    String model,
    int recurrence,
    double threshold,
    List<TokenTrace> tokens,
    Readouts readouts,
    Optional<PathIndependence> pathIndependence,
    TokenTexts texts,
    int longest) {

  /** Measures a trace; one position's states are in memory at a time. */
  public static TraceAnalysis of(Trace trace, double threshold, String model, TokenTexts texts) {
    LatentFile latents = trace.latents();
    List<TokenTrace> tokens = new ArrayList<>();
    for (int position = 0; position < latents.positions(); position++) {
      float[][] states = latents.trajectory(position);
      Convergence convergence = Convergence.of(states);
      PrincipalComponents components = PrincipalComponents.of(states);
      double[][] kept = new double[states.length][TokenTrace.COMPONENTS];
      double[] shares = new double[TokenTrace.COMPONENTS];
      for (int component = 0; component < TokenTrace.COMPONENTS; component++) {
        shares[component] = components.share(component);
        for (int i = 0; i < states.length; i++) {
          kept[i][component] = components.coordinate(i, component);
        }
      }
      int token = trace.tokens()[position];
      tokens.add(
          new TokenTrace(
              position,
              token,
              texts.of(token),
              convergence,
              convergence.settled(threshold),
              TrajectoryShape.of(components.coordinates()),
              kept,
              shares));
    }
    return new TraceAnalysis(
        model,
        trace.recurrence(),
        threshold,
        tokens,
        trace.readouts(),
        trace.pathIndependence(),
        texts,
        tokens.stream()
            .mapToInt(token -> token.settled().orElse(trace.recurrence() + 1))
            .max()
            .orElse(1));
  }

  /** How many trajectories have each name; all four are there. */
  public Map<TrajectoryKind, Integer> kinds() {
    Map<TrajectoryKind, Integer> kinds = new EnumMap<>(TrajectoryKind.class);
    for (TrajectoryKind kind : TrajectoryKind.values()) {
      kinds.put(kind, 0);
    }
    for (TokenTrace token : tokens) {
      kinds.merge(token.shape().kind(), 1, Integer::sum);
    }
    return kinds;
  }

  /** How many positions settle. */
  public long settledTokens() {
    return tokens.stream().filter(token -> token.settled().isPresent()).count();
  }

  /**
   * The positions that take longest, in order of position: those that do not settle first, and the
   * last position always, for it says what comes next.
   */
  public List<TokenTrace> slowest(int most) {
    if (tokens.size() <= most) {
      return tokens;
    }
    Integer[] order = new Integer[tokens.size() - 1];
    for (int i = 0; i < order.length; i++) {
      order[i] = i;
    }
    Arrays.sort(order, (a, b) -> Integer.compare(slowness(b), slowness(a)));
    int[] chosen = new int[most];
    for (int i = 0; i < most - 1; i++) {
      chosen[i] = order[i];
    }
    chosen[most - 1] = tokens.size() - 1;
    Arrays.sort(chosen);
    return Arrays.stream(chosen).mapToObj(tokens::get).toList();
  }

  private int slowness(int position) {
    return tokens.get(position).settled().orElse(recurrence + 1);
  }

  /**
   * How long a position took, from 0, settled at recurrence 1, to 1: as long as the longest, or not
   * settled. The logarithm of the recurrence, for most settle early.
   */
  public double duration(TokenTrace token) {
    return duration(token.settled().orElse(longest));
  }

  /** The same of a recurrence, from 1 to {@link #longest}. */
  public double duration(int settled) {
    return longest == 1 ? 0 : Math.log(settled) / Math.log(longest);
  }
}
