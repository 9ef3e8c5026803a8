package dev.muninn.weights;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;

/**
 * One tensor of a checkpoint: a name, a type, a shape and its bytes in place.
 *
 * <p>The bytes are little-endian, row-major (the last dimension varies fastest) and not necessarily
 * aligned: read them by unaligned layouts. They live as long as the {@link Checkpoint} is open; a
 * read after that throws {@link IllegalStateException}.
 *
 * @param name the name, any text
 * @param dtype the element type, readable or not
 * @param shape the dimensions from outermost to innermost, each 0 to 2^48 - 1; empty for a scalar
 * @param data the elements, exactly {@link #byteSize()} bytes
 * @param file the file that holds the tensor, for messages
 */
public record Tensor(String name, DType dtype, List<Long> shape, MemorySegment data, Path file) {
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /**
   * Checks that the shape is legal and that the data has its size.
   *
   * @throws CheckpointException if a dimension is out of range, if the size overflows or ends
   *     within a byte, or if the data has another size
   */
  public Tensor {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(dtype, "dtype");
    Objects.requireNonNull(data, "data");
    Objects.requireNonNull(file, "file");
    shape = List.copyOf(shape);
    Shapes.requireSize(file, name, dtype, shape, data.byteSize());
  }

  /** The number of elements: the product of the dimensions, 1 for a scalar. */
  public long elements() {
    return Shapes.product(shape);
  }

  /** The size of the data, in bytes. */
  public long byteSize() {
    return data.byteSize();
  }

  /**
   * Refuses a tensor whose elements this loader cannot read.
   *
   * @return this tensor, if its type is F32, F16 or BF16
   * @throws CheckpointException if the type is another
   */
  public Tensor requireReadable() {
    if (!dtype.readable()) {
      throw CheckpointException.refusal(
          file, name, "dtype " + dtype, "one of F32, F16 and BF16 where elements are read");
    }
    return this;
  }

  /**
   * Reads one element. This is the reference for faster readers, not meant for a hot loop.
   *
   * @param index the position in row-major order, 0 to {@link #elements()} - 1
   * @return the element, widened to single precision
   * @throws CheckpointException if the type is not readable, or if the file has shrunk below the
   *     element since it was mapped and the JVM reports it at the read
   * @throws InternalError if the file has shrunk and the JVM reports it later, as it does in
   *     compiled code (see {@link Checkpoint})
   * @throws IndexOutOfBoundsException if there is no such element
   * @throws IllegalStateException if the checkpoint is closed
   */
  public float get(long index) {
    requireReadable();
    Objects.checkIndex(index, elements());
    try {
      return switch (dtype) {
        case F32 -> data.get(FLOAT, index * Float.BYTES);
        case F16 -> Float.float16ToFloat(data.get(SHORT, index * Short.BYTES));
        default -> Float.intBitsToFloat(data.get(SHORT, index * Short.BYTES) << Short.SIZE);
      };
    } catch (InternalError fault) {
      throw CheckpointException.unmapped(file, name, index * dtype.bits() / Byte.SIZE, fault);
    }
  }
}
