package dev.muninn.tornado;

import dev.muninn.backend.ComputeDevice;
import dev.muninn.model.RecurrentModel;
import dev.muninn.weights.Checkpoint;
import java.util.List;
import uk.ac.manchester.tornado.api.common.TornadoDevice;
import uk.ac.manchester.tornado.api.enums.TornadoVMBackendType;

/** TornadoVM's devices, or without TornadoVM the one of its stand-in. */
public final class TestDevices {
  /** Work-items an item of work, a power of two: {@code mvn -Dmuninn.test.lanes=64 verify}. */
  private static final String LANES = "muninn.test.lanes";

  private TestDevices() {}

  /** How many work-items an item of work has in these tests, where nobody says otherwise. */
  public static int lanes(int otherwise) {
    return Integer.getInteger(LANES, otherwise);
  }

  /** Sets the runtime up, before any of its classes loads. */
  public static List<ComputeDevice> all() {
    return InstalledRuntime.get().devices();
  }

  /** The runtime's device. */
  public static TornadoDevice find(ComputeDevice described) {
    return InstalledRuntime.get().find(described);
  }

  /** Whether a device is the stand-in's, which may pass for others. */
  static boolean isStandIn(TornadoDevice device) {
    return device.getTornadoVMBackend() == TornadoVMBackendType.JAVA;
  }

  /**
   * Opens a model on the first device, in the schedule that is chosen, or else the device's own.
   */
  static DeviceBackend open(RecurrentModel model, Checkpoint checkpoint) {
    int lanes = lanes(0);
    if (lanes > 0) {
      return open(model, checkpoint, lanes);
    }
    return (DeviceBackend) InstalledRuntime.get().open(model, checkpoint, all().getFirst());
  }

  /** The same with so many work-items an item of work, as on a GPU. */
  static DeviceBackend open(RecurrentModel model, Checkpoint checkpoint, int lanes) {
    return open(model, checkpoint, new Schedule(lanes));
  }

  /** The same, laid as a schedule has it. */
  static DeviceBackend open(RecurrentModel model, Checkpoint checkpoint, Schedule schedule) {
    ComputeDevice first = all().getFirst();
    return new DeviceBackend(first, find(first), model, checkpoint, schedule);
  }
}
