package dev.muninn.weights;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Mutated files: whatever they hold, they end in a sound checkpoint or in a refusal of one line.
 * The seeds are fixed, so that a failure comes back.
 */
@Timeout(value = 60, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class HeaderFuzzTest {
  private static final int CASES = 1_500;

  private static final Pattern TOKEN =
      Pattern.compile("\"(?:[^\"\\\\]|\\\\.)*\"|-?[0-9][0-9.eE+-]*|[\\[\\]{},:]|[a-z]+|\\s+");
  private static final Pattern NUMBER = Pattern.compile("[0-9]+");

  private static final List<String> TOKENS =
      List.of(
          "{",
          "}",
          "[",
          "]",
          ",",
          ":",
          "null",
          "true",
          "NaN",
          "-0",
          "1.0",
          "1e400",
          "-1",
          "0",
          "1",
          "2",
          "\"\"",
          "\"dtype\"",
          "\"shape\"",
          "\"data_offsets\"",
          "\"__metadata__\"",
          "\"F32\"",
          "\"BF16\"",
          "\"F4\"",
          "\"U64\"",
          "\"\\u0000\"",
          "\"\\ud800\"",
          "[]",
          "{}",
          "[[[[[[[[",
          "{\"a\":",
          "/**/",
          "#",
          "\ufeff",
          " ",
          "\n",
          "\0",
          "\"",
          "\\",
          "'",
          "9".repeat(400));

  private static final List<String> NUMBERS =
      List.of(
          "0",
          "1",
          "2",
          "3",
          "4",
          "5",
          "8",
          "16",
          "255",
          "4096",
          "2147483647",
          "2147483648",
          "4294967295",
          "4294967296",
          "140737488355328",
          "281474976710655",
          "281474976710656",
          "9007199254740993",
          "4611686018427387904",
          "9223372036854775807",
          "9223372036854775808",
          "18446744073709551615",
          "18446744073709551616",
          "-1",
          "-0",
          "1.0",
          "0.5",
          "1e3",
          "1E400",
          "1e-400",
          "00",
          "+1",
          "0x10",
          "1_000",
          "Infinity",
          "-Infinity",
          "NaN",
          "9".repeat(1_100));

  @TempDir Path directory;

  /** The ways to spoil a valid file, each by itself. */
  enum Mutation {
    FLIP_BYTES {
      @Override
      byte[] apply(Random random, String header, byte[] data) {
        byte[] file = assemble(header, data);
        for (int i = 1 + random.nextInt(4); i > 0; i--) {
          file[random.nextInt(8 + header.length())] ^= (byte) (1 << random.nextInt(8));
        }
        return file;
      }
    },
    RANDOM_BYTES {
      @Override
      byte[] apply(Random random, String header, byte[] data) {
        byte[] file = assemble(header, data);
        int begin = 8 + random.nextInt(header.length());
        int end = Math.min(file.length, begin + 1 + random.nextInt(8));
        for (int i = begin; i < end; i++) {
          file[i] = (byte) random.nextInt(256);
        }
        return file;
      }
    },
    TRUNCATE {
      @Override
      byte[] apply(Random random, String header, byte[] data) {
        byte[] file = assemble(header, data);
        return Arrays.copyOf(file, random.nextInt(file.length));
      }
    },
    TRUNCATE_HEADER {
      @Override
      byte[] apply(Random random, String header, byte[] data) {
        return assemble(header.substring(0, random.nextInt(header.length())), data);
      }
    },
    EXTEND {
      @Override
      byte[] apply(Random random, String header, byte[] data) {
        byte[] file = assemble(header, data);
        return Arrays.copyOf(file, file.length + 1 + random.nextInt(20));
      }
    },
    LIE_ABOUT_THE_LENGTH {
      @Override
      byte[] apply(Random random, String header, byte[] data) {
        byte[] file = assemble(header, data);
        long length =
            switch (random.nextInt(4)) {
              case 0 -> random.nextLong();
              case 1 -> header.length() + random.nextInt(-8, 9);
              case 2 -> 1L << random.nextInt(64);
              default -> random.nextInt(file.length + 1);
            };
        ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).putLong(length);
        return file;
      }
    },
    SWAP_TOKENS {
      @Override
      byte[] apply(Random random, String header, byte[] data) {
        List<String> tokens = tokens(header);
        for (int i = 1 + random.nextInt(2); i > 0; i--) {
          int first = random.nextInt(tokens.size());
          int second = random.nextInt(tokens.size());
          String token = tokens.get(first);
          tokens.set(first, tokens.get(second));
          tokens.set(second, token);
        }
        return assemble(String.join("", tokens), data);
      }
    },
    REPLACE_TOKEN {
      @Override
      byte[] apply(Random random, String header, byte[] data) {
        List<String> tokens = tokens(header);
        tokens.set(random.nextInt(tokens.size()), TOKENS.get(random.nextInt(TOKENS.size())));
        return assemble(String.join("", tokens), data);
      }
    },
    INSERT_OR_DELETE_TOKENS {
      @Override
      byte[] apply(Random random, String header, byte[] data) {
        List<String> tokens = tokens(header);
        int begin = random.nextInt(tokens.size());
        if (random.nextBoolean()) {
          tokens.add(begin, TOKENS.get(random.nextInt(TOKENS.size())));
        } else {
          tokens.subList(begin, Math.min(tokens.size(), begin + 1 + random.nextInt(5))).clear();
        }
        return assemble(String.join("", tokens), data);
      }
    },
    REPEAT_TOKENS {
      @Override
      byte[] apply(Random random, String header, byte[] data) {
        List<String> tokens = tokens(header);
        int begin = random.nextInt(tokens.size());
        int end = Math.min(tokens.size(), begin + 1 + random.nextInt(20));
        tokens.addAll(random.nextInt(tokens.size()), List.copyOf(tokens.subList(begin, end)));
        return assemble(String.join("", tokens), data);
      }
    },
    EDIT_NUMBERS {
      @Override
      byte[] apply(Random random, String header, byte[] data) {
        List<MatchResult> numbers = NUMBER.matcher(header).results().toList();
        StringBuilder edited = new StringBuilder(header);
        MatchResult number = numbers.get(random.nextInt(numbers.size()));
        edited.replace(number.start(), number.end(), NUMBERS.get(random.nextInt(NUMBERS.size())));
        return assemble(edited.toString(), data);
      }
    },
    SHIFT_NUMBERS {
      @Override
      byte[] apply(Random random, String header, byte[] data) {
        int chosen = random.nextInt(1 + (int) NUMBER.matcher(header).results().count());
        int[] seen = {0};
        String edited =
            NUMBER
                .matcher(header)
                .replaceAll(number ->
                    seen[0]++ < chosen
                        ? number.group()
                        : "" + (Long.parseLong(number.group()) + random.nextInt(-1, 2)));
        return assemble(edited, data);
      }
    };

    abstract byte[] apply(Random random, String header, byte[] data);

    private static List<String> tokens(String header) {
      return new ArrayList<>(TOKEN.matcher(header).results().map(MatchResult::group).toList());
    }
  }

  private static byte[] assemble(String header, byte[] data) {
    byte[] text = header.getBytes(StandardCharsets.UTF_8);
    return ByteBuffer.allocate(8 + text.length + data.length)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(text.length)
        .put(text)
        .put(data)
        .array();
  }

  /** A valid header of a few tensors in any order, and the size of their data. */
  private static String header(Random random, int[] dataBytes) {
    List<String> members = new ArrayList<>();
    long begin = 0;
    for (int i = random.nextInt(5); i >= 0; i--) {
      DType dtype = DType.values()[random.nextInt(DType.values().length)];
      List<Long> shape = Bytes.randomShape(random, dtype);
      long end = begin + Shapes.product(shape) * dtype.bits() / 8;
      members.add(
          "\"t" + i + "\":" + Bytes.entry(dtype.name(), "" + shape, "[" + begin + "," + end + "]"));
      begin = end;
    }
    if (random.nextBoolean()) {
      members.add("\"__metadata__\":{\"format\":\"pt\",\"x\":\"\\u00e9\\n\"}");
    }
    Collections.shuffle(members, random);
    dataBytes[0] = (int) begin;
    return "{" + String.join(",", members) + "}" + " ".repeat(random.nextInt(9));
  }

  @ParameterizedTest
  @EnumSource
  void mutatedFilesAreSoundOrRefused(Mutation mutation) throws IOException {
    Random random = new Random(mutation.name().hashCode());
    int refused = 0;
    for (int i = 0; i < CASES; i++) {
      int[] dataBytes = new int[1];
      String header = header(random, dataBytes);
      byte[] data = new byte[dataBytes[0]];
      random.nextBytes(data);
      assertTrue(isSound(assemble(header, data)), header);
      if (!isSound(mutation.apply(random, header, data))) {
        refused++;
      }
    }
    assertTrue(refused > CASES / 10, refused + " refused of " + CASES);
  }

  @Test
  void noiseIsRefused() throws IOException {
    Random random = new Random(3);
    for (int i = 0; i < CASES; i++) {
      byte[] noise = new byte[random.nextInt(64)];
      random.nextBytes(noise);
      isSound(noise);
      List<String> tokens = new ArrayList<>();
      for (int count = random.nextInt(30); count > 0; count--) {
        tokens.add(TOKENS.get(random.nextInt(TOKENS.size())));
      }
      isSound(assemble("{" + String.join("", tokens), new byte[0]));
    }
  }

  /** The same texts as an index or configuration, where any object will do. */
  @Test
  void mutatedJsonIsReadOrRefused() throws IOException {
    Random random = new Random(4);
    Path file = directory.resolve("config.json");
    for (int i = 0; i < CASES; i++) {
      byte[] content =
          Mutation.values()[random.nextInt(Mutation.values().length)].apply(
              random, header(random, new int[1]), new byte[0]);
      Files.write(
          file, content.length < 8 ? content : Arrays.copyOfRange(content, 8, content.length));
      try {
        JsonFile.readObject(file);
      } catch (CheckpointException refusal) {
        assertRefusal(refusal, file);
      } catch (Throwable other) {
        fail("case " + i + ": " + HexFormat.of().formatHex(content), other);
      }
    }
  }

  /** Whether the file opens; then its tensors must be sound, and otherwise the refusal. */
  private boolean isSound(byte[] content) throws IOException {
    Path file = Bytes.single(directory, content);
    try (Checkpoint checkpoint = Checkpoint.open(directory)) {
      long headerBytes = ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN).getLong();
      byte[] covered = new byte[(int) (content.length - 8 - headerBytes)];
      long base = -1;
      for (Tensor tensor : checkpoint.tensors().values()) {
        base = base < 0 ? tensor.data().address() : base;
        assertEquals(tensor.elements() * tensor.dtype().bits(), tensor.byteSize() * 8);
        int offset = (int) (tensor.data().address() - base);
        for (int i = 0; i < tensor.byteSize(); i++) {
          covered[offset + i]++;
          assertEquals(
              content[(int) (8 + headerBytes + offset + i)],
              tensor.data().get(ValueLayout.JAVA_BYTE, i));
        }
        if (tensor.dtype().readable() && tensor.elements() > 0) {
          tensor.get(0);
          tensor.get(tensor.elements() - 1);
        }
      }
      for (byte count : covered) {
        assertEquals(1, count);
      }
      return true;
    } catch (CheckpointException refusal) {
      assertRefusal(refusal, file);
      return false;
    } catch (RuntimeException | Error other) {
      return fail(HexFormat.of().formatHex(content), other);
    }
  }

  private static void assertRefusal(CheckpointException refusal, Path file) {
    String message = refusal.getMessage();
    Bytes.assertOneLine(message);
    assertTrue(message.startsWith(file + ": "), message);
    assertTrue(message.contains("found ") && message.contains(", expected "), message);
  }
}
