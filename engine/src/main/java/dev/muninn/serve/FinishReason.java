package dev.muninn.serve;

/** Why a generation ended. */
public enum FinishReason {
  /** An end-of-sequence token was chosen, or a stop string was met. */
  STOP,
  /** As many tokens as were asked for were made, or the context is full. */
  LENGTH,
  /** The caller cancelled. */
  CANCELLED
}
