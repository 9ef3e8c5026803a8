package dev.muninn.weights;

import static dev.muninn.weights.Bytes.assertOpens;
import static dev.muninn.weights.Bytes.assertRefused;
import static dev.muninn.weights.Bytes.entry;
import static dev.muninn.weights.Bytes.file;
import static dev.muninn.weights.Bytes.header;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The rules of one file, by the numbers under which the loader promises them. */
class FormatRulesTest {
  private static final String VALID = header("F32", "[2,3]", "[0,24]");

  @TempDir Path directory;

  @Nested
  class Rule1HeaderLength {

    @Test
    void theTrueLengthIsAccepted() throws IOException {
      assertOpens(directory, file(VALID, 24));
    }

    @Test
    void emptyFilesAreRefused() throws IOException {
      assertRefused(directory, new byte[0], "found an empty file", "expected safetensors weights");
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 7})
    void filesBelowEightBytesAreRefused(int size) throws IOException {
      assertRefused(directory, new byte[size], "found a file of " + size + " bytes", "at least 8");
    }

    @Test
    void anEmptyHeaderIsRefused() throws IOException {
      assertRefused(directory, new byte[8], "the end of the text", "one JSON object");
      assertRefused(directory, new byte[20], "the end of the text", "one JSON object");
    }

    @ParameterizedTest
    @CsvSource({
      "13,at least 21",
      "100000000,at least 100000008",
      "100000001,at most 100000000",
      "4294967296,at most 100000000",
      "9223372036854775807,found a header length of 9223372036854775807 bytes",
      "-9223372036854775808,found a header length of 9223372036854775808 bytes",
      "-1,found a header length of 18446744073709551615 bytes"
    })
    void liesAreRefusedWithoutAllocation(long length, String text) throws IOException {
      byte[] content = file(length, "{}          ".getBytes(StandardCharsets.UTF_8), 0);
      assertEquals(20, content.length);
      assertRefused(directory, content, text);
      ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
      long before = threads.getCurrentThreadAllocatedBytes();
      assertRefused(directory, content, text);
      long allocated = threads.getCurrentThreadAllocatedBytes() - before;
      assertTrue(allocated < 1_000_000, allocated + " bytes");
    }

    @Test
    void theLargestHeaderIsReadWithoutBeingCopiedToTheHeap() throws IOException {
      byte[] spaces = new byte[1_000_000];
      Arrays.fill(spaces, (byte) ' ');
      Path file = directory.resolve(Checkpoint.SINGLE_FILE);
      try (OutputStream out = Files.newOutputStream(file)) {
        out.write(
            ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(100_000_000).array());
        out.write('{');
        out.write('}');
        out.write(spaces, 0, spaces.length - 2);
        for (int i = 1; i < 100; i++) {
          out.write(spaces);
        }
      }
      ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
      long before = threads.getCurrentThreadAllocatedBytes();
      try (Checkpoint checkpoint = Checkpoint.open(directory)) {
        assertEquals(Map.of(), checkpoint.tensors());
        assertEquals(100_000_008, checkpoint.mappedBytes());
      }
      long allocated = threads.getCurrentThreadAllocatedBytes() - before;
      assertTrue(allocated < 10_000_000, allocated + " bytes");
    }
  }

  @Nested
  class Rule2Text {

    @ParameterizedTest
    @ValueSource(
        strings = {
          "{}",
          "{}      ",
          "{\n\t \"__metadata__\" : { } }",
          "{\"__metadata__\":{\"größe\":\"雪 🐦 \\u00e9 \\ud83d\\udc26 \\/\"}}"
        })
    void objectsAndTrailingSpacesAreAccepted(String header) throws IOException {
      assertOpens(directory, file(header, 0));
    }

    @ParameterizedTest
    @ValueSource(
        strings = {
          "",
          " ",
          " {}",
          "\n{}",
          "\ufeff{}",
          "[]",
          "null",
          "\"a\"",
          "7",
          "x{}",
          "{",
          "}",
          "{]",
          "{} {}",
          "{}{}",
          "{}\n",
          "{}\t",
          "{}\u0000",
          "{}x",
          "{}}",
          "{}]",
          "{},",
          "{}   x   ",
          "{\"a\"}",
          "{\"a\":}",
          "{a:1}",
          "{'a':1}",
          "{,}",
          "{\"__metadata__\":{},}",
          "{/* */}",
          "{//\n}",
          "{#\n}",
          "{\"a\":NaN}",
          "{\"a\":Infinity}",
          "{\"a\":01}",
          "{\"__metadata__\":{\"a\":\"\n\"}}",
          "{\"__metadata__\":{\"a\":\"\\x\"}}",
          "{\"__metadata__\":{\"a\":\"\\u12\"}}",
          "{\"__metadata__\":{\"a\":\"b",
          "{\"__metadata__\":{\"a\":tru}}"
        })
    void otherTextsAreRefused(String header) throws IOException {
      assertRefused(directory, file(header, 0));
    }

    @Test
    void trailingSpacesMayBeMany() throws IOException {
      assertOpens(directory, file("{}" + " ".repeat(100_000), 0));
      assertRefused(
          directory,
          file("{}" + " ".repeat(100_000) + "\n", 0),
          "found \"\\u{a}\" after the object's end");
    }

    @ParameterizedTest
    @ValueSource(
        strings = {
          "80",
          "bf",
          "c0 80",
          "c1 bf",
          "c3",
          "c3 28",
          "e0 80 80",
          "e2 82",
          "ed a0 80",
          "ed bf bf",
          "f0 80 80 80",
          "f0 9f 90",
          "f4 90 80 80",
          "f8 88 80 80 80",
          "fe",
          "ff"
        })
    void bytesThatAreNotUtf8AreRefused(String hexadecimal) throws IOException {
      byte[] bad = HexFormat.ofDelimiter(" ").parseHex(hexadecimal);
      for (String[] around :
          new String[][] {
            {"", ""}, {"{\"", "\":{}}"}, {"{\"__metadata__\":{\"a\":\"", "\"}}"}, {"{}", ""}
          }) {
        byte[] before = around[0].getBytes(StandardCharsets.UTF_8);
        byte[] after = around[1].getBytes(StandardCharsets.UTF_8);
        byte[] header =
            ByteBuffer.allocate(before.length + bad.length + after.length)
                .put(before)
                .put(bad)
                .put(after)
                .array();
        assertRefused(directory, file(header, 0), "not UTF-8 at byte " + (8 + before.length));
      }
    }

    @Test
    void charactersMayStraddleTheBuffers() throws IOException {
      for (int shift = 0; shift < 8; shift++) {
        String text = "x".repeat(shift) + "🐦é雪".repeat(20_000);
        String header = "{\"__metadata__\":{\"a\":\"" + text + "\"}}";
        try (Checkpoint checkpoint = Bytes.open(directory, file(header, 0))) {
          assertEquals(
              Map.of("a", text), checkpoint.metadata(directory.resolve(Checkpoint.SINGLE_FILE)));
        }
      }
    }

    @ParameterizedTest
    @ValueSource(strings = {"\\ud800", "\\udc00", "x\\ud83d", "\\ud83dx", "\\udc26\\ud83d"})
    void loneSurrogatesAreRefused(String text) throws IOException {
      assertRefused(directory, file("{\"__metadata__\":{\"a\":\"" + text + "\"}}", 0), "surrogate");
      assertRefused(directory, file("{\"" + text + "\":" + entry("U8", "[0]", "[0,0]") + "}", 0));
    }

    @Test
    void errorsNameLineAndColumn() throws IOException {
      assertRefused(directory, file("{\n \"__metadata__\": nul}", 0), "at line 2, column 18");
    }
  }

  @Nested
  class Rule3Keys {

    @Test
    void metadataIsOptionalAndReadInOrder() throws IOException {
      Path file = directory.resolve(Checkpoint.SINGLE_FILE);
      try (Checkpoint checkpoint = Bytes.open(directory, file("{}", 0))) {
        assertEquals(Map.of(), checkpoint.metadata(file));
      }
      try (Checkpoint checkpoint =
          Bytes.open(
              directory, file("{\"__metadata__\":{\"z\":\"1\",\"\":\"\",\"a\":\"\\u0000\"}}", 0))) {
        assertEquals(List.of("z", "", "a"), List.copyOf(checkpoint.metadata(file).keySet()));
        assertEquals("\0", checkpoint.metadata(file).get("a"));
      }
    }

    @ParameterizedTest
    @ValueSource(
        strings = {
          "null",
          "[]",
          "\"a\"",
          "1",
          "{\"a\":1}",
          "{\"a\":null}",
          "{\"a\":{}}",
          "{\"a\":[\"b\"]}",
          "{\"a\":true}"
        })
    void metadataOfOtherKindsIsRefused(String metadata) throws IOException {
      assertRefused(directory, file("{\"__metadata__\":" + metadata + "}", 0), "__metadata__");
    }

    @Test
    void duplicateKeysAreRefusedAtEveryLevel() throws IOException {
      String entry = entry("U8", "[0]", "[0,0]");
      assertRefused(
          directory, file("{\"a\":" + entry + ",\"a\":" + entry + "}", 0), "the key \"a\" twice");
      assertRefused(
          directory,
          file("{\"a\":" + entry + ",\"\\u0061\":" + entry + "}", 0),
          "the key \"a\" twice");
      assertRefused(
          directory,
          file("{\"__metadata__\":{},\"__metadata__\":{}}", 0),
          "the key \"__metadata__\" twice");
      assertRefused(
          directory,
          file("{\"__metadata__\":{\"k\":\"1\",\"k\":\"1\"}}", 0),
          "the key \"k\" twice");
      for (String key : List.of("\"dtype\":\"U8\"", "\"shape\":[0]", "\"data_offsets\":[0,0]")) {
        assertRefused(
            directory,
            file("{\"a\":" + entry.replace("}", "," + key + "}") + "}", 0),
            "tensor \"a\": found the key " + key.substring(0, key.indexOf(':')) + " twice");
      }
    }

    @Test
    void unknownEntryKeysAreRefused() throws IOException {
      String entry = entry("U8", "[0]", "[0,0]");
      for (String key : List.of("name", "Shape", "", "dtype ", "__metadata__")) {
        assertRefused(
            directory,
            file("{\"a\":" + entry.replace("}", ",\"" + key + "\":0}") + "}", 0),
            "tensor \"a\": found the key \"" + key + "\"",
            "dtype, shape or data_offsets");
      }
    }

    @Test
    void entryKeysMayComeInAnyOrder() throws IOException {
      assertOpens(
          directory, file("{\"a\":{\"data_offsets\":[0,1],\"shape\":[1],\"dtype\":\"U8\"}}", 1));
    }

    @Test
    void missingEntryKeysAreRefused() throws IOException {
      for (String key : List.of("\"dtype\":\"U8\"", "\"shape\":[0]", "\"data_offsets\":[0,0]")) {
        String entry =
            entry("U8", "[0]", "[0,0]").replace(key, "").replace("{,", "{").replace(",}", "}");
        assertRefused(
            directory,
            file("{\"a\":" + entry.replace(",,", ",") + "}", 0),
            "tensor \"a\": found no " + key.substring(1, key.indexOf(':') - 1));
      }
      assertRefused(directory, file("{\"a\":{}}", 0), "found no dtype");
    }

    @ParameterizedTest
    @ValueSource(strings = {"null", "[]", "\"a\"", "1", "true"})
    void entriesOfOtherKindsAreRefused(String entry) throws IOException {
      assertRefused(directory, file("{\"a\":" + entry + "}", 0), "tensor \"a\"", "an object with");
    }

    @Test
    void namesMayBeOdd() throws IOException {
      for (String name : List.of("", " ", "\\u0000", "\\n", "../../x", "\\ud83d\\udc26", "dtype")) {
        assertOpens(directory, file("{\"" + name + "\":" + entry("U8", "[0]", "[0,0]") + "}", 0));
      }
    }

    @Test
    void hostileNamesDoNotBreakTheMessage() throws IOException {
      assertRefused(
          directory, file("{\"a\\n\\u001b[31m\\u202e\":{}}", 0), "\"a\\u{a}\\u{1b}[31m\\u{202e}\"");
      assertRefused(
          directory, file("{\"" + "n".repeat(50_000) + "\":{}}", 0), "(50000 characters)");
      assertRefused(
          directory, file("{\"" + "n".repeat(50_001) + "\":{}}", 0), "exceeds the maximum");
    }

    @Test
    void namesWhoseHashesCollideAreAccepted() throws IOException {
      String entry = entry("U8", "[0]", "[0,0]");
      StringBuilder header = new StringBuilder("{");
      for (int i = 0; i < 1 << 12; i++) {
        header.append(i == 0 ? "\"" : ",\"");
        for (int bit = 0; bit < 12; bit++) {
          header.append((i >> bit & 1) == 0 ? "Aa" : "BB");
        }
        header.append("\":").append(entry);
      }
      try (Checkpoint checkpoint = Bytes.open(directory, file(header.append('}').toString(), 0))) {
        assertEquals(1 << 12, checkpoint.tensors().size());
      }
    }

    @Test
    void deepNestingIsRefused() throws IOException {
      String deep = "[".repeat(1_000_000);
      for (String before :
          List.of("", "{\"a\":", "{\"__metadata__\":", "{\"a\":{\"x\":", "{\"a\":{\"shape\":")) {
        assertRefused(directory, file(before + deep, 0));
      }
      assertRefused(directory, file("{\"a\":".repeat(200_000), 0));
    }
  }

  @Nested
  class Rule4Sizes {

    @ParameterizedTest
    @EnumSource(DType.class)
    void everyTypeIsAccepted(DType dtype) throws IOException {
      int bytes = dtype.bits();
      try (Checkpoint checkpoint =
          Bytes.open(directory, file(header(dtype.name(), "[2,4]", "[0," + bytes + "]"), bytes))) {
        Tensor tensor = checkpoint.tensor("a");
        assertEquals(dtype, tensor.dtype());
        assertEquals(List.of(2L, 4L), tensor.shape());
        assertEquals(bytes, tensor.byteSize());
        assertEquals(8, tensor.elements());
      }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "f32", "F33", "float32", "F32\\u0000", "Q8_0"})
    void unknownTypesAreRefused(String dtype) throws IOException {
      assertRefused(
          directory,
          file(header(dtype, "[0]", "[0,0]"), 0),
          "tensor \"a\": found dtype \"",
          "expected one of [BOOL, F4, ");
    }

    @ParameterizedTest
    @ValueSource(strings = {"null", "32", "[]", "{}", "true"})
    void typesMustBeStrings(String dtype) throws IOException {
      String header = VALID.replace("\"F32\"", dtype);
      assertRefused(directory, file(header, 24), "tensor \"a\"", "a string as dtype");
    }

    @ParameterizedTest
    @ValueSource(
        strings = {
          "-1",
          "-0",
          "1.0",
          "1e0",
          "0.5",
          "1e400",
          "281474976710656",
          "9223372036854775807",
          "9223372036854775808",
          "18446744073709551616",
          "null",
          "true",
          "\"1\"",
          "[]",
          "{}"
        })
    void otherDimensionsAreRefused(String dimension) throws IOException {
      for (String shape : List.of("[" + dimension + "]", "[0," + dimension + "]")) {
        assertRefused(
            directory,
            file(header("U8", shape, "[0,0]"), 0),
            "tensor \"a\"",
            "an integer from 0 to 281474976710655");
      }
    }

    @ParameterizedTest
    @ValueSource(ints = {400, 1_000, 1_001, 100_000})
    void endlessNumbersAreRefused(int digits) throws IOException {
      String number = "7".repeat(digits);
      assertRefused(directory, file(header("U8", "[" + number + "]", "[0,0]"), 0), "\"a\"");
      assertRefused(directory, file(header("U8", "[0]", "[0," + number + "]"), 0), "\"a\"");
    }

    @ParameterizedTest
    @ValueSource(strings = {"null", "1", "\"[1]\"", "{}", "[1", "[1,]", "[,1]", "[1 2]", "[01]"})
    void otherShapesAreRefused(String shape) throws IOException {
      assertRefused(directory, file(header("U8", shape, "[0,1]"), 1), "tensor \"a\"");
    }

    @Test
    void scalarsAndEmptyTensorsAreLegal() throws IOException {
      try (Checkpoint checkpoint = Bytes.open(directory, file(header("F32", "[]", "[0,4]"), 4))) {
        assertEquals(1, checkpoint.tensor("a").elements());
      }
      for (String shape : List.of("[0]", "[0,7]", "[7,0]", "[0,0]", "[281474976710655,0]")) {
        try (Checkpoint checkpoint =
            Bytes.open(directory, file(header("F32", shape, "[0,0]"), 0))) {
          assertEquals(0, checkpoint.tensor("a").elements());
          assertEquals(0, checkpoint.tensor("a").byteSize());
        }
      }
    }

    @ParameterizedTest
    @ValueSource(
        strings = {
          "[140737488355328,140737488355328]",
          "[281474976710655,281474976710655]",
          "[4294967296,4294967296]",
          "[140737488355328,65536]",
          "[140737488355328,140737488355328,0]",
          "[140737488355328,16384]"
        })
    void overflowIsRefused(String shape) throws IOException {
      // By wrapping arithmetic, most of these have the size 0.
      assertRefused(
          directory, file(header("F32", shape, "[0,0]"), 0), "tensor \"a\"", "overflows", "2^63");
    }

    @Test
    void theProductIsTakenFromTheLeft() throws IOException {
      assertOpens(
          directory, file(header("F32", "[0,140737488355328,140737488355328]", "[0,0]"), 0));
    }

    @Test
    void sizesMustMatchTheShape() throws IOException {
      assertRefused(
          directory,
          file(header("F32", "[2,3]", "[0,23]"), 23),
          "tensor \"a\": found 23 bytes of data, expected 24 bytes for shape [2, 3] of F32");
      assertRefused(directory, file(header("F32", "[]", "[0,0]"), 0), "expected 4 bytes");
      assertRefused(directory, file(header("F32", "[0]", "[0,4]"), 4), "expected 0 bytes");
    }

    @Test
    void packedTypesMustFillTheirBytes() throws IOException {
      assertOpens(directory, file(header("F4", "[2]", "[0,1]"), 1));
      assertRefused(directory, file(header("F4", "[3]", "[0,1]"), 1), "12 bits", "whole number");
      assertOpens(directory, file(header("F6_E3M2", "[4]", "[0,3]"), 3));
      for (int count : new int[] {1, 2, 3}) {
        assertRefused(
            directory,
            file(header("F6_E3M2", "[" + count + "]", "[0," + count + "]"), count),
            6 * count + " bits");
      }
    }

    @Test
    void manyDimensionsAreLegalUntilTheyFloodTheHeap() throws IOException {
      String ones = "1,".repeat(5_000);
      try (Checkpoint checkpoint =
          Bytes.open(directory, file(header("U8", "[" + ones + "1]", "[0,1]"), 1))) {
        assertEquals(5_001, checkpoint.tensor("a").shape().size());
      }
      String flood = "1,".repeat(5_000_000);
      assertRefused(
          directory, file(header("U8", "[" + flood + "1]", "[0,1]"), 1), "5000000", "tensor \"a\"");
    }

    @Test
    void longShapesAreCutInMessages() throws IOException {
      assertRefused(
          directory,
          file(header("U8", "[" + "1,".repeat(2_000) + "1]", "[0,2]"), 2),
          "[1, 1, 1, 1, 1, 1, 1, 1]... (rank 2001)");
    }
  }

  @Nested
  class Rule5Coverage {

    private static String two(String first, String second) {
      return "{\"a\":" + first + ",\"b\":" + second + "}";
    }

    @Test
    void tensorsAreOrderedByTheirData() throws IOException {
      String header = two(entry("F32", "[1]", "[2,6]"), entry("F16", "[1]", "[0,2]"));
      try (Checkpoint checkpoint = Bytes.open(directory, file(header, 6))) {
        assertEquals(List.of("b", "a"), List.copyOf(checkpoint.tensors().keySet()));
      }
    }

    @Test
    void emptyTensorsMayStandAnywhere() throws IOException {
      String empty = entry("F32", "[0]", "[4,4]");
      assertOpens(directory, file(two(entry("F32", "[1]", "[0,4]"), empty), 4));
      assertOpens(directory, file(two(empty, entry("F32", "[1]", "[0,4]")), 4));
      assertOpens(
          directory, file(two(entry("F32", "[0]", "[0,0]"), entry("F32", "[1]", "[0,4]")), 4));
      assertOpens(
          directory, file(two(entry("F32", "[1]", "[0,4]"), entry("F32", "[0]", "[0,0]")), 4));
      assertRefused(
          directory,
          file(two(entry("F32", "[1]", "[0,4]"), entry("F32", "[0]", "[2,2]")), 4),
          "an overlap");
    }

    @Test
    void theFirstMustBeginAtZero() throws IOException {
      assertRefused(
          directory,
          file(header("U8", "[1]", "[1,2]"), 2),
          "tensor \"a\": found a hole before its data, which begins at byte 1",
          "from byte 0, the data's begin");
    }

    @Test
    void holesAndOverlapsAreRefused() throws IOException {
      String first = entry("U8", "[4]", "[0,4]");
      assertRefused(
          directory,
          file(two(first, entry("U8", "[4]", "[5,9]")), 9),
          "tensor \"b\": found a hole before its data, which begins at byte 5",
          "byte 4, where tensor \"a\" ends");
      assertRefused(
          directory, file(two(first, entry("U8", "[4]", "[3,7]")), 7), "\"b\": found an overlap");
      assertRefused(
          directory, file(two(first, entry("U8", "[4]", "[0,4]")), 4), "\"b\": found an overlap");
    }

    @Test
    void theLastMustEndAtTheEndOfTheFile() throws IOException {
      int size = 8 + VALID.length() + 24;
      assertRefused(
          directory,
          file(VALID, 23),
          "found a file of " + (size - 1) + " bytes (truncated)",
          "expected " + size + " bytes");
      assertRefused(
          directory,
          file(VALID, 25),
          "found a file of " + (size + 1) + " bytes (data that belongs to no tensor)",
          "expected " + size + " bytes");
      assertRefused(directory, file("{}", 1), "found a file of 11 bytes", "expected 10 bytes");
    }

    @ParameterizedTest
    @ValueSource(
        strings = {
          "[]",
          "[0]",
          "[0,1,2]",
          "[1,0]",
          "[0,-1]",
          "[-1,0]",
          "[0,1.0]",
          "[0,\"1\"]",
          "null",
          "1",
          "{}",
          "[[0,1]]",
          "[0,null]",
          "[0,18446744073709551616]",
          "[18446744073709551615,0]"
        })
    void otherOffsetsAreRefused(String offsets) throws IOException {
      assertRefused(directory, file(header("U8", "[1]", offsets), 1), "tensor \"a\"");
    }

    @Test
    void offsetsFarBeyondTheFileAreRefused() throws IOException {
      long end = (1L << 47) * 8191;
      assertRefused(
          directory,
          file(header("U8", "[140737488355328,8191]", "[0," + end + "]"), 0),
          "(truncated)",
          "and " + end + " of data");
      assertRefused(
          directory,
          file(header("U8", "[1]", "[9223372036854775806,9223372036854775807]"), 1),
          "a hole");
    }
  }

  @Nested
  class Rule6Alignment {

    @Test
    void dataMayBeginAnywhere() throws IOException {
      for (int spaces = 0; spaces < 8; spaces++) {
        for (DType dtype : List.of(DType.F32, DType.F16, DType.BF16)) {
          int width = dtype.bits() / 8;
          String header =
              "{\"odd\":"
                  + entry("U8", "[1]", "[0,1]")
                  + ",\"a\":"
                  + entry(dtype.name(), "[3]", "[1," + (1 + 3 * width) + "]")
                  + "}"
                  + " ".repeat(spaces);
          byte[] content = file(header, 1 + 3 * width);
          ByteBuffer data =
              ByteBuffer.wrap(content, 9 + header.length(), 3 * width)
                  .slice()
                  .order(ByteOrder.LITTLE_ENDIAN);
          try (Checkpoint checkpoint = Bytes.open(directory, content)) {
            for (int i = 0; i < 3; i++) {
              float expected =
                  switch (dtype) {
                    case F32 -> data.getFloat(i * width);
                    case F16 -> Float.float16ToFloat(data.getShort(i * width));
                    default -> Float.intBitsToFloat(data.getShort(i * width) << 16);
                  };
              assertEquals(expected, checkpoint.tensor("a").get(i));
            }
          }
        }
      }
    }
  }
}
