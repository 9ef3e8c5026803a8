package dev.muninn.vector;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class JitCompilerTest {
  private static final String COMPILER = "HotSpot 64-Bit Tiered Compilers";

  @ParameterizedTest
  @CsvSource({
    "amd64, 0, true",
    "x86_64, 0, true",
    "amd64, 1, false",
    "amd64, , false",
    "aarch64, 0, false",
  })
  void sseIsNotEnough(String architecture, String flag, boolean lacks) {
    assertEquals(lacks, JitCompiler.lacksAvx(architecture, flag));
  }

  /** As the JVMs call themselves. */
  @ParameterizedTest
  @CsvSource({
    "OpenJDK 64-Bit Server VM, 'mixed mode, sharing', Temurin-25, true, C2",
    "Java HotSpot(TM) 64-Bit Server VM, mixed mode, , true, C2",
    "OpenJDK 64-Bit Server VM, 'compiled mode, sharing', Temurin-25, true, C2",
    "OpenJDK 64-Bit Server VM, 'mixed mode, emulated-client, sharing', Temurin-25, true, NONE",
    "OpenJDK 64-Bit Server VM, 'interpreted mode, sharing', Temurin-25, false, NONE",
    "OpenJDK 64-Bit Server VM, mixed mode, Temurin-25, false, NONE",
    "OpenJDK 64-Bit Client VM, mixed mode, , true, NONE",
    "OpenJDK 64-Bit Minimal VM, mixed mode, , true, NONE",
    "OpenJDK 64-Bit Zero VM, interpreted mode, , false, NONE",
    "OpenJDK 64-Bit Server VM, 'mixed mode, sharing', GraalVM CE 25+37.1, true, UNKNOWN",
    "Java HotSpot(TM) 64-Bit Server VM, mixed mode, Oracle GraalVM 25+37.1, true, UNKNOWN",
    "Eclipse OpenJ9 VM, JRE 25 Linux amd64-64-Bit, 25.0.0, false, UNKNOWN",
    "Zing 64-Bit Tiered VM, mixed mode, Zing25, true, UNKNOWN",
  })
  void propertiesTellTheCompiler(
      String name, String info, String vendorVersion, boolean compiles, JitCompiler expected) {
    String vendor = vendorVersion == null ? "" : vendorVersion;
    assertEquals(expected, JitCompiler.of(name, info, vendor, compiles ? COMPILER : null));
  }
}
