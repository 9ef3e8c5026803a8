package dev.muninn.tornado.kernel;

import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.muninn.tornado.TestDevices;
import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeAll;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.HalfFloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/** What tests of kernels share: odd sizes, three rows in slots of their own, weights and caches. */
abstract class KernelFixture {
  static final int MOST_ROWS = 5;
  static final int ROWS = 3;
  static final int WIDTH = 42;
  static final int HEAD_SIZE = 14;
  static final int KEY_VALUE_HEADS = 3;
  static final int KEY_VALUE_WIDTH = KEY_VALUE_HEADS * HEAD_SIZE;
  static final int CONTEXT = 11;
  static final int[] POSITIONS = {0, 4, 9};

  /** One sequence has its keys and values in BF16. */
  static final int[] UNITS = {CacheFormat.F32_UNITS, CacheFormat.BF16_UNITS, CacheFormat.F32_UNITS};

  final SplittableRandom random = new SplittableRandom(11);
  final FloatArray table = WeightFormat.table();

  @BeforeAll
  static void setUpRuntime() {
    assertFalse(TestDevices.all().isEmpty(), "no device");
  }

  /** Weights as a kernel takes them, and their values. */
  final class Weights {
    final FloatArray floats;
    final IntArray packed;

    /** The same as halves, if they are some. */
    final HalfFloatArray halves;

    final int stride;
    final float[][] values;

    Weights(int format, int rows, int columns) {
      boolean scaled = WeightFormat.isScaled(format);
      int blocks = Math.ceilDiv(columns, WeightFormat.BLOCK);
      stride = scaled ? blocks * WeightFormat.BLOCK : columns;
      int perInt = WeightFormat.perInt(format);
      int bits = Integer.SIZE / perInt;
      floats = new FloatArray(scaled ? rows * blocks : perInt == 1 ? rows * columns : 1);
      packed = new IntArray(perInt == 1 ? 1 : rows * stride / perInt);
      values = new float[rows][columns];
      for (int r = 0; r < rows; r++) {
        for (int c = 0; c < stride; c++) {
          float value = (float) random.nextDouble(-1, 1);
          int at = r * stride + c;
          int number = 0;
          switch (format) {
            case WeightFormat.F32 -> floats.set(at, value);
            case WeightFormat.BF16 -> {
              number = Float.floatToRawIntBits(value) >>> 16;
              value = Float.intBitsToFloat(number << 16);
            }
            case WeightFormat.F16 -> {
              number = Float.floatToFloat16(value) & 0xFFFF;
              value = Float.float16ToFloat((short) number);
            }
            default -> {
              if (c % WeightFormat.BLOCK == 0) {
                floats.set(at / WeightFormat.BLOCK, value / 8);
              }
              number = random.nextInt(1 << bits);
              int unused = Integer.SIZE - bits;
              value = (number << unused >> unused) * floats.get(at / WeightFormat.BLOCK);
            }
          }
          if (perInt > 1) {
            int old = packed.get(at / perInt);
            packed.set(at / perInt, old | number << at % perInt * bits);
          }
          if (c < columns) {
            values[r][c] = value;
          }
        }
      }
      halves = new HalfFloatArray(format == WeightFormat.F16 ? rows * columns : 1);
      copyHalves();
    }

    private void copyHalves() {
      if (halves.getSize() > 1) {
        halves.getSegment().copyFrom(packed.getSegment());
      }
    }

    /** Sets the bits of a weight in F16. */
    void setHalf(int row, int column, int number) {
      int at = row * stride + column;
      int above = at % 2 * 16;
      packed.set(at / 2, packed.get(at / 2) & ~(0xFFFF << above) | number << above);
      values[row][column] = Float.float16ToFloat((short) number);
      copyHalves();
    }
  }

  float[] values(int size) {
    float[] values = new float[size];
    for (int i = 0; i < size; i++) {
      values[i] = (float) random.nextDouble(-2, 2);
    }
    return values;
  }

  /** Rows in slots 4, 3, 2, the last of them in two runs; two are read out. */
  static RowTable rows() {
    return rows(MOST_ROWS);
  }

  static RowTable rows(int mostRows) {
    RowTable rows = new RowTable(mostRows, CONTEXT);
    rows.clear();
    for (int row = 0; row < ROWS; row++) {
      rows.add(4 - row, POSITIONS[row], cacheUnit(row, POSITIONS[row]), UNITS[row]);
      rows.addRun(0, cacheUnit(row, 0));
      if (row == 2) {
        rows.addRun(6, cacheUnit(row, 0));
      }
      if (row != 1) {
        rows.want();
      }
    }
    return rows;
  }

  /** Where a row's sequence has a position: each has room for {@link #CONTEXT} in F32. */
  static int cacheUnit(int row, int position) {
    return row * CONTEXT * CacheFormat.F32_UNITS + position * UNITS[row];
  }

  /** The cache with these numbers, by position, and the numbers as they can be read from it. */
  IntArray cache(float[] numbers) {
    IntArray cache = new IntArray(ROWS * CONTEXT * CacheFormat.F32_UNITS * KEY_VALUE_WIDTH);
    cache.init(0);
    for (int row = 0; row < ROWS; row++) {
      for (int position = 0; position < CONTEXT; position++) {
        int from = cacheUnit(row, position) * KEY_VALUE_WIDTH;
        int at = (row * CONTEXT + position) * 2 * KEY_VALUE_WIDTH;
        for (int i = 0; i < 2 * KEY_VALUE_WIDTH; i += 2) {
          CacheFormat.set(cache, table, UNITS[row], from, i, numbers[at + i], numbers[at + i + 1]);
          for (int j = at + i; j < at + i + 2; j++) {
            numbers[j] = stored(UNITS[row], numbers[j]);
          }
        }
      }
    }
    return cache;
  }

  static float stored(int units, float number) {
    if (units == CacheFormat.F32_UNITS) {
      return number;
    }
    int bits = Float.floatToRawIntBits(number);
    return Float.intBitsToFloat((bits + 0x7FFF + (bits >>> 16 & 1)) >>> 16 << 16);
  }

  float read(IntArray cache, int index) {
    int row = index / (CONTEXT * 2 * KEY_VALUE_WIDTH);
    int position = index / (2 * KEY_VALUE_WIDTH) % CONTEXT;
    int from = cacheUnit(row, position) * KEY_VALUE_WIDTH;
    return CacheFormat.get(cache, table, UNITS[row], from, index % (2 * KEY_VALUE_WIDTH));
  }
}
