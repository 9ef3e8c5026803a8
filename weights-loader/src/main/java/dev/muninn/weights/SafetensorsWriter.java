package dev.muninn.weights;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.StreamWriteFeature;
import tools.jackson.core.exc.JacksonIOException;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.core.json.JsonWriteFeature;

/**
 * Writes one safetensors file.
 *
 * <p>The header is padded with spaces so that the data begins at a multiple of 8 bytes. Tensors are
 * laid out as the format's reference implementation does, not in the order of the calls: by {@link
 * DType} from the last constant to the first, which falls by alignment, then by name. So every
 * tensor of whole bytes is aligned to its elements, and the same tensors give the same file.
 *
 * <p>The file appears whole or not at all: it is written under a temporary name in the same
 * directory, its header is read back by the loader's own rules, and it is forced to the disk and
 * then moved over whatever stands at the target, a symbolic link itself included. On failure the
 * temporary file is removed and the target is as it was.
 *
 * <p>A writer is used by one thread, for one file.
 */
public final class SafetensorsWriter {
  private static final int ALIGNMENT = 8;
  private static final byte[] PADDING = " ".repeat(ALIGNMENT).getBytes(StandardCharsets.UTF_8);
  private static final int BUFFER_SIZE = 1 << 20;

  /** Leaves room for the header in a file's size. */
  private static final long MAX_DATA_BYTES = 1L << 62;

  private static final JsonFactory FACTORY =
      JsonFactory.builder()
          .disable(StreamWriteFeature.AUTO_CLOSE_TARGET)
          .disable(JsonWriteFeature.ESCAPE_FORWARD_SLASHES)
          .build();

  private static final Comparator<Source> BY_ALIGNMENT_AND_NAME =
      Comparator.comparing(Source::dtype).reversed().thenComparing(Source::name);

  private final Path target;
  private final Map<String, String> metadata = new LinkedHashMap<>();
  private final Map<String, Source> sources = new LinkedHashMap<>();
  private long totalBytes;

  /** A tensor; its data is null where the tensor is only reserved. */
  private record Source(
      String name, DType dtype, List<Long> shape, long bytes, Supplier<MemorySegment> data) {}

  /**
   * Creates a writer without tensors.
   *
   * @param target the file to be written; its directory must exist
   */
  public SafetensorsWriter(Path target) {
    this.target = target;
  }

  /**
   * Adds a text to {@code __metadata__}.
   *
   * @return this writer
   * @throws CheckpointException if the key is there already, or if a text has a lone surrogate
   */
  public SafetensorsWriter metadata(String key, String value) {
    requireWellFormed(key);
    requireWellFormed(value);
    if (metadata.putIfAbsent(key, value) != null) {
      throw CheckpointException.refusal(
          target, "the metadata key " + CheckpointException.quote(key) + " twice", "each key once");
    }
    return this;
  }

  /**
   * Adds a tensor whose bytes exist.
   *
   * @param name any text but {@code __metadata__}
   * @param dtype the type of the elements
   * @param shape the dimensions from outermost to innermost, each 0 to 2^48 - 1
   * @param data the elements, little-endian and row-major; they are read by {@link #write}
   * @return this writer
   * @throws CheckpointException if the name was used before or cannot be written, if the shape is
   *     not legal, or if the data has another size
   */
  public SafetensorsWriter add(String name, DType dtype, List<Long> shape, MemorySegment data) {
    Shapes.requireSize(target, name, dtype, shape, data.byteSize());
    return add(name, dtype, shape, () -> data);
  }

  /**
   * Adds a tensor whose bytes are produced while the file is written, one tensor at a time: by
   * this, a checkpoint larger than the memory can be converted.
   *
   * @param name any text but {@code __metadata__}
   * @param dtype the type of the elements
   * @param shape the dimensions from outermost to innermost, each 0 to 2^48 - 1
   * @param data called once by {@link #write}; gives the elements, little-endian and row-major,
   *     which may be overwritten when the next tensor's are asked for
   * @return this writer
   * @throws CheckpointException if the name was used before or cannot be written, or if the shape
   *     is not legal
   */
  public SafetensorsWriter add(
      String name, DType dtype, List<Long> shape, Supplier<MemorySegment> data) {
    requireWellFormed(name);
    Source source =
        new Source(
            name, dtype, List.copyOf(shape), Shapes.byteSize(target, name, dtype, shape), data);
    if (source.bytes > MAX_DATA_BYTES - totalBytes) {
      throw CheckpointException.refusal(
          target, name, source.bytes + " bytes on top of " + totalBytes, "at most 2^62 in all");
    }
    if (name.equals(SafetensorsHeader.METADATA) || sources.putIfAbsent(name, source) != null) {
      throw CheckpointException.refusal(
          target, name, "a name that is taken", "a name of its own for each tensor");
    }
    totalBytes += source.bytes;
    return this;
  }

  /**
   * Adds a tensor whose bytes are put into the file that {@link #open} gives, piece by piece and in
   * any order; those that are not put are zero.
   *
   * @param name any text but {@code __metadata__}
   * @param dtype the type of the elements
   * @param shape the dimensions from outermost to innermost, each 0 to 2^48 - 1
   * @return this writer
   * @throws CheckpointException if the name was used before or cannot be written, or if the shape
   *     is not legal
   */
  public SafetensorsWriter reserve(String name, DType dtype, List<Long> shape) {
    return add(name, dtype, shape, (Supplier<MemorySegment>) null);
  }

  /**
   * Adds a tensor of another file, as it is.
   *
   * @return this writer
   * @throws CheckpointException if its name was used before
   */
  public SafetensorsWriter add(Tensor tensor) {
    return add(tensor.name(), tensor.dtype(), tensor.shape(), tensor.data());
  }

  /**
   * Writes the file.
   *
   * @throws CheckpointException if it cannot be written, if the loader would refuse it (a header of
   *     more than 100,000,000 bytes), or if a tensor's source gives another size than its shape
   *     asks for
   */
  public void write() {
    try (SafetensorsOutput output = open()) {
      output.commit();
    }
  }

  /**
   * Begins the file: all that this writer has been given is written, under a temporary name, and
   * the bytes of {@link #reserve reserved} tensors can be put. The target appears when the output
   * is committed.
   *
   * @return the file, to be closed by the caller
   * @throws CheckpointException as {@link #write}
   */
  public SafetensorsOutput open() {
    Scratch scratch = null;
    FileChannel channel = null;
    boolean complete = false;
    try {
      scratch = Scratch.beside(target);
      channel =
          FileChannel.open(
              scratch.path(),
              StandardOpenOption.CREATE_NEW,
              StandardOpenOption.READ,
              StandardOpenOption.WRITE);
      SafetensorsOutput output = new SafetensorsOutput(target, scratch, channel, writeTo(channel));
      complete = true;
      return output;
    } catch (IOException problem) {
      throw SafetensorsOutput.unwritable(target, problem);
    } catch (JacksonIOException problem) {
      throw SafetensorsOutput.unwritable(target, problem.getCause());
    } finally {
      if (!complete) {
        SafetensorsOutput.discard(channel, scratch);
      }
    }
  }

  /** Writes what there is; gives the place of each reserved tensor. */
  private Map<String, SafetensorsOutput.Region> writeTo(FileChannel channel) throws IOException {
    List<Source> ordered = new ArrayList<>(sources.values());
    ordered.sort(BY_ALIGNMENT_AND_NAME);
    Map<String, SafetensorsOutput.Region> reserved = new HashMap<>();
    try (Arena arena = Arena.ofConfined()) {
      ByteBuffer buffer = arena.allocate(BUFFER_SIZE).asByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
      writeHeader(ordered, channel, buffer);
      long end = channel.position() + totalBytes;
      // What this writer leaves behind must open: the loader's own rules are the judge, and judge
      // before gigabytes are written.
      SafetensorsHeader.read(target, channel, end);
      for (Source source : ordered) {
        if (source.data == null) {
          reserved.put(source.name, new SafetensorsOutput.Region(channel.position(), source.bytes));
          channel.position(channel.position() + source.bytes);
        } else {
          writeData(source, channel, buffer);
        }
      }
      if (channel.size() < end) {
        // The file has its size from the beginning, whatever is put.
        channel.position(end - 1);
        writeFully(channel, buffer.clear().put((byte) 0).flip());
      }
    }
    return reserved;
  }

  private void writeHeader(List<Source> ordered, FileChannel channel, ByteBuffer buffer)
      throws IOException {
    channel.position(SafetensorsHeader.PREFIX_BYTES);
    try (JsonGenerator json =
        FACTORY.createGenerator(ObjectWriteContext.empty(), Channels.newOutputStream(channel))) {
      json.writeStartObject();
      if (!metadata.isEmpty()) {
        json.writeObjectPropertyStart(SafetensorsHeader.METADATA);
        metadata.forEach(json::writeStringProperty);
        json.writeEndObject();
      }
      long begin = 0;
      for (Source source : ordered) {
        long end = begin + source.bytes;
        json.writeObjectPropertyStart(source.name);
        json.writeStringProperty("dtype", source.dtype.name());
        writeIntegers(json, "shape", source.shape);
        writeIntegers(json, "data_offsets", List.of(begin, end));
        json.writeEndObject();
        begin = end;
      }
      json.writeEndObject();
    }
    int padding = (int) (-channel.position() & (ALIGNMENT - 1));
    writeFully(channel, buffer.clear().put(PADDING, 0, padding).flip());
    long dataOffset = channel.position();
    buffer.clear().putLong(dataOffset - SafetensorsHeader.PREFIX_BYTES).flip();
    channel.position(0);
    writeFully(channel, buffer);
    channel.position(dataOffset);
  }

  private static void writeIntegers(JsonGenerator json, String name, List<Long> integers) {
    json.writeArrayPropertyStart(name);
    for (long integer : integers) {
      json.writeNumber(integer);
    }
    json.writeEndArray();
  }

  /** Copies through a small buffer: a channel takes neither all kinds of segment nor all sizes. */
  private void writeData(Source source, FileChannel channel, ByteBuffer buffer) throws IOException {
    MemorySegment data = source.data.get();
    Shapes.requireSize(target, source.name, source.dtype, source.shape, data.byteSize());
    for (long offset = 0; offset < source.bytes; offset += buffer.capacity()) {
      int count = (int) Math.min(buffer.capacity(), source.bytes - offset);
      try {
        MemorySegment.copy(data, offset, MemorySegment.ofBuffer(buffer.clear()), 0, count);
      } catch (InternalError fault) {
        throw CheckpointException.unmapped(target, source.name, offset, fault);
      }
      writeFully(channel, buffer.limit(count));
    }
  }

  private static void writeFully(FileChannel channel, ByteBuffer buffer) throws IOException {
    while (buffer.hasRemaining()) {
      channel.write(buffer);
    }
  }

  private void requireWellFormed(String text) {
    if (!JsonSource.isWellFormed(text)) {
      throw CheckpointException.refusal(
          target, "a lone surrogate in " + CheckpointException.quote(text), "Unicode text");
    }
  }
}
