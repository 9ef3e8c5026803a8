package dev.muninn.backend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.backend.ComputeDevice.Kind;
import dev.muninn.cache.KeyValueLayout;
import dev.muninn.cache.KeyValueStore;
import dev.muninn.model.RecurrentModel;
import dev.muninn.weights.Checkpoint;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Which device computes, by what is there and what was asked for. */
class BackendsTest {
  private static final long MODEL_BYTES = 1_000;

  private static final ComputeDevice PROCESSOR =
      new ComputeDevice(Backends.VECTOR, "cpu", "the host", Kind.CPU, 0);

  private static final ComputeDevice OPENCL_CPU = tornado("opencl-0-0", Kind.CPU, 1 << 20);
  private static final ComputeDevice SMALL_GPU = tornado("opencl-1-0", Kind.GPU, 10);
  private static final ComputeDevice GPU = tornado("opencl-1-1", Kind.GPU, 2_000);
  private static final ComputeDevice ACCELERATOR = tornado("opencl-2-0", Kind.ACCELERATOR, 2_000);
  private static final ComputeDevice BROKEN = tornado("ptx-0-0", Kind.GPU, 3_000);

  private static ComputeDevice tornado(String id, Kind kind, long bytes) {
    return new ComputeDevice(Backends.TORNADO, id, "device " + id, kind, bytes);
  }

  /** Devices of a backend; one that is too small for the model refuses it, and one is broken. */
  private record Listed(String name, List<ComputeDevice> devices) implements BackendProvider {
    @Override
    public Backend open(
        RecurrentModel model, Checkpoint checkpoint, int threads, ComputeDevice device) {
      if (device.equals(BROKEN)) {
        throw new BackendException(
            "the device ptx-0-0 failed: its driver is too old; --backend vector computes on the"
                + " CPU");
      }
      if (device.memoryBytes() > 0 && device.memoryBytes() < MODEL_BYTES) {
        throw new DeviceMemoryException(device.id() + " has too little memory");
      }
      return new Opened(device);
    }
  }

  /** TornadoVM's provider in a JVM that was started without it. */
  private static final class NotStarted implements BackendProvider {
    @Override
    public String name() {
      return Backends.TORNADO;
    }

    @Override
    public List<ComputeDevice> devices() {
      throw new BackendException("needs a JVM with TornadoVM");
    }

    @Override
    public Backend open(
        RecurrentModel model, Checkpoint checkpoint, int threads, ComputeDevice device) {
      throw new AssertionError("opened without a device");
    }
  }

  /** What was chosen; nothing is computed here. */
  private record Opened(ComputeDevice device) implements Backend {
    @Override
    public String description() {
      return device.id();
    }

    @Override
    public KeyValueStore allocate(KeyValueLayout layout) {
      throw new UnsupportedOperationException();
    }

    @Override
    public LatentRows rows(int capacity) {
      throw new UnsupportedOperationException();
    }

    @Override
    public DeviceLimits measureLimits() {
      throw new UnsupportedOperationException();
    }

    @Override
    public void close() {}
  }

  private static ComputeDevice choose(String name, String device, ComputeDevice... tornado) {
    return choose(name, device, new Listed(Backends.TORNADO, List.of(tornado)));
  }

  private static ComputeDevice choose(String name, String device, BackendProvider tornado) {
    List<BackendProvider> providers =
        List.of(new Listed(Backends.VECTOR, List.of(PROCESSOR)), tornado);
    return Backends.open(providers, null, null, 1, name, Optional.ofNullable(device)).device();
  }

  @Test
  void automaticChoiceTakesTheFirstGpuWithRoom() {
    assertEquals(GPU, choose(Backends.AUTO, null, GPU));
    assertEquals(GPU, choose(Backends.AUTO, null, OPENCL_CPU, SMALL_GPU, ACCELERATOR, GPU));
  }

  @Test
  void automaticChoiceElseTakesTheProcessor() {
    assertEquals(PROCESSOR, choose(Backends.AUTO, null));
    assertEquals(PROCESSOR, choose(Backends.AUTO, null, SMALL_GPU));
    assertEquals(PROCESSOR, choose(Backends.AUTO, null, OPENCL_CPU));
    assertEquals(PROCESSOR, choose(Backends.AUTO, null, OPENCL_CPU, SMALL_GPU, ACCELERATOR));
    assertEquals(PROCESSOR, choose(Backends.AUTO, null, new NotStarted()));
  }

  @Test
  void aNameTakesTheFirstDeviceOfThatBackend() {
    assertEquals(OPENCL_CPU, choose(Backends.TORNADO, null, OPENCL_CPU));
    assertEquals(GPU, choose(Backends.TORNADO, null, GPU, OPENCL_CPU));
    assertEquals(PROCESSOR, choose(Backends.VECTOR, null, GPU));
  }

  @Test
  void aDeviceIsTakenByItsId() {
    assertEquals(OPENCL_CPU, choose(Backends.AUTO, "opencl-0-0", GPU, OPENCL_CPU));
    assertEquals(OPENCL_CPU, choose(Backends.TORNADO, "opencl-0-0", GPU, OPENCL_CPU));
    assertEquals(PROCESSOR, choose(Backends.AUTO, "cpu", GPU));
    assertEquals(PROCESSOR, choose(Backends.AUTO, "cpu", new NotStarted()));
  }

  @Test
  void anUnknownDeviceIsRefusedWithThoseThatAreThere() {
    assertEquals(
        "there is no device gpu, only cpu, opencl-1-1, opencl-0-0",
        refusal(Backends.AUTO, "gpu", GPU, OPENCL_CPU));
    assertEquals(
        "there is no device cpu for the backend tornado, only opencl-1-1",
        refusal(Backends.TORNADO, "cpu", GPU));
    assertEquals(
        "there is no device opencl-1-1 for the backend vector, only cpu",
        refusal(Backends.VECTOR, "opencl-1-1", GPU));
  }

  private static String refusal(String name, String device, ComputeDevice... tornado) {
    return assertThrows(IllegalArgumentException.class, () -> choose(name, device, tornado))
        .getMessage();
  }

  @Test
  void aDeviceThatWasNamedIsNotReplaced() {
    assertThrows(DeviceMemoryException.class, () -> choose(Backends.AUTO, "opencl-1-0", SMALL_GPU));
    assertThrows(DeviceMemoryException.class, () -> choose(Backends.TORNADO, null, SMALL_GPU));
  }

  @Test
  void aFailureIsNotHiddenAndNamesTheSwitch() {
    for (String name : List.of(Backends.AUTO, Backends.TORNADO)) {
      String message =
          assertThrows(BackendException.class, () -> choose(name, null, BROKEN, GPU)).getMessage();
      assertTrue(message.contains("its driver is too old"), message);
      assertTrue(message.contains("--backend vector"), message);
    }
  }

  @Test
  void aBackendThatIsMissingIsNamed() {
    List<BackendProvider> providers = List.of(new Listed(Backends.VECTOR, List.of(PROCESSOR)));
    String message =
        assertThrows(
                BackendException.class,
                () -> Backends.open(providers, null, null, 1, Backends.TORNADO, Optional.empty()))
            .getMessage();
    assertTrue(message.contains("needs TornadoVM: install"), message);
  }

  @Test
  void aBackendWithoutDevicesIsNoCrash() {
    String message =
        assertThrows(BackendException.class, () -> choose(Backends.TORNADO, null)).getMessage();
    assertTrue(message.contains("no device"), message);
  }
}
