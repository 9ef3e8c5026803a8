package dev.muninn.serve;

/** Which requests go on from keys and values of earlier ones that began with the same tokens. */
public enum PrefixReuse {
  /** None. */
  OFF,
  /**
   * Those whose result is the same to the last bit as without: cache policy full, no warm start,
   * and no exit or one that looks at each position's latent states alone.
   */
  EXACT,
  /** All. Where exits differ, a result is as if its prompt had been computed in pieces. */
  ANY
}
