package dev.muninn.trace;

import java.util.Optional;

/**
 * The trace of a prompt: its latent states, the model's readout at each recurrence, and, with
 * several initial states, whether they mattered. Closing it ends the reading of the states; their
 * file stays.
 *
 * @param tokens the prompt
 * @param latents the states of every position and recurrence
 * @param readouts what the coda makes of them
 * @param pathIndependence empty with one initial state
 */
public record Trace(
    int[] tokens,
    LatentFile latents,
    Readouts readouts,
    Optional<PathIndependence> pathIndependence)
    implements AutoCloseable {

  /** Applications of the recurrent block, r. */
  public int recurrence() {
    return latents.recurrence();
  }

  @Override
  public void close() {
    latents.close();
  }
}
