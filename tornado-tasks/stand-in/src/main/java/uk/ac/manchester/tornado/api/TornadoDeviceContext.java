package uk.ac.manchester.tornado.api;

/** What the runtime keeps of a device. */
public interface TornadoDeviceContext {
  /** Whether a plan was freed since plans were last compiled ahead. */
  boolean wasReset();

  /** Frees what a plan has. */
  void reset(long executionPlanId);

  /** Forgets that a plan was freed. */
  void setResetToFalse();
}
