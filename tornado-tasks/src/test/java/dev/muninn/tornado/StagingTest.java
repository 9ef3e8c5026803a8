package dev.muninn.tornado;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.Fixture;
import dev.muninn.family.ModelFamilies;
import dev.muninn.model.Attention;
import dev.muninn.model.GatedMlp;
import dev.muninn.model.RecurrentModel;
import dev.muninn.model.WeightMatrix;
import dev.muninn.tornado.kernel.WeightFormat;
import dev.muninn.weights.Checkpoint;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.FieldSource;
import org.junit.jupiter.params.provider.ValueSource;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/** Weights on their way to a device: in place in their files, which stay as they are. */
class StagingTest {
  private static final List<String> NAMES = Fixture.NAMES;

  @TempDir Path directory;

  @ParameterizedTest
  @FieldSource("NAMES")
  void theFileIsReadInPlaceAndNeverWritten(String name) throws IOException {
    try (Fixture fixture = new Fixture(name)) {
      RecurrentModel model = fixture.model();
      Path file = fixture.checkpoint().files().getFirst();
      byte[] before = Files.readAllBytes(file);
      try (Staging staging = new Staging(fixture.checkpoint(), false)) {
        WeightMatrix matrix = model.core().injection().orElseThrow();
        requireMapped(staging.stage(List.of(matrix)), file);
        checkElements(matrix, DeviceMatrix.stage(matrix, staging));
        checkElements(model.coda().head(), DeviceMatrix.stage(model.coda().head(), staging));
      }
      assertArrayEquals(before, Files.readAllBytes(file));
      fixture.checkpoint().verifyUnchanged();
    }
  }

  /** A header of any length is legal, so a tensor may stand at any byte. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4})
  void aTensorMayStandAnywhere(int shift) throws IOException {
    Path source = Fixture.directory("raven-1-4-1-bf16");
    Files.copy(source.resolve("config.json"), directory.resolve("config.json"));
    byte[] file = Files.readAllBytes(source.resolve(Checkpoint.SINGLE_FILE));
    int header = 8 + (int) ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).getLong();
    byte[] shifted = new byte[file.length + shift];
    ByteBuffer.wrap(shifted)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(header - 8 + shift)
        .put(file, 8, header - 8)
        .put(" ".repeat(shift).getBytes())
        .put(file, header, file.length - header);
    Files.write(directory.resolve(Checkpoint.SINGLE_FILE), shifted);
    try (Checkpoint checkpoint = Checkpoint.open(directory);
        Staging staging = new Staging(checkpoint, false)) {
      RecurrentModel model = ModelFamilies.load(directory, checkpoint);
      checkElements(
          model.core().injection().orElseThrow(),
          DeviceMatrix.stage(model.core().injection().orElseThrow(), staging));
    }
  }

  /** A copy is made only of what the format placed badly. */
  @Test
  void theSmallestFileHasRoomBeforeItsData() throws IOException {
    byte[] header = "{\"\":{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[0,1]}}".getBytes();
    ByteBuffer file = ByteBuffer.allocate(8 + header.length + 1).order(ByteOrder.LITTLE_ENDIAN);
    Files.write(
        directory.resolve(Checkpoint.SINGLE_FILE),
        file.putLong(header.length).put(header).put((byte) 7).array());
    try (Checkpoint checkpoint = Checkpoint.open(directory);
        Arena arena = Arena.ofConfined()) {
      // TornadoVM's header has 24 bytes at most.
      MemorySegment data = checkpoint.tensor("").data();
      assertEquals(25, checkpoint.mapPrivate(data, 24, arena).byteSize());
    }
  }

  /** Where the system tells what is mapped, the bytes are the file's. */
  private static void requireMapped(MemorySegment bytes, Path file) throws IOException {
    Path maps = Path.of("/proc/self/maps");
    if (Files.exists(maps)) {
      String line =
          Files.readAllLines(maps).stream()
              .filter(map -> contains(map, bytes.address()))
              .findFirst()
              .orElse("nothing is mapped there");
      assertTrue(line.contains("rw-p") && line.endsWith(file.toString()), line);
    }
  }

  private static boolean contains(String map, long address) {
    String[] ends = map.substring(0, map.indexOf(' ')).split("-");
    return Long.parseUnsignedLong(ends[0], 16) <= address
        && address < Long.parseUnsignedLong(ends[1], 16);
  }

  /** Queries, keys and values are one matrix to a device. */
  @ParameterizedTest
  @FieldSource("NAMES")
  void matricesAreStagedOneBelowTheOther(String name) {
    try (Fixture fixture = new Fixture(name);
        Staging staging = new Staging(fixture.checkpoint(), false)) {
      Attention attention = fixture.model().blocks().getFirst().attention();
      checkAll(
          List.of(attention.query().weights(), attention.key().weights(), attention.value()),
          staging);
      GatedMlp mlp = fixture.model().blocks().getFirst().mlp();
      checkAll(List.of(mlp.up(), mlp.gate()), staging);
    }
  }

  /** Of matrices in different formats all become floats, as do rows that end within an int. */
  @Test
  void whatDoesNotFitTogetherBecomesFloats() {
    try (Fixture fixture = new Fixture(NAMES.getFirst());
        Staging staging = new Staging(fixture.checkpoint(), false);
        Arena arena = Arena.ofShared()) {
      WeightMatrix odd = random(dev.muninn.model.WeightFormat.BF16, 5, 7, arena);
      assertEquals(WeightFormat.F32, checkAll(List.of(odd, odd), staging).format());
      WeightMatrix wide = random(dev.muninn.model.WeightFormat.F32, 3, 8, arena);
      WeightMatrix half = random(dev.muninn.model.WeightFormat.F16, 2, 8, arena);
      WeightMatrix packed = random(dev.muninn.model.WeightFormat.Q4, 4, 8, arena);
      DeviceMatrix mixed = checkAll(List.of(wide, half, packed), staging);
      assertEquals(WeightFormat.F32, mixed.format());
    }
  }

  @ParameterizedTest
  @CsvSource({"BF16_PANELS, 1", "Q8, 3", "Q4, 4"})
  void panelsAreLaidOutRowByRow(dev.muninn.model.WeightFormat format, int expected) {
    try (Fixture fixture = new Fixture(NAMES.getFirst());
        Staging staging = new Staging(fixture.checkpoint(), false);
        Arena arena = Arena.ofShared()) {
      WeightMatrix first = random(format, 37, 70, arena);
      WeightMatrix second = random(format, 64, 70, arena);
      assertEquals(expected, checkAll(List.of(first, second), staging).format());
    }
  }

  /** Only F16 is an array of halves, and only on devices that convert them. */
  @ParameterizedTest
  @CsvSource({"F16, true, true", "F16, false, false", "BF16, true, false", "Q8, true, false"})
  void halvesAreAnArrayOfThem(
      dev.muninn.model.WeightFormat format, boolean converted, boolean expected) {
    try (Fixture fixture = new Fixture(NAMES.getFirst());
        Staging staging = new Staging(fixture.checkpoint(), converted);
        Arena arena = Arena.ofShared()) {
      WeightMatrix first = random(format, 5, 70, arena);
      WeightMatrix second = random(format, 3, 70, arena);
      DeviceMatrix staged = checkAll(List.of(first, second), staging);
      assertEquals(expected, staged.inHalves());
      assertEquals(DeviceMatrix.bytes(List.of(first, second)), staged.bytes());
    }
  }

  private static WeightMatrix random(
      dev.muninn.model.WeightFormat format, int rows, int columns, Arena arena) {
    byte[] bytes = new byte[Math.toIntExact(format.strides(rows) * format.bytes(columns))];
    new SplittableRandom(9).nextBytes(bytes);
    for (int i = 0; i < bytes.length; i++) {
      // No exponent is that of infinities.
      bytes[i] &= (byte) 0xBF;
    }
    MemorySegment data = arena.allocate(bytes.length, 64).copyFrom(MemorySegment.ofArray(bytes));
    return new WeightMatrix(format, rows, columns, data);
  }

  private static DeviceMatrix checkAll(List<WeightMatrix> matrices, Staging staging) {
    DeviceMatrix staged = DeviceMatrix.stage(matrices, staging);
    int above = 0;
    for (WeightMatrix matrix : matrices) {
      checkElements(matrix, staged, above);
      above += matrix.rows();
    }
    assertEquals(above, staged.rows());
    int floats = staged.floats().getSize();
    int ints = staged.packed().getSize();
    // A dummy has one.
    long bytes =
        staged.inHalves()
            ? 2L * staged.halves().getSize()
            : 4L * (floats > 1 && ints > 1 ? floats + ints : Math.max(floats, ints));
    assertEquals(bytes, DeviceMatrix.bytes(matrices));
    return staged;
  }

  private static void checkElements(WeightMatrix matrix, DeviceMatrix staged) {
    checkElements(matrix, staged, 0);
  }

  private static void checkElements(WeightMatrix matrix, DeviceMatrix staged, int above) {
    FloatArray table = WeightFormat.table();
    for (int row = 0; row < matrix.rows(); row++) {
      for (int column = 0; column < matrix.columns(); column++) {
        int at = (above + row) * staged.stride() + column;
        float read =
            staged.inHalves()
                ? staged.halves().get(at).getFloat32()
                : WeightFormat.weight(staged.format(), staged.floats(), staged.packed(), table, at);
        assertEquals(matrix.get(row, column), read, "row " + row + ", column " + column);
      }
    }
  }
}
