package dev.muninn.vector;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.kernel.KernelInputs;
import dev.muninn.kernel.Lanes;
import dev.muninn.model.WeightFormat;
import dev.muninn.model.WeightMatrix;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is compiled, and what is said where nothing is: each in a JVM of its own. */
class WarmUpTest {
  /** Kernels are compiled after few calls, as the launcher has it. */
  private static final String EARLY =
      "-XX:CompileCommand=quiet"
          + " -XX:CompileCommand=CompileThresholdScaling,dev.muninn.vector.*::*,0.01"
          + " -XX:CompileCommand=CompileThresholdScaling,dev.muninn.kernel.*::*,0.01";

  @TempDir private Path directory;

  @ParameterizedTest
  @CsvSource({
    "-Xint, this JVM has no C2 compiler",
    "-XX:TieredStopAtLevel=1, this JVM has no C2 compiler",
    "-XX:TieredStopAtLevel=3, this JVM has no C2 compiler",
    "-XX:CompilationMode=quick-only, this JVM has no C2 compiler",
    "-XX:-UseCompiler, this JVM has no C2 compiler",
    "-XX:MaxVectorSize=8, this JVM's vector instructions are switched off",
    "-XX:+UnlockExperimentalVMOptions -XX:-EnableVectorSupport,"
        + " this JVM's vector instructions are switched off",
  })
  void scalarsComputeWhereVectorsAreSlow(String options, String reason) throws Exception {
    assertEquals(List.of("scalars: " + reason, "idle"), run(options, "BF16"));
  }

  /** As on old processors, and on some virtual ones. */
  @Test
  @EnabledIfSystemProperty(named = "os.arch", matches = "amd64|x86_64")
  void scalarsComputeWithoutAvx() throws Exception {
    assertEquals(
        List.of("scalars: this processor has no AVX instructions", "idle"),
        run("-XX:UseAVX=0", "BF16"));
  }

  /** Those that were begun, and those that somebody asked for. */
  @Test
  void everyTypeThatIsUsedIsCompiled() throws Exception {
    assertEquals(List.of("vectors", "idle"), run(EARLY, "F32", "BF16", "F16"));
  }

  private List<String> run(String options, String... types)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of(options.split(" ")));
    command.addAll(List.of("--add-modules=jdk.incubator.vector", "-Xmx256m", "-cp"));
    command.add(System.getProperty("java.class.path"));
    command.add(Multiplying.class.getName());
    command.addAll(List.of(types));
    Path output = directory.resolve("output");
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    try {
      assertTrue(process.waitFor(180, TimeUnit.SECONDS), () -> read(output));
    } finally {
      process.destroyForcibly();
    }
    return read(output).lines().filter(line -> !line.startsWith("WARNING")).toList();
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      return e.toString();
    }
  }

  /** Begins the first type only, and multiplies weights of all until what is begun has ended. */
  static final class Multiplying {
    private static final int COLUMNS = 4 * Lanes.CHUNK;

    private Multiplying() {}

    public static void main(String[] types) throws InterruptedException {
      WarmUp.begin(WeightFormat.valueOf(types[0]), Duration.ZERO);
      for (String type : types) {
        multiply(WeightFormat.valueOf(type), 1);
        multiply(WeightFormat.valueOf(type), 3);
      }
      for (String type : types) {
        WarmUp.await(WeightFormat.valueOf(type));
      }
      // A busy machine may take longer than anybody waits.
      boolean lacks = lacks(types);
      for (int turn = 0; turn < 1_000 && lacks && types.length > 1; turn++) {
        Thread.sleep(100);
        lacks = lacks(types);
      }
      System.out.println(lacks ? "scalars: " + WarmUp.shortfall() : "vectors");
      Thread[] threads = new Thread[100];
      long left = 0;
      for (int turn = 0; turn < 500; turn++) {
        int count = Thread.enumerate(threads);
        left =
            Arrays.stream(threads, 0, count)
                .filter(thread -> thread.getName().equals("muninn-warm-up"))
                .count();
        if (left == 0) {
          break;
        }
        Thread.sleep(10);
      }
      System.out.println(left == 0 ? "idle" : left + " threads still try");
    }

    private static boolean lacks(String[] types) {
      return WarmUp.lacksRows()
          || Arrays.stream(types).anyMatch(type -> multiply(WeightFormat.valueOf(type), 3));
    }

    /** Whether vector kernels were missing. */
    private static boolean multiply(WeightFormat type, int rows) {
      try (Arena arena = Arena.ofConfined()) {
        KernelInputs inputs = new KernelInputs(1);
        WeightMatrix matrix = inputs.matrix(type.dtype(), 20, COLUMNS, 0, arena);
        float[] x = inputs.values(rows * COLUMNS);
        PackedRows packed = new PackedRows(rows, COLUMNS);
        packed.shape(rows, COLUMNS, type);
        for (int row = 0; row < rows; row++) {
          Kernels.pack(packed, row, x, row * COLUMNS);
        }
        float[] y = new float[20 * rows];
        MatrixKernels.Scratch scratch = new MatrixKernels.Scratch();
        boolean lacks = WarmUp.lacksKernels(type, packed);
        Kernels.multiply(matrix, 0, 20, packed, y, 0, 20, scratch);
        float[] twin = new float[y.length];
        ScalarMatrixKernels.multiply(matrix, 0, 20, packed, twin, 0, 20, scratch.lanes);
        KernelInputs.assertSameBits(twin, y, type + " " + rows);
        return lacks;
      }
    }
  }
}
