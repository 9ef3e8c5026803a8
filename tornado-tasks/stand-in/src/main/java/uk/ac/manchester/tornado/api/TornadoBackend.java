package uk.ac.manchester.tornado.api;

import uk.ac.manchester.tornado.api.common.TornadoDevice;
import uk.ac.manchester.tornado.api.enums.TornadoVMBackendType;

/** A driver. */
public interface TornadoBackend {
  /** Devices of the driver. */
  int getNumDevices();

  /** A device. */
  TornadoDevice getDevice(int index);

  /** What it compiles to. */
  TornadoVMBackendType getBackendType();
}
