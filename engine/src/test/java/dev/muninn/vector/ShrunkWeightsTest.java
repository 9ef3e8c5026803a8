package dev.muninn.vector;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.model.WeightFormat;
import dev.muninn.model.WeightMatrix;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Compiled products of weights whose file shrinks under the map. */
class ShrunkWeightsTest {
  private static final int[] ROWS = {1, 3, 8, 16, 32};

  @TempDir private Path directory;

  /** In a JVM of its own: whether the fault is survived is the very question. */
  @Test
  void compiledProductsEndInAnError() throws IOException, InterruptedException {
    Path output = directory.resolve("output");
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--add-modules=jdk.incubator.vector",
                "-Xmx256m",
                "-Xbatch",
                "-XX:-CreateCoredumpOnCrash",
                "-XX:ErrorFile=" + directory.resolve("crash"),
                "-cp",
                System.getProperty("java.class.path"),
                Shrinking.class.getName(),
                directory.resolve("weights").toString())
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    try {
      assertTrue(process.waitFor(120, TimeUnit.SECONDS));
    } finally {
      process.destroyForcibly();
    }
    String said = Files.readString(output);
    assertEquals(0, process.exitValue(), said);
    assertEquals(
        WeightFormat.values().length * ROWS.length,
        said.lines().filter(line -> line.endsWith("InternalError")).count(),
        said);
  }

  /** Multiplies until everything is compiled, cuts the file and multiplies once more. */
  static final class Shrinking {
    private static final int OUTPUTS = 64;
    private static final int COLUMNS = 256;
    private static final int CALLS = 3_000;

    private Shrinking() {}

    public static void main(String[] arguments) throws IOException {
      MatrixKernels.Scratch scratch = new MatrixKernels.Scratch();
      for (WeightFormat format : WeightFormat.values()) {
        for (int rows : ROWS) {
          try (RandomAccessFile file = new RandomAccessFile(arguments[0], "rw")) {
            long bytes = format.strides(OUTPUTS) * format.bytes(COLUMNS);
            file.setLength(bytes);
            FileChannel channel = file.getChannel();
            MemorySegment data = channel.map(MapMode.READ_ONLY, 0, bytes, Arena.ofAuto());
            WeightMatrix matrix = new WeightMatrix(format, OUTPUTS, COLUMNS, data);
            PackedRows x = new PackedRows(rows, COLUMNS, format);
            x.shape(rows, COLUMNS, format);
            float[] values = new float[COLUMNS];
            for (int row = 0; row < rows; row++) {
              x.pack(row, values, 0);
            }
            float[] y = new float[rows * OUTPUTS];
            for (int call = 0; call < CALLS; call++) {
              MatrixKernels.multiply(matrix, 0, OUTPUTS, x, y, 0, OUTPUTS, scratch);
            }
            file.setLength(4096);
            try {
              MatrixKernels.multiply(matrix, 0, OUTPUTS, x, y, 0, OUTPUTS, scratch);
              System.out.println(format + " " + rows + ": nothing");
            } catch (InternalError expected) {
              System.out.println(format + " " + rows + ": InternalError");
            }
          }
        }
      }
    }
  }
}
