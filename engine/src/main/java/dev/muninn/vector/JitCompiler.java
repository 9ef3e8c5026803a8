package dev.muninn.vector;

import com.sun.management.HotSpotDiagnosticMXBean;
import dev.muninn.kernel.Lanes;
import java.lang.management.ManagementFactory;
import jdk.incubator.vector.FloatVector;

/**
 * What is known about this JVM's compiler. Vector code is fast only where a compiler turns lane
 * operations into instructions, which HotSpot's C2 does; anywhere else each of them is a call that
 * allocates.
 */
enum JitCompiler {
  /** C2 compiles here. */
  C2,
  /** Nothing here makes vector code fast. */
  NONE,
  /** Not a JVM that we know: only measuring tells. */
  UNKNOWN;

  /** Why scalar code computes in a JVM like this. */
  static final String NO_C2 = "this JVM has no C2 compiler";

  private static final String NO_AVX = "this processor has no AVX instructions";
  private static final String NO_VECTORS = "this JVM's vector instructions are switched off";

  /** The compiler as the JVM's properties tell: they cost nothing, but do not tell everything. */
  static JitCompiler current() {
    if (lacksVectors() || lacksAvx()) {
      return NONE;
    }
    return of(
        System.getProperty("java.vm.name", ""),
        System.getProperty("java.vm.info", ""),
        System.getProperty("java.vendor.version", ""),
        System.getProperty("sun.management.compiler"));
  }

  /** Why {@link #current} is {@link #NONE}. */
  static String reason() {
    return lacksVectors() ? NO_VECTORS : lacksAvx() ? NO_AVX : NO_C2;
  }

  private static boolean lacksVectors() {
    return FloatVector.SPECIES_PREFERRED.vectorBitSize() < Lanes.FLOATS.vectorBitSize();
  }

  private static boolean lacksAvx() {
    return Lanes.FLOATS.vectorBitSize() == 128
        && lacksAvx(System.getProperty("os.arch", ""), FlagHolder.AVX);
  }

  /**
   * Whether this is an Intel or AMD processor, or a virtual one, of which HotSpot uses only SSE: it
   * has no instructions there for much of what the kernels do.
   *
   * @param flag the value of UseAVX, null if there is none
   */
  static boolean lacksAvx(String architecture, String flag) {
    return (architecture.equals("amd64") || architecture.equals("x86_64")) && "0".equals(flag);
  }

  /** Asked only where vectors are short: it takes some tens of milliseconds. */
  private static final class FlagHolder {
    static final String AVX = flag("UseAVX");

    private static String flag(String name) {
      try {
        HotSpotDiagnosticMXBean hotSpot =
            ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class);
        return hotSpot == null ? null : value(hotSpot, name);
      } catch (RuntimeException | LinkageError e) {
        // A flag or a module that this JVM does not have.
        return null;
      }
    }
  }

  /**
   * The compiler of a JVM.
   *
   * @param compiler the property {@code sun.management.compiler}, null where nothing is compiled
   */
  static JitCompiler of(String vmName, String vmInfo, String vendorVersion, String compiler) {
    if (!vmName.contains("HotSpot") && !vmName.contains("OpenJDK")
        || vendorVersion.contains("Graal")) {
      return UNKNOWN;
    }
    boolean hasC2 =
        vmName.contains("Server VM")
            && compiler != null
            && !vmInfo.contains("interpreted mode")
            && !vmInfo.contains("emulated-client");
    return hasC2 ? C2 : NONE;
  }

  /**
   * Why vector code is slow, by HotSpot's flags; null if they do not tell. To ask takes some tens
   * of milliseconds.
   */
  static String reasonByFlags() {
    try {
      HotSpotDiagnosticMXBean hotSpot =
          ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class);
      if (hotSpot == null) {
        return null;
      }
      boolean compiles = Boolean.parseBoolean(value(hotSpot, "UseCompiler"));
      boolean tiered = Boolean.parseBoolean(value(hotSpot, "TieredCompilation"));
      if (!compiles || tiered && Integer.parseInt(value(hotSpot, "TieredStopAtLevel")) < 4) {
        return NO_C2;
      }
      return Boolean.parseBoolean(value(hotSpot, "EnableVectorSupport")) ? null : NO_VECTORS;
    } catch (RuntimeException | LinkageError e) {
      // A flag or a module that this JVM does not have.
      return null;
    }
  }

  private static String value(HotSpotDiagnosticMXBean hotSpot, String flag) {
    return hotSpot.getVMOption(flag).getValue();
  }
}
