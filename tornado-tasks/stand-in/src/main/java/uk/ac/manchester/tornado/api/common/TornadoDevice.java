package uk.ac.manchester.tornado.api.common;

import uk.ac.manchester.tornado.api.TornadoDeviceContext;
import uk.ac.manchester.tornado.api.TornadoTargetDevice;
import uk.ac.manchester.tornado.api.enums.TornadoDeviceType;
import uk.ac.manchester.tornado.api.enums.TornadoVMBackendType;

/** A device. */
public interface TornadoDevice {
  /** Waits for what a plan has begun. */
  void sync(long executionPlanId);

  /** The runtime's name of it. */
  String getDeviceName();

  /** The driver's view of it. */
  TornadoTargetDevice getPhysicalDevice();

  /** The runtime's view of it. */
  TornadoDeviceContext getDeviceContext();

  /** Its kind. */
  TornadoDeviceType getDeviceType();

  /** Most bytes of one allocation. */
  long getMaxAllocMemory();

  /** Bytes of its memory. */
  long getMaxGlobalMemory();

  /** What kernels are compiled to. */
  TornadoVMBackendType getTornadoVMBackend();
}
