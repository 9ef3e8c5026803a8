package dev.muninn.weights;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import tools.jackson.core.JsonToken;

/**
 * The header of a safetensors file, read and found sound.
 *
 * @param dataOffset where the data begins, in bytes from the file's begin
 * @param entries the tensors in the order of their data; they cover it without holes or overlap
 * @param metadata the texts under {@code __metadata__}, in file order
 */
record SafetensorsHeader(long dataOffset, List<Entry> entries, Map<String, String> metadata) {
  static final String METADATA = "__metadata__";

  /** The length of the header's length. */
  static final int PREFIX_BYTES = Long.BYTES;

  /**
   * One tensor.
   *
   * @param begin the first byte of its data, counted from the begin of all data
   * @param end one past the last byte
   */
  record Entry(String name, DType dtype, List<Long> shape, long begin, long end)
      implements Comparable<Entry> {

    /** By position. */
    @Override
    public int compareTo(Entry other) {
      int order = Long.compare(begin, other.begin);
      return order != 0 ? order : Long.compare(end, other.end);
    }

    /** The tensor, given the file's data. */
    Tensor tensor(Path file, MemorySegment data) {
      return new Tensor(name, dtype, shape, data.asSlice(begin, end - begin), file);
    }
  }

  /**
   * Reads and checks the header; of the data, only the size is looked at.
   *
   * @param file the file's name for messages
   * @param channel the file; it is read at explicit positions
   * @param size the file's size in bytes
   * @throws CheckpointException if the file breaks any rule of the format
   */
  static SafetensorsHeader read(Path file, FileChannel channel, long size) {
    long dataOffset = PREFIX_BYTES + headerLength(file, channel, size);
    List<Entry> entries = new ArrayList<>();
    Map<String, String> metadata = new LinkedHashMap<>();
    try (JsonSource json = new JsonSource(file, channel, PREFIX_BYTES, dataOffset)) {
      readObject(file, json, entries, metadata);
    }
    entries.sort(null);
    requireCoverage(file, entries, dataOffset, size);
    return new SafetensorsHeader(
        dataOffset, Collections.unmodifiableList(entries), Collections.unmodifiableMap(metadata));
  }

  private static long headerLength(Path file, FileChannel channel, long size) {
    byte[] begin = FileContent.begin(file, channel);
    if (size == 0) {
      FileContent.refuseOther(file, begin, "safetensors weights");
    }
    if (size < PREFIX_BYTES) {
      throw CheckpointException.refusal(
          file, "a file of " + size + " bytes", "at least " + PREFIX_BYTES);
    }
    if (begin.length < PREFIX_BYTES) {
      throw CheckpointException.refusal(
          file, "a file of " + begin.length + " bytes", size + " bytes as when it was opened");
    }
    long length = ByteBuffer.wrap(begin).order(ByteOrder.LITTLE_ENDIAN).getLong(0);
    if (begin.length == PREFIX_BYTES || begin[PREFIX_BYTES] != '{') {
      FileContent.refuseOther(file, begin, "safetensors weights");
    }
    if (length < 0 || length > JsonSource.MAX_BYTES) {
      throw CheckpointException.refusal(
          file,
          "a header length of " + Long.toUnsignedString(length) + " bytes",
          "at most " + JsonSource.MAX_BYTES);
    }
    if (length > size - PREFIX_BYTES) {
      throw CheckpointException.refusal(
          file,
          "a file of " + size + " bytes",
          "at least " + (PREFIX_BYTES + length) + " for its header of " + length + " bytes");
    }
    return length;
  }

  private static void readObject(
      Path file, JsonSource json, List<Entry> entries, Map<String, String> metadata) {
    json.requireImmediateObject();
    Set<String> names = new HashSet<>();
    while (json.next() == JsonToken.PROPERTY_NAME) {
      String name = json.text();
      if (!names.add(name)) {
        throw json.duplicate(name);
      }
      if (name.equals(METADATA)) {
        readMetadata(json, metadata);
      } else {
        json.enter(name);
        entries.add(readEntry(file, json, name));
        json.enter(null);
      }
    }
    json.requireOnlySpaces();
  }

  private static void readMetadata(JsonSource json, Map<String, String> metadata) {
    json.require(JsonToken.START_OBJECT, "an object of strings as " + METADATA);
    while (json.next() == JsonToken.PROPERTY_NAME) {
      String key = json.text();
      if (metadata.containsKey(key)) {
        throw json.duplicate(key);
      }
      json.require(JsonToken.VALUE_STRING, "a string in " + METADATA);
      metadata.put(key, json.text());
    }
  }

  private static Entry readEntry(Path file, JsonSource json, String name) {
    DType dtype = null;
    List<Long> shape = null;
    List<Long> offsets = null;
    json.require(JsonToken.START_OBJECT, "an object with dtype, shape and data_offsets");
    while (json.next() == JsonToken.PROPERTY_NAME) {
      String key = json.text();
      switch (key) {
        case "dtype" -> {
          json.requireFirst(key, dtype);
          dtype = readDType(json);
        }
        case "shape" -> {
          json.requireFirst(key, shape);
          shape = readIntegers(json, Shapes.MAX_DIMENSION, Integer.MAX_VALUE);
        }
        case "data_offsets" -> {
          json.requireFirst(key, offsets);
          offsets = readIntegers(json, Long.MAX_VALUE, 2);
        }
        default ->
            throw json.refusal(
                "the key " + CheckpointException.quote(key), "dtype, shape or data_offsets");
      }
    }
    if (dtype == null || shape == null || offsets == null) {
      throw json.refusal(
          "no " + (dtype == null ? "dtype" : shape == null ? "shape" : "data_offsets"),
          "dtype, shape and data_offsets");
    }
    if (offsets.size() != 2 || offsets.get(0) > offsets.get(1)) {
      throw json.refusal("data_offsets " + offsets, "[begin, end] with begin <= end");
    }
    long begin = offsets.get(0);
    long end = offsets.get(1);
    Shapes.requireSize(file, name, dtype, shape, end - begin);
    return new Entry(name, dtype, shape, begin, end);
  }

  private static DType readDType(JsonSource json) {
    json.require(JsonToken.VALUE_STRING, "a string as dtype");
    Optional<DType> dtype = DType.named(json.text());
    if (dtype.isEmpty()) {
      throw json.refusal(
          "dtype " + CheckpointException.quote(json.text()),
          "one of " + Arrays.toString(DType.values()));
    }
    return dtype.get();
  }

  private static List<Long> readIntegers(JsonSource json, long maximum, int maximumCount) {
    json.require(JsonToken.START_ARRAY, "an array of integers");
    List<Long> integers = new ArrayList<>();
    while (json.next() != JsonToken.END_ARRAY) {
      if (integers.size() == maximumCount) {
        throw json.refusal("more than " + maximumCount + " integers", "exactly " + maximumCount);
      }
      integers.add(json.nonNegative(maximum));
    }
    return List.copyOf(integers);
  }

  /** Checks that the tensors follow each other without a gap from the data's begin to its end. */
  private static void requireCoverage(Path file, List<Entry> entries, long dataOffset, long size) {
    long end = 0;
    String before = "the data's begin";
    for (Entry entry : entries) {
      if (entry.begin != end) {
        throw CheckpointException.refusal(
            file,
            entry.name,
            (entry.begin > end ? "a hole" : "an overlap")
                + " before its data, which begins at byte "
                + entry.begin,
            "data from byte " + end + ", " + before);
      }
      end = entry.end;
      before = "where tensor " + CheckpointException.quote(entry.name) + " ends";
    }
    if (end != size - dataOffset) {
      throw CheckpointException.refusal(
          file,
          "a file of "
              + size
              + " bytes ("
              + (end > size - dataOffset ? "truncated" : "data that belongs to no tensor")
              + ")",
          // Beyond 2^63 only by a header's lie, which is still to be shown as it is.
          Long.toUnsignedString(dataOffset + end)
              + " bytes: "
              + dataOffset
              + " of header and "
              + end
              + " of data");
    }
  }
}
