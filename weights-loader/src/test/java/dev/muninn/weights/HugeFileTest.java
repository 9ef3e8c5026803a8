package dev.muninn.weights;

import static dev.muninn.weights.Bytes.entry;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Sizes past what an int can count; the files are sparse and take no room on the disk. */
class HugeFileTest {
  private static final long FLOAT_ROWS = (1L << 29) + 3;
  private static final long HALVES = (1L << 31) + 5;

  @TempDir Path directory;

  @Test
  void filesAndTensorsPastTwoGigabytesAreRead() throws IOException {
    long floatsEnd = FLOAT_ROWS * 2 * Float.BYTES;
    long halvesEnd = floatsEnd + HALVES * Short.BYTES;
    String header =
        "{\"floats\":"
            + entry("F32", "[" + FLOAT_ROWS + ",2]", "[0," + floatsEnd + "]")
            + ",\"halves\":"
            + entry("BF16", "[" + HALVES + "]", "[" + floatsEnd + "," + halvesEnd + "]")
            + "}";
    byte[] start = Bytes.file(header, 0);
    Path file = directory.resolve(Checkpoint.SINGLE_FILE);
    try (FileChannel channel =
        FileChannel.open(
            file,
            StandardOpenOption.CREATE_NEW,
            StandardOpenOption.WRITE,
            StandardOpenOption.SPARSE)) {
      channel.write(ByteBuffer.wrap(start), 0);
      writeFloat(channel, start.length, 1f);
      writeFloat(channel, start.length + (1L << 31), 2f);
      writeFloat(channel, start.length + floatsEnd - Float.BYTES, 3f);
      // As bfloat16, the upper half of these four bytes is the tensor's last element.
      writeFloat(channel, start.length + halvesEnd - Float.BYTES, 4f);
    }
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long before = threads.getCurrentThreadAllocatedBytes();
    try (Checkpoint checkpoint = Checkpoint.open(directory)) {
      assertEquals(start.length + halvesEnd, checkpoint.mappedBytes());
      Tensor floats = checkpoint.tensor("floats");
      assertEquals(List.of(FLOAT_ROWS, 2L), floats.shape());
      assertEquals(floatsEnd, floats.byteSize());
      assertEquals(floatsEnd, floats.data().byteSize());
      assertEquals(1f, floats.get(0));
      assertEquals(2f, floats.get(1L << 29));
      assertEquals(3f, floats.get(floats.elements() - 1));
      assertEquals(0f, floats.get(floats.elements() - 2));
      Tensor halves = checkpoint.tensor("halves");
      assertEquals(HALVES, halves.elements());
      assertEquals(4f, halves.get(HALVES - 1));
      assertEquals(0f, halves.get(1L << 31));
      assertThrows(IndexOutOfBoundsException.class, () -> halves.get(HALVES));
    }
    long allocated = threads.getCurrentThreadAllocatedBytes() - before;
    assertTrue(allocated < 10_000_000, allocated + " bytes");
  }

  private static void writeFloat(FileChannel channel, long position, float value)
      throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    channel.write(bytes.putFloat(0, value), position);
  }
}
