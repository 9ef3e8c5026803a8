package uk.ac.manchester.tornado.api;

import uk.ac.manchester.tornado.api.common.TornadoDevice;
import uk.ac.manchester.tornado.api.enums.TornadoDeviceType;
import uk.ac.manchester.tornado.api.enums.TornadoVMBackendType;

/** The stand-in's one device, which computes in Java. TornadoVM has no such type. */
public final class JavaDevice implements TornadoDevice {
  private static final long MEMORY = 256L << 20;

  private final TornadoDeviceContext context =
      new TornadoDeviceContext() {
        private boolean reset;

        @Override
        public boolean wasReset() {
          return reset;
        }

        @Override
        public void reset(long executionPlanId) {
          reset = true;
        }

        @Override
        public void setResetToFalse() {
          reset = false;
        }
      };

  private JavaDevice() {}

  /** A runtime with this device only. */
  public static TornadoRuntime runtime() {
    TornadoDevice device = new JavaDevice();
    TornadoBackend backend =
        new TornadoBackend() {
          @Override
          public int getNumDevices() {
            return 1;
          }

          @Override
          public TornadoDevice getDevice(int index) {
            return device;
          }

          @Override
          public TornadoVMBackendType getBackendType() {
            return TornadoVMBackendType.JAVA;
          }
        };
    return new TornadoRuntime() {
      @Override
      public int getNumBackends() {
        return 1;
      }

      @Override
      public TornadoBackend getBackend(int index) {
        return backend;
      }
    };
  }

  @Override
  public void sync(long executionPlanId) {
    // Nothing is under way.
  }

  @Override
  public String getDeviceName() {
    return "java:0";
  }

  @Override
  public TornadoTargetDevice getPhysicalDevice() {
    return () -> "Java in place of a device";
  }

  @Override
  public TornadoDeviceContext getDeviceContext() {
    return context;
  }

  @Override
  public TornadoDeviceType getDeviceType() {
    return TornadoDeviceType.CPU;
  }

  @Override
  public long getMaxAllocMemory() {
    return MEMORY;
  }

  @Override
  public long getMaxGlobalMemory() {
    return MEMORY;
  }

  @Override
  public TornadoVMBackendType getTornadoVMBackend() {
    return TornadoVMBackendType.JAVA;
  }
}
