package dev.muninn.tornado;

import dev.muninn.backend.Backend;
import dev.muninn.backend.BackendException;
import dev.muninn.backend.Backends;
import dev.muninn.backend.ComputeDevice;
import dev.muninn.backend.ComputeDevice.Kind;
import dev.muninn.model.RecurrentModel;
import dev.muninn.weights.Checkpoint;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import uk.ac.manchester.tornado.api.TornadoBackend;
import uk.ac.manchester.tornado.api.TornadoRuntime;
import uk.ac.manchester.tornado.api.common.TornadoDevice;
import uk.ac.manchester.tornado.api.runtime.TornadoRuntimeProvider;

/** TornadoVM's runtime in this JVM, with the settings that it reads when its classes load. */
final class InstalledRuntime {
  private static InstalledRuntime instance;

  private final List<Found> found;

  /** A device, and what the runtime calls it by. */
  private record Found(ComputeDevice description, TornadoDevice device) {}

  private InstalledRuntime() {
    // A kernel that cannot be compiled must not be computed in Java instead, silently and wrongly.
    System.setProperty("tornado.recover.bailout", "False");
    // The graph of a recurrent block has more tasks than the default has room for.
    System.setProperty("tornado.tvm.maxbytecodesize", "65536");
    // The runtime's own limit is a guess; what fits is checked against the device.
    System.setProperty("tornado.device.memory", "1024TB");
    found = find();
  }

  /**
   * The runtime, which is set up when it is first asked for.
   *
   * @throws BackendException if it cannot be
   */
  static synchronized InstalledRuntime get() {
    if (instance == null) {
      instance = new InstalledRuntime();
    }
    return instance;
  }

  private static List<Found> find() {
    List<Found> all = new ArrayList<>();
    try {
      TornadoRuntime runtime = TornadoRuntimeProvider.getTornadoRuntime();
      for (int i = 0; i < runtime.getNumBackends(); i++) {
        TornadoBackend backend = runtime.getBackend(i);
        for (int j = 0; j < backend.getNumDevices(); j++) {
          all.add(describe(backend.getDevice(j)));
        }
      }
    } catch (RuntimeException | LinkageError e) {
      throw new BackendException(
          "TornadoVM cannot list its devices: "
              + e.getMessage()
              + "; --backend vector computes on the CPU",
          e);
    }
    all.sort(Comparator.comparing(device -> device.description().kind() != Kind.GPU));
    return List.copyOf(all);
  }

  private static Found describe(TornadoDevice device) {
    Kind kind =
        switch (device.getDeviceType()) {
          case GPU -> Kind.GPU;
          case CPU -> Kind.CPU;
          default -> Kind.ACCELERATOR;
        };
    String name = device.getPhysicalDevice().getDeviceName().strip();
    return new Found(
        new ComputeDevice(
            Backends.TORNADO, device.getDeviceName(), name, kind, device.getMaxGlobalMemory()),
        device);
  }

  /** All devices, GPUs first. */
  List<ComputeDevice> devices() {
    return found.stream().map(Found::description).toList();
  }

  /** Opens a model on a device. */
  Backend open(RecurrentModel model, Checkpoint checkpoint, ComputeDevice chosen) {
    TornadoDevice device = find(chosen);
    return new DeviceBackend(
        chosen, device, model, checkpoint, Schedule.of(device.getDeviceType()));
  }

  /** The runtime's device. */
  TornadoDevice find(ComputeDevice chosen) {
    for (Found candidate : found) {
      if (candidate.description().equals(chosen)) {
        return candidate.device();
      }
    }
    throw new IllegalArgumentException("there is no device " + chosen.id());
  }
}
