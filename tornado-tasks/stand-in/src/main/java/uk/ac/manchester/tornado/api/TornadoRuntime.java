package uk.ac.manchester.tornado.api;

/** All drivers. */
public interface TornadoRuntime {
  /** Their number. */
  int getNumBackends();

  /** A driver. */
  TornadoBackend getBackend(int index);
}
