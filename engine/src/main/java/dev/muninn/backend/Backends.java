package dev.muninn.backend;

import dev.muninn.backend.ComputeDevice.Kind;
import dev.muninn.model.RecurrentModel;
import dev.muninn.weights.Checkpoint;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.ServiceLoader;

/** The backends that are there, and the choice among them. */
public final class Backends {
  /** A GPU if there is one with room for the model, else the CPU by the Vector API. */
  public static final String AUTO = "auto";

  /** The CPU by the Vector API. */
  public static final String VECTOR = "vector";

  /** GPUs, and other devices that TornadoVM knows. */
  public static final String TORNADO = "tornado";

  /** The names that can be asked for. */
  public static final List<String> NAMES = List.of(AUTO, VECTOR, TORNADO);

  private Backends() {}

  /** All that were found, {@link #VECTOR} first. */
  public static List<BackendProvider> providers() {
    List<BackendProvider> providers = new ArrayList<>();
    for (BackendProvider provider :
        ServiceLoader.load(BackendProvider.class, Backends.class.getClassLoader())) {
      providers.add(provider.name().equals(VECTOR) ? 0 : providers.size(), provider);
    }
    return providers;
  }

  /**
   * A backend by its name.
   *
   * @throws BackendException if it is not there; one line says what to install
   */
  private static BackendProvider provider(List<BackendProvider> providers, String name) {
    for (BackendProvider provider : providers) {
      if (provider.name().equals(name)) {
        return provider;
      }
    }
    throw new BackendException(missing(name));
  }

  /** One line that says what a backend that was not found needs. */
  public static String missing(String name) {
    return "the backend "
        + name
        + " needs TornadoVM: install its SDK, and set TORNADOVM_HOME to it";
  }

  /**
   * Opens a model's backend. Automatic choice takes a GPU with room for the model, and no other
   * device but the CPU by the Vector API.
   *
   * @param name one of {@link #NAMES}
   * @param device id of a device, or empty for the backend's choice
   * @throws IllegalArgumentException if there is no such device
   * @throws BackendException if the backend is not there, or fails
   */
  public static Backend open(
      RecurrentModel model,
      Checkpoint checkpoint,
      int threads,
      String name,
      Optional<String> device) {
    return open(providers(), model, checkpoint, threads, name, device);
  }

  /** Chooses among some providers, {@link #VECTOR} first. */
  static Backend open(
      List<BackendProvider> providers,
      RecurrentModel model,
      Checkpoint checkpoint,
      int threads,
      String name,
      Optional<String> device) {
    if (device.isPresent()) {
      ComputeDevice found = find(providers, name, device.get());
      return provider(providers, found.backend()).open(model, checkpoint, threads, found);
    }
    if (!name.equals(AUTO)) {
      return provider(providers, name).open(model, checkpoint, threads);
    }
    for (BackendProvider provider : providers) {
      for (ComputeDevice candidate : devicesOrNone(provider)) {
        if (candidate.kind() == Kind.GPU) {
          try {
            return provider.open(model, checkpoint, threads, candidate);
          } catch (DeviceMemoryException e) {
            // The next one may have more.
          }
        }
      }
    }
    return provider(providers, VECTOR).open(model, checkpoint, threads);
  }

  private static ComputeDevice find(List<BackendProvider> providers, String name, String id) {
    List<ComputeDevice> devices = new ArrayList<>();
    if (name.equals(AUTO)) {
      providers.forEach(provider -> devices.addAll(devicesOrNone(provider)));
    } else {
      devices.addAll(provider(providers, name).devices());
    }
    for (ComputeDevice device : devices) {
      if (device.id().equals(id)) {
        return device;
      }
    }
    throw new IllegalArgumentException(
        "there is no device "
            + id
            + (name.equals(AUTO) ? "" : " for the backend " + name)
            + ", only "
            + String.join(", ", devices.stream().map(ComputeDevice::id).toList()));
  }

  private static List<ComputeDevice> devicesOrNone(BackendProvider provider) {
    try {
      return provider.devices();
    } catch (BackendException e) {
      return List.of();
    }
  }
}
