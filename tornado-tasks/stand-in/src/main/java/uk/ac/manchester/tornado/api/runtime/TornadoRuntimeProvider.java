package uk.ac.manchester.tornado.api.runtime;

import uk.ac.manchester.tornado.api.JavaDevice;
import uk.ac.manchester.tornado.api.TornadoRuntime;

/** Finds the runtime. */
public class TornadoRuntimeProvider {
  private static final TornadoRuntime RUNTIME = JavaDevice.runtime();

  private TornadoRuntimeProvider() {}

  /** The runtime. */
  public static TornadoRuntime getTornadoRuntime() {
    return RUNTIME;
  }
}
