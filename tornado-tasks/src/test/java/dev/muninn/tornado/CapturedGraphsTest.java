package dev.muninn.tornado;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.muninn.Fixture;
import dev.muninn.backend.ComputeDevice;
import java.lang.reflect.Proxy;
import org.junit.jupiter.api.Test;
import uk.ac.manchester.tornado.api.common.TornadoDevice;
import uk.ac.manchester.tornado.api.enums.TornadoVMBackendType;

/** Where graphs cannot be captured, the backend computes without, and says so. */
class CapturedGraphsTest {

  @Test
  void aDeviceThatFailsToCaptureComputesWithout() {
    ComputeDevice first = TestDevices.all().getFirst();
    TornadoDevice device = InstalledRuntime.get().find(first);
    assumeTrue(
        TestDevices.isStandIn(device), "only the stand-in's device can pass for one of CUDA");
    try (Fixture fixture = new Fixture("raven-1-4-1-bf16");
        DeviceBackend backend =
            new DeviceBackend(
                first, cuda(device), fixture.model(), fixture.checkpoint(), new Schedule(1))) {
      String description = backend.description();
      assertTrue(
          description.endsWith(", without captured graphs (Java captures no graphs)"), description);
    }
    try (Fixture fixture = new Fixture("raven-1-4-1-bf16");
        DeviceBackend backend = TestDevices.open(fixture.model(), fixture.checkpoint())) {
      assertTrue(backend.description().endsWith(first.toString()), backend.description());
    }
  }

  private static TornadoDevice cuda(TornadoDevice device) {
    return (TornadoDevice)
        Proxy.newProxyInstance(
            TornadoDevice.class.getClassLoader(),
            new Class<?>[] {TornadoDevice.class},
            (proxy, method, arguments) ->
                method.getName().equals("getTornadoVMBackend")
                    ? TornadoVMBackendType.CUDA
                    : method.invoke(device, arguments));
  }
}
