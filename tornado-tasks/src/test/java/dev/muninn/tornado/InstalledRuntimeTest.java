package dev.muninn.tornado;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.backend.ComputeDevice;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which TornadoVM is there, and what its devices are called. */
class InstalledRuntimeTest {

  @ParameterizedTest
  @CsvSource({
    "/opt/sdk/share/java/tornado/tornado-api-5.2.0-jdk25.jar, TornadoVM 5.2.0-jdk25",
    "/opt/a sdk/tornado-api-7.2.0-jdk22plus.jar, TornadoVM 7.2.0-jdk22plus",
    "/opt/tornado-api-8.jar, TornadoVM 8",
    "/opt/modules/tornado.api, TornadoVM"
  })
  void theVersionIsThatOfTheJar(String jar, String version) {
    assertEquals(version, InstalledRuntime.version(jar));
  }

  @Test
  void devicesSayWhatTheirKernelsAreCompiledToAndByWhichTornado() {
    for (ComputeDevice device : TestDevices.all()) {
      assertTrue(
          device.name().matches(".+, (CUDA|PTX|OpenCL|Metal|SPIR-V|Java) by TornadoVM.*"),
          device.name());
    }
  }
}
