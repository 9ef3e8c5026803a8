package dev.muninn.weights;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SafetensorsWriterTest {
  @TempDir Path directory;

  /** Whatever a test did, no temporary file may be left. */
  @AfterEach
  void nothingIsLeftBehind() throws IOException {
    try (var files = Files.list(directory)) {
      assertEquals(List.of(), files.filter(file -> file.toString().endsWith(".tmp")).toList());
    }
  }

  private Path target() {
    return directory.resolve(Checkpoint.SINGLE_FILE);
  }

  private static MemorySegment random(Random random, long bytes) {
    byte[] data = new byte[(int) bytes];
    random.nextBytes(data);
    return MemorySegment.ofArray(data);
  }

  @Test
  void theFileIsTheReferenceImplementations() throws IOException {
    new SafetensorsWriter(target())
        .add("attn0", DType.F32, List.of(1L, 1L, 2L, 3L), MemorySegment.ofArray(new float[6]))
        .write();
    String header =
        "{\"attn0\":{\"dtype\":\"F32\",\"shape\":[1,1,2,3],\"data_offsets\":[0,24]}}       ";
    assertEquals(72, header.length());
    byte[] content = Files.readAllBytes(target());
    assertEquals(8 + 72 + 24, content.length);
    assertArrayEquals(new byte[] {72, 0, 0, 0, 0, 0, 0, 0}, Arrays.copyOf(content, 8));
    assertEquals(header, new String(content, 8, 72, StandardCharsets.UTF_8));
  }

  @Test
  void aFileWithoutTensorsIsLegal() throws IOException {
    new SafetensorsWriter(target()).write();
    assertArrayEquals(
        new byte[] {8, 0, 0, 0, 0, 0, 0, 0, '{', '}', ' ', ' ', ' ', ' ', ' ', ' '},
        Files.readAllBytes(target()));
    Files.delete(target());
    new SafetensorsWriter(target()).metadata("framework", "pt").write();
    assertEquals(
        "{\"__metadata__\":{\"framework\":\"pt\"}}     ", Files.readString(target()).substring(8));
  }

  @Test
  void randomTensorsComeBack() throws IOException {
    Random random = new Random(1);
    for (int round = 0; round < 50; round++) {
      SafetensorsWriter writer = new SafetensorsWriter(target());
      List<Tensor> written = new ArrayList<>();
      for (int i = random.nextInt(12); i >= 0; i--) {
        DType dtype = DType.values()[random.nextInt(DType.values().length)];
        List<Long> shape = Bytes.randomShape(random, dtype);
        long bytes = Shapes.byteSize(target(), "", dtype, shape);
        Tensor tensor =
            new Tensor("t" + i + ".雪\n\"\\/", dtype, shape, random(random, bytes), target());
        written.add(tensor);
        writer.add(tensor);
      }
      writer.metadata("round", "" + round).metadata("\u0001\"🐦", "").write();
      try (Checkpoint checkpoint = Checkpoint.open(directory)) {
        assertEquals(written.size(), checkpoint.tensors().size());
        assertEquals(Map.of("round", "" + round, "\u0001\"🐦", ""), checkpoint.metadata(target()));
        long headerBytes = Files.size(target());
        for (Tensor tensor : written) {
          Tensor read = checkpoint.tensor(tensor.name());
          assertEquals(tensor.dtype(), read.dtype());
          assertEquals(tensor.shape(), read.shape());
          assertEquals(-1, tensor.data().mismatch(read.data()));
          assertEquals(0, read.data().address() % Math.max(1, read.dtype().bits() / 8));
          headerBytes -= read.byteSize();
        }
        assertEquals(0, headerBytes % 8);
      }
    }
  }

  @Test
  void theOrderIsByAlignmentThenName() {
    SafetensorsWriter writer = new SafetensorsWriter(target());
    for (DType dtype : List.of(DType.U8, DType.F32, DType.F4, DType.BF16, DType.F64, DType.F16)) {
      for (String name : List.of("b", "a")) {
        MemorySegment data = MemorySegment.ofArray(new byte[dtype.bits() / 4]);
        writer.add(dtype + name, dtype, List.of(2L), data);
      }
    }
    writer.write();
    try (Checkpoint checkpoint = Checkpoint.open(directory)) {
      assertEquals(
          List.of(
              "F64a", "F64b", "F32a", "F32b", "BF16a", "BF16b", "F16a", "F16b", "U8a", "U8b", "F4a",
              "F4b"),
          List.copyOf(checkpoint.tensors().keySet()));
    }
  }

  @Test
  void dataLargerThanTheBufferIsWrittenInSlices() {
    Random random = new Random(2);
    for (long bytes : new long[] {(1 << 20) - 1, 1 << 20, (1 << 20) + 1, 3 * (1 << 20) + 7}) {
      MemorySegment data = random(random, bytes);
      new SafetensorsWriter(target()).add("a", DType.I8, List.of(bytes), data).write();
      try (Checkpoint checkpoint = Checkpoint.open(directory)) {
        assertEquals(-1, data.mismatch(checkpoint.tensor("a").data()));
      }
    }
  }

  @Test
  void everyKindOfSegmentIsWritten() {
    try (Arena arena = Arena.ofShared()) {
      MemorySegment shared = arena.allocateFrom(ValueLayout.JAVA_FLOAT, 1f, 2f);
      new SafetensorsWriter(target())
          .add("bytes", DType.F32, List.of(2L), MemorySegment.ofArray(new byte[8]))
          .add("floats", DType.F32, List.of(2L), MemorySegment.ofArray(new float[] {1f, 2f}))
          .add("shared", DType.F32, List.of(2L), shared)
          .add("readOnly", DType.F32, List.of(2L), shared.asReadOnly())
          .add("produced", DType.F32, List.of(2L), () -> shared)
          .write();
    }
    try (Checkpoint checkpoint = Checkpoint.open(directory)) {
      for (String name : List.of("floats", "shared", "readOnly", "produced")) {
        assertEquals(2f, checkpoint.tensor(name).get(1));
      }
    }
  }

  @Test
  void producedDataMayReuseItsMemory() {
    MemorySegment scratch = MemorySegment.ofArray(new float[1]);
    SafetensorsWriter writer = new SafetensorsWriter(target());
    for (int i = 0; i < 5; i++) {
      float value = i;
      writer.add(
          "t" + i,
          DType.F32,
          List.of(1L),
          () -> {
            scratch.set(ValueLayout.JAVA_FLOAT, 0, value);
            return scratch;
          });
    }
    writer.write();
    try (Checkpoint checkpoint = Checkpoint.open(directory)) {
      for (int i = 0; i < 5; i++) {
        assertEquals(i, checkpoint.tensor("t" + i).get(0));
      }
    }
  }

  @Test
  void anOpenCheckpointCanBeRewrittenInPlace() {
    new SafetensorsWriter(target())
        .add("a", DType.F32, List.of(1L), MemorySegment.ofArray(new float[] {7f}))
        .write();
    try (Checkpoint checkpoint = Checkpoint.open(directory)) {
      new SafetensorsWriter(target()).add(checkpoint.tensor("a")).write();
      assertEquals(7f, checkpoint.tensor("a").get(0));
    }
    try (Checkpoint checkpoint = Checkpoint.open(directory)) {
      assertEquals(7f, checkpoint.tensor("a").get(0));
    }
  }

  @Test
  void aLinkAtTheTargetIsReplacedAndNotFollowed(@TempDir Path elsewhere) throws IOException {
    Path precious = Files.writeString(elsewhere.resolve("precious"), "precious");
    Files.createSymbolicLink(target(), precious);
    new SafetensorsWriter(target()).write();
    assertFalse(Files.isSymbolicLink(target()));
    assertEquals("precious", Files.readString(precious));
  }

  @Test
  void aFailureLeavesTheTargetAsItWas() throws IOException {
    Files.writeString(target(), "before");
    IllegalStateException failure = new IllegalStateException("no data");
    SafetensorsWriter throwing =
        new SafetensorsWriter(target())
            .add(
                "a",
                DType.U8,
                List.of(1L),
                () -> {
                  throw failure;
                });
    assertSame(failure, assertThrows(IllegalStateException.class, throwing::write));
    SafetensorsWriter lying =
        new SafetensorsWriter(target())
            .add("a", DType.U8, List.of(2L), () -> MemorySegment.ofArray(new byte[3]));
    Bytes.refusal(lying::write, target() + ": tensor \"a\": found 3 bytes of data, expected 2");
    assertEquals("before", Files.readString(target()));
  }

  @Test
  void targetsThatCannotBeWrittenAreRefused() throws IOException {
    Path nowhere = directory.resolve("missing").resolve("x.safetensors");
    Bytes.refusal(() -> new SafetensorsWriter(nowhere).write(), nowhere + ": found no such file");
    Path folder = Files.createDirectory(directory.resolve("folder"));
    Bytes.refusal(() -> new SafetensorsWriter(folder).write(), folder + ": found the error");
  }

  @Test
  void whatTheLoaderWouldRefuseIsNotWritten() {
    SafetensorsWriter writer =
        new SafetensorsWriter(target())
            .add("x".repeat(60_000), DType.U8, List.of(0L), MemorySegment.ofArray(new byte[0]));
    Bytes.refusal(writer::write, target() + ": found ", "exceeds the maximum allowed (50000)");
    assertFalse(Files.exists(target()));
  }

  @Test
  void unsoundTensorsAreRefused() {
    SafetensorsWriter writer = new SafetensorsWriter(target());
    MemorySegment byteData = MemorySegment.ofArray(new byte[1]);
    writer.add("a", DType.U8, List.of(1L), byteData);
    Bytes.refusal(
        () -> writer.add("a", DType.U8, List.of(1L), byteData),
        target() + ": tensor \"a\": found a name that is taken");
    Bytes.refusal(
        () -> writer.add("__metadata__", DType.U8, List.of(1L), byteData), "name that is taken");
    Bytes.refusal(() -> writer.add("b", DType.U8, List.of(2L), byteData), "found 1 bytes of data");
    Bytes.refusal(() -> writer.add("b", DType.F4, List.of(1L), byteData), "whole number of bytes");
    Bytes.refusal(() -> writer.add("b", DType.U8, List.of(-1L), byteData), "dimension -1");
    Bytes.refusal(() -> writer.add("b\ud800", DType.U8, List.of(1L), byteData), "lone surrogate");
    Bytes.refusal(() -> writer.metadata("k", "\udc00"), "lone surrogate");
    writer.metadata("k", "v");
    Bytes.refusal(() -> writer.metadata("k", "v"), "metadata key \"k\" twice");
    List<Long> huge = List.of(1L << 47, 1L << 12);
    for (int i = 0; i < 7; i++) {
      writer.add("huge" + i, DType.U8, huge, () -> byteData);
    }
    Bytes.refusal(() -> writer.add("last", DType.U8, huge, () -> byteData), "at most 2^62 in all");
  }

  @Test
  void reservedTensorsArePutInPieces() throws IOException {
    Random random = new Random(2);
    byte[] whole = new byte[37 * 4];
    random.nextBytes(whole);
    byte[] other = new byte[5];
    random.nextBytes(other);
    try (SafetensorsOutput output =
        new SafetensorsWriter(target())
            .reserve("streamed", DType.F32, List.of(37L))
            .add("there", DType.U8, List.of(5L), MemorySegment.ofArray(other))
            .reserve("empty", DType.F32, List.of(0L))
            .reserve("zeros", DType.I8, List.of(3L))
            .open()) {
      assertFalse(Files.exists(target()));
      List<Integer> places = new ArrayList<>();
      for (int i = 0; i < 37; i++) {
        places.add(i);
      }
      Collections.shuffle(places, random);
      for (int place : places) {
        output.put("streamed", place * 4L, ByteBuffer.wrap(whole, place * 4, 4));
      }
      byte[] back = new byte[8];
      output.get("streamed", 12, ByteBuffer.wrap(back));
      assertArrayEquals(Arrays.copyOfRange(whole, 12, 20), back);
      output.commit();
      output.get("streamed", 140, ByteBuffer.wrap(back));
      assertArrayEquals(Arrays.copyOfRange(whole, 140, 148), back);
      assertThrows(
          IllegalStateException.class,
          () -> output.put("streamed", 0, ByteBuffer.wrap(new byte[4])));
    }
    try (Checkpoint checkpoint = Checkpoint.open(directory)) {
      assertArrayEquals(whole, checkpoint.tensor("streamed").data().toArray(ValueLayout.JAVA_BYTE));
      assertArrayEquals(other, checkpoint.tensor("there").data().toArray(ValueLayout.JAVA_BYTE));
      assertArrayEquals(
          new byte[3], checkpoint.tensor("zeros").data().toArray(ValueLayout.JAVA_BYTE));
    }
  }

  @Test
  void whatIsNotReservedIsNotPut() {
    SafetensorsWriter writer =
        new SafetensorsWriter(target())
            .reserve("a", DType.U8, List.of(4L))
            .add("b", DType.U8, List.of(1L), MemorySegment.ofArray(new byte[1]));
    try (SafetensorsOutput output = writer.open()) {
      assertThrows(
          IndexOutOfBoundsException.class, () -> output.put("a", 2, ByteBuffer.wrap(new byte[3])));
      assertThrows(
          IndexOutOfBoundsException.class, () -> output.get("a", -1, ByteBuffer.wrap(new byte[1])));
      assertThrows(
          IllegalArgumentException.class, () -> output.put("b", 0, ByteBuffer.wrap(new byte[1])));
    }
    assertFalse(Files.exists(target()));
  }
}
