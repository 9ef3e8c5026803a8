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
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import uk.ac.manchester.tornado.api.TornadoBackend;
import uk.ac.manchester.tornado.api.TornadoRuntime;
import uk.ac.manchester.tornado.api.common.TornadoDevice;
import uk.ac.manchester.tornado.api.enums.TornadoVMBackendType;
import uk.ac.manchester.tornado.api.runtime.TornadoRuntimeProvider;

/** TornadoVM's runtime in this JVM, with the settings that it reads when its classes load. */
final class InstalledRuntime {
  private static final Pattern API_JAR = Pattern.compile("tornado-api-([^/]+)\\.jar$");

  private static InstalledRuntime instance;

  private final List<Found> found;

  /** A device, and what the runtime calls it by. */
  private record Found(ComputeDevice description, TornadoDevice device) {}

  private InstalledRuntime() {
    // A kernel that cannot be compiled must not be computed in Java instead, silently and wrongly.
    System.setProperty("tornado.recover.bailout", "False");
    // The graph of a recurrent block has more tasks than the default has room for.
    System.setProperty("tornado.tvm.maxbytecodesize", "1048576");
    // Products and tiles are larger than what the runtime inlines of its own accord.
    System.setProperty("tornado.compiler.fullInlining", "True");
    // What is told to a device it does in that order, so no task waits for events. Every execution
    // clears a list of so many for each array: the default of 32,768 took more time than launches.
    System.setProperty("tornado.vm.deps", "False");
    System.setProperty("tornado.max.events", "16");
    // CUDA and PTX would lock all of the host's arrays in memory: mapped weights, and the twins of
    // caches, which are never touched and would become real.
    System.setProperty("tornado.staged.transfers", "True");
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
          version()
              + " cannot list its devices: "
              + e.getMessage()
              + "; --backend vector computes on the CPU",
          e);
    }
    all.sort(Comparator.comparing(device -> device.description().kind() != Kind.GPU));
    return List.copyOf(all);
  }

  /** The runtime's name with its version, as its jar tells it: {@code TornadoVM 5.2.0-jdk25}. */
  static String version() {
    return ModuleLayer.boot()
        .configuration()
        .findModule("tornado.api")
        .flatMap(module -> module.reference().location())
        .map(location -> version(location.getPath()))
        .orElse("TornadoVM");
  }

  /** The same from the path of the jar with TornadoVM's API. */
  static String version(String jar) {
    Matcher name = API_JAR.matcher(jar);
    return name.find() ? "TornadoVM " + name.group(1) : "TornadoVM";
  }

  private static Found describe(TornadoDevice device) {
    Kind kind =
        switch (device.getDeviceType()) {
          case GPU -> Kind.GPU;
          case CPU -> Kind.CPU;
          default -> Kind.ACCELERATOR;
        };
    String name =
        device.getPhysicalDevice().getDeviceName().strip()
            + ", "
            + word(device.getTornadoVMBackend())
            + " by "
            + version();
    return new Found(
        new ComputeDevice(
            Backends.TORNADO, device.getDeviceName(), name, kind, device.getMaxGlobalMemory()),
        device);
  }

  private static String word(TornadoVMBackendType type) {
    return switch (type.name()) {
      case "OPENCL" -> "OpenCL";
      case "METAL" -> "Metal";
      case "SPIRV" -> "SPIR-V";
      case "JAVA" -> "Java";
      // CUDA, PTX, and what later versions may add.
      default -> type.name();
    };
  }

  /** All devices, GPUs first. */
  List<ComputeDevice> devices() {
    return found.stream().map(Found::description).toList();
  }

  /** Opens a model on a device. */
  Backend open(RecurrentModel model, Checkpoint checkpoint, ComputeDevice chosen) {
    TornadoDevice device = find(chosen);
    return new DeviceBackend(chosen, device, model, checkpoint, Schedule.of(device));
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
