package dev.muninn.prepare;

/** A part of a model, whose matrices have one format. */
public enum Part {
  /** The embedding, where it is a matrix of its own. */
  EMBEDDING,
  /** The blocks before the recurrent block. */
  PRELUDE,
  /** The injection, which mixes the latent state with the embedded token. */
  ADAPTER,
  /** The recurrent block. */
  CORE,
  /** The blocks behind the recurrent block. */
  CODA,
  /** The head. Where the embedding is tied to it, both. */
  HEAD
}
