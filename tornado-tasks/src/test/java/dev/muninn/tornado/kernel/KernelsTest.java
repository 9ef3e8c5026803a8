package dev.muninn.tornado.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.muninn.family.huginn.HuginnConfig;
import dev.muninn.tornado.TestDevices;
import dev.muninn.vector.RotaryTable;
import dev.muninn.vector.ScalarTwins;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;
import uk.ac.manchester.tornado.api.types.arrays.ShortArray;

/** Every kernel in Java and on the devices against the engine's scalar twins, on odd sizes. */
class KernelsTest {
  private static final int MOST_ROWS = 5;
  private static final int ROWS = 3;
  private static final int HEADS = 3;
  private static final int HEAD_SIZE = 14;
  private static final int WIDTH = HEADS * HEAD_SIZE;
  private static final int INTERMEDIATE = 53;
  private static final int CONTEXT = 11;
  private static final float EPSILON = 1e-6f;
  private static final int[] POSITIONS = {0, 4, 9};

  /** One sequence has its keys and values in BF16. */
  private static final int[] UNITS = {
    CacheFormat.F32_UNITS, CacheFormat.BF16_UNITS, CacheFormat.F32_UNITS
  };

  private final SplittableRandom random = new SplittableRandom(11);
  private final FloatArray table = WeightFormat.table();

  @BeforeAll
  static void setUpRuntime() {
    assertFalse(TestDevices.all().isEmpty(), "no device");
  }

  /** Weights as a kernel takes them, and their values. */
  private final class Weights {
    final FloatArray floats;
    final ShortArray halves;
    final float[][] values;

    Weights(int format, int rows, int columns) {
      floats = new FloatArray(format == WeightFormat.F32 ? rows * columns : 1);
      halves = new ShortArray(format == WeightFormat.F32 ? 1 : rows * columns);
      values = new float[rows][columns];
      for (int r = 0; r < rows; r++) {
        for (int c = 0; c < columns; c++) {
          float value = (float) random.nextDouble(-1, 1);
          int at = r * columns + c;
          switch (format) {
            case WeightFormat.F32 -> floats.set(at, value);
            case WeightFormat.BF16 -> {
              halves.set(at, (short) (Float.floatToRawIntBits(value) >>> 16));
              value = Float.intBitsToFloat(halves.get(at) << 16);
            }
            default -> {
              halves.set(at, Float.floatToFloat16(value));
              value = Float.float16ToFloat(halves.get(at));
            }
          }
          values[r][c] = value;
        }
      }
    }
  }

  private float[] values(int size) {
    float[] values = new float[size];
    for (int i = 0; i < size; i++) {
      values[i] = (float) random.nextDouble(-2, 2);
    }
    return values;
  }

  /** Rows in slots 4, 3, 2, the last of them in two runs; two are read out. */
  private static RowTable rows() {
    RowTable rows = new RowTable(MOST_ROWS, CONTEXT);
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
  private static int cacheUnit(int row, int position) {
    return row * CONTEXT * CacheFormat.F32_UNITS + position * UNITS[row];
  }

  /** The cache with these numbers, by position, and the numbers as they can be read from it. */
  private IntArray cache(float[] numbers) {
    IntArray cache = new IntArray(ROWS * CONTEXT * CacheFormat.F32_UNITS * WIDTH);
    cache.init(0);
    for (int row = 0; row < ROWS; row++) {
      for (int position = 0; position < CONTEXT; position++) {
        int from = cacheUnit(row, position) * WIDTH;
        int at = (row * CONTEXT + position) * 2 * WIDTH;
        for (int i = 0; i < 2 * WIDTH; i += 2) {
          CacheFormat.set(cache, table, UNITS[row], from, i, numbers[at + i], numbers[at + i + 1]);
          for (int j = at + i; j < at + i + 2; j++) {
            numbers[j] = stored(UNITS[row], numbers[j]);
          }
        }
      }
    }
    return cache;
  }

  private static float stored(int units, float number) {
    if (units == CacheFormat.F32_UNITS) {
      return number;
    }
    int bits = Float.floatToRawIntBits(number);
    return Float.intBitsToFloat((bits + 0x7FFF + (bits >>> 16 & 1)) >>> 16 << 16);
  }

  private float read(IntArray cache, int index) {
    int row = index / (CONTEXT * 2 * WIDTH);
    int position = index / (2 * WIDTH) % CONTEXT;
    int from = cacheUnit(row, position) * WIDTH;
    return CacheFormat.get(cache, table, UNITS[row], from, index % (2 * WIDTH));
  }

  private static float factor(float[] row) {
    float[] ones = new float[row.length];
    java.util.Arrays.fill(ones, 1);
    float[] normed = ScalarTwins.norm(row, ones, EPSILON);
    int greatest =
        IntStream.range(0, row.length)
            .reduce((a, b) -> Math.abs(row[a]) > Math.abs(row[b]) ? a : b)
            .getAsInt();
    return normed[greatest] / row[greatest];
  }

  private static FloatArray factors(float[] stream) {
    FloatArray factors = new FloatArray(MOST_ROWS);
    for (int row = 0; row < ROWS; row++) {
      factors.set(row, factor(ScalarTwins.part(stream, row * WIDTH, WIDTH)));
    }
    return factors;
  }

  @Test
  void everyFiniteHalfIsReadExactly() {
    ShortArray halves = new ShortArray(1 << 16);
    FloatArray none = new FloatArray(1);
    for (int bits = 0; bits < 1 << 16; bits++) {
      halves.set(bits, (short) bits);
    }
    for (int bits = 0; bits < 1 << 16; bits++) {
      float bf16 = Float.intBitsToFloat(bits << 16);
      if (Float.isFinite(bf16)) {
        float read = WeightFormat.weight(WeightFormat.BF16, none, halves, table, bits);
        assertEquals(bf16, read, "BF16 " + bits);
      }
      float f16 = Float.float16ToFloat((short) bits);
      if (Float.isFinite(f16)) {
        float read = WeightFormat.weight(WeightFormat.F16, none, halves, table, bits);
        assertEquals(f16, read, "F16 " + bits);
      }
    }
  }

  /** Floats of every exponent, exactly, and as BF16 rounded as the engine rounds them. */
  @Test
  void keysAndValuesAreStoredAsTheirBits() {
    for (int exponent = 0; exponent < 256; exponent++) {
      for (int i = 0; i < 64; i++) {
        int significand = i < 2 ? i * 0x7FFFFF : i < 8 ? i << 15 : random.nextInt(1 << 23);
        float value = Float.intBitsToFloat((i & 1) << 31 | exponent << 23 | significand);
        checkStored(value, exponent);
      }
    }
  }

  private void checkStored(float value, int exponent) {
    IntArray cache = new IntArray(4);
    for (int units = CacheFormat.BF16_UNITS; units <= CacheFormat.F32_UNITS; units++) {
      CacheFormat.set(cache, table, units, 1, 0, value, -value);
      float even = CacheFormat.get(cache, table, units, 1, 0);
      float odd = CacheFormat.get(cache, table, units, 1, 1);
      if (exponent < 8) {
        assertEquals(0, even);
        assertEquals(0, odd);
      } else if (exponent < 254) {
        assertEquals(stored(units, value), even, () -> value + " with exponent " + exponent);
        assertEquals(stored(units, -value), odd, () -> -value + " with exponent " + exponent);
      } else {
        assertEquals(Float.POSITIVE_INFINITY, Math.abs(even));
      }
    }
  }

  @Test
  void norm() {
    RowTable rows = rows();
    float[] source = values(MOST_ROWS * WIDTH);
    float[] scale = values(2 * WIDTH);
    FloatArray sourceArray = FloatArray.fromArray(source);
    FloatArray scaleArray = FloatArray.fromArray(scale);
    FloatArray target = new FloatArray(MOST_ROWS * WIDTH);
    FloatArray factors = new FloatArray(MOST_ROWS);
    int slots = RowTable.slots(MOST_ROWS);
    int identity = RowTable.identity(MOST_ROWS);
    float[][] expected = new float[MOST_ROWS][];
    for (int row = 0; row < ROWS; row++) {
      expected[4 - row] =
          ScalarTwins.norm(
              ScalarTwins.part(source, row * WIDTH, WIDTH),
              ScalarTwins.part(scale, WIDTH, WIDTH),
              EPSILON);
    }
    KernelRun.check(
        MOST_ROWS,
        new Object[] {rows.data(), sourceArray, scaleArray, target, factors},
        target,
        i -> expected[i / WIDTH] == null ? Float.NaN : expected[i / WIDTH][i % WIDTH],
        1e-5,
        (context, lanes) ->
            NormKernels.norm(
                context,
                rows.data(),
                sourceArray,
                identity,
                scaleArray,
                WIDTH,
                target,
                slots,
                factors,
                WIDTH,
                EPSILON,
                lanes),
        (graph, context, lanes) ->
            graph.task(
                "kernel",
                NormKernels::norm,
                context,
                rows.data(),
                sourceArray,
                identity,
                scaleArray,
                WIDTH,
                target,
                slots,
                factors,
                WIDTH,
                EPSILON,
                lanes));
  }

  @Test
  void measure() {
    RowTable rows = rows();
    float[] source = values(MOST_ROWS * WIDTH);
    FloatArray sourceArray = FloatArray.fromArray(source);
    FloatArray target = new FloatArray(MOST_ROWS * WIDTH);
    FloatArray factors = new FloatArray(MOST_ROWS);
    KernelRun.check(
        MOST_ROWS,
        new Object[] {rows.data(), sourceArray, target, factors},
        factors,
        row -> row < ROWS ? factor(ScalarTwins.part(source, row * WIDTH, WIDTH)) : Float.NaN,
        1e-5,
        (context, lanes) ->
            NormKernels.measure(
                context, rows.data(), sourceArray, target, factors, WIDTH, EPSILON, lanes),
        (graph, context, lanes) ->
            graph.task(
                "kernel",
                NormKernels::measure,
                context,
                rows.data(),
                sourceArray,
                target,
                factors,
                WIDTH,
                EPSILON,
                lanes));
  }

  @ParameterizedTest
  @ValueSource(ints = {WeightFormat.F32, WeightFormat.BF16, WeightFormat.F16})
  void queriesKeysValues(int format) {
    RowTable rows = rows();
    Weights weights = new Weights(format, 3 * WIDTH, WIDTH);
    float[] stream = values(MOST_ROWS * WIDTH);
    float[] vectors = values(6 * WIDTH);
    HuginnConfig config =
        new HuginnConfig(
            WIDTH, HEADS, INTERMEDIATE, 1, 1, 1, 4, 32, CONTEXT, 50_000, 1e-6, true, true);
    RotaryTable angles = new RotaryTable(config);
    angles.extend(CONTEXT);
    FloatArray rotary = new FloatArray(CONTEXT * HEAD_SIZE);
    for (int i = 0; i < CONTEXT * HEAD_SIZE; i += 2) {
      rotary.set(i, angles.cosines()[i]);
      rotary.set(i + 1, angles.sines()[i + 1]);
    }
    FloatArray streamArray = FloatArray.fromArray(stream);
    FloatArray factors = factors(stream);
    FloatArray vectorArray = FloatArray.fromArray(vectors);
    FloatArray queries = new FloatArray(MOST_ROWS * WIDTH);
    IntArray cache = cache(new float[ROWS * CONTEXT * 2 * WIDTH]);
    float[] expectedQueries = new float[ROWS * WIDTH];
    float[] expectedCache = new float[ROWS * CONTEXT * 2 * WIDTH];
    java.util.Arrays.fill(expectedCache, Float.NaN);
    for (int row = 0; row < ROWS; row++) {
      float[] all =
          ScalarTwins.product(
              weights.values,
              ScalarTwins.norm(
                  ScalarTwins.part(stream, row * WIDTH, WIDTH),
                  ScalarTwins.part(vectors, 0, WIDTH),
                  EPSILON));
      int at = (row * CONTEXT + POSITIONS[row]) * 2 * WIDTH;
      for (int head = 0; head < HEADS; head++) {
        for (int part = 0; part < 2; part++) {
          int column = part * WIDTH + head * HEAD_SIZE;
          float[] turned =
              ScalarTwins.rotate(
                  ScalarTwins.part(all, column, HEAD_SIZE),
                  ScalarTwins.part(vectors, 4 * WIDTH + column, HEAD_SIZE),
                  angles,
                  POSITIONS[row]);
          for (int i = 0; i < HEAD_SIZE; i++) {
            if (part == 0) {
              expectedQueries[row * WIDTH + column + i] = turned[i] / (float) Math.sqrt(HEAD_SIZE);
            } else {
              expectedCache[at + column - WIDTH + i] = turned[i];
            }
          }
        }
      }
      System.arraycopy(all, 2 * WIDTH, expectedCache, at + WIDTH, WIDTH);
    }
    Object[] arguments = {
      rows.data(),
      streamArray,
      factors,
      vectorArray,
      weights.floats,
      weights.halves,
      table,
      rotary,
      queries,
      cache
    };
    KernelRun.Call call =
        (context, lanes) ->
            AttentionKernels.queriesKeysValues(
                context,
                rows.data(),
                streamArray,
                factors,
                vectorArray,
                weights.floats,
                weights.halves,
                table,
                rotary,
                queries,
                cache,
                MOST_ROWS,
                WIDTH,
                HEAD_SIZE,
                format,
                lanes);
    KernelRun.Task task =
        (graph, context, lanes) ->
            graph.task(
                "kernel",
                AttentionKernels::queriesKeysValues,
                context,
                rows.data(),
                streamArray,
                factors,
                vectorArray,
                weights.floats,
                weights.halves,
                table,
                rotary,
                queries,
                cache,
                MOST_ROWS,
                WIDTH,
                HEAD_SIZE,
                format,
                lanes);
    int pairs = 3 * WIDTH / 2;
    KernelRun.check(
        pairs,
        arguments,
        queries,
        i -> i < expectedQueries.length ? expectedQueries[i] : Float.NaN,
        1e-4,
        call,
        task);
    KernelRun.Output stored =
        new KernelRun.Output(
            cache, expectedCache.length, () -> cache.init(0), index -> read(cache, index));
    // BF16 numbers up to 16 lie 1/16 apart, so that one is off by half of that.
    KernelRun.check(
        pairs,
        arguments,
        stored,
        i -> i / (CONTEXT * 2 * WIDTH) == 1 ? Float.NaN : expectedCache[i],
        1e-4,
        call,
        task);
    KernelRun.check(
        pairs,
        arguments,
        stored,
        i -> i / (CONTEXT * 2 * WIDTH) == 1 ? expectedCache[i] : Float.NaN,
        0.0313,
        call,
        task);
  }

  @Test
  void attend() {
    RowTable rows = rows();
    float[] queries = values(MOST_ROWS * WIDTH);
    float[] cache = values(ROWS * CONTEXT * 2 * WIDTH);
    FloatArray queryArray = FloatArray.fromArray(queries);
    IntArray cacheArray = cache(cache);
    FloatArray scores = new FloatArray(MOST_ROWS * HEADS * CONTEXT);
    FloatArray attended = new FloatArray(MOST_ROWS * WIDTH);
    float[] expected = new float[ROWS * WIDTH];
    for (int row = 0; row < ROWS; row++) {
      for (int head = 0; head < HEADS; head++) {
        int at = row * WIDTH + head * HEAD_SIZE;
        float[] weights = new float[POSITIONS[row] + 1];
        for (int p = 0; p < weights.length; p++) {
          for (int i = 0; i < HEAD_SIZE; i++) {
            weights[p] +=
                queries[at + i] * cache[(row * CONTEXT + p) * 2 * WIDTH + head * HEAD_SIZE + i];
          }
        }
        weights = ScalarTwins.shares(weights);
        for (int p = 0; p < weights.length; p++) {
          for (int i = 0; i < HEAD_SIZE; i++) {
            int value = (row * CONTEXT + p) * 2 * WIDTH + WIDTH + head * HEAD_SIZE + i;
            expected[at + i] += weights[p] * cache[value];
          }
        }
      }
    }
    KernelRun.check(
        MOST_ROWS * HEADS,
        new Object[] {rows.data(), queryArray, cacheArray, table, scores, attended},
        attended,
        i -> i < expected.length ? expected[i] : Float.NaN,
        1e-4,
        (context, lanes) ->
            AttentionKernels.attend(
                context,
                rows.data(),
                queryArray,
                cacheArray,
                table,
                scores,
                attended,
                MOST_ROWS,
                WIDTH,
                HEAD_SIZE,
                CONTEXT,
                lanes),
        (graph, context, lanes) ->
            graph.task(
                "kernel",
                AttentionKernels::attend,
                context,
                rows.data(),
                queryArray,
                cacheArray,
                table,
                scores,
                attended,
                MOST_ROWS,
                WIDTH,
                HEAD_SIZE,
                CONTEXT,
                lanes));
  }

  @ParameterizedTest
  @ValueSource(ints = {WeightFormat.F32, WeightFormat.BF16, WeightFormat.F16})
  void gateUp(int format) {
    RowTable rows = rows();
    Weights weights = new Weights(format, 2 * INTERMEDIATE, WIDTH);
    float[] stream = values(MOST_ROWS * WIDTH);
    float[] vectors = values(6 * WIDTH);
    FloatArray streamArray = FloatArray.fromArray(stream);
    FloatArray factors = factors(stream);
    FloatArray vectorArray = FloatArray.fromArray(vectors);
    FloatArray hidden = new FloatArray(MOST_ROWS * INTERMEDIATE);
    float[][] expected = new float[ROWS][];
    for (int row = 0; row < ROWS; row++) {
      float[] both =
          ScalarTwins.product(
              weights.values,
              ScalarTwins.norm(
                  ScalarTwins.part(stream, row * WIDTH, WIDTH),
                  ScalarTwins.part(vectors, 2 * WIDTH, WIDTH),
                  EPSILON));
      expected[row] =
          ScalarTwins.gate(
              ScalarTwins.part(both, 0, INTERMEDIATE),
              ScalarTwins.part(both, INTERMEDIATE, INTERMEDIATE));
    }
    KernelRun.check(
        INTERMEDIATE,
        new Object[] {
          rows.data(),
          streamArray,
          factors,
          vectorArray,
          weights.floats,
          weights.halves,
          table,
          hidden
        },
        hidden,
        i -> i < ROWS * INTERMEDIATE ? expected[i / INTERMEDIATE][i % INTERMEDIATE] : Float.NaN,
        2e-4,
        (context, lanes) ->
            MlpKernels.gateUp(
                context,
                rows.data(),
                streamArray,
                factors,
                vectorArray,
                weights.floats,
                weights.halves,
                table,
                hidden,
                WIDTH,
                INTERMEDIATE,
                format,
                lanes),
        (graph, context, lanes) ->
            graph.task(
                "kernel",
                MlpKernels::gateUp,
                context,
                rows.data(),
                streamArray,
                factors,
                vectorArray,
                weights.floats,
                weights.halves,
                table,
                hidden,
                WIDTH,
                INTERMEDIATE,
                format,
                lanes));
  }

  @ParameterizedTest
  @ValueSource(ints = {WeightFormat.F32, WeightFormat.BF16, WeightFormat.F16})
  void project(int format) {
    RowTable rows = rows();
    Weights weights = new Weights(format, WIDTH, INTERMEDIATE);
    float[] input = values(MOST_ROWS * INTERMEDIATE);
    float[] stream = values(MOST_ROWS * WIDTH);
    FloatArray inputArray = FloatArray.fromArray(input);
    FloatArray streamArray = FloatArray.fromArray(stream);
    FloatArray sums = new FloatArray(MOST_ROWS * WIDTH);
    float[][] expected = new float[ROWS][];
    for (int row = 0; row < ROWS; row++) {
      expected[row] =
          ScalarTwins.product(
              weights.values, ScalarTwins.part(input, row * INTERMEDIATE, INTERMEDIATE));
    }
    KernelRun.check(
        WIDTH,
        new Object[] {
          rows.data(), inputArray, weights.floats, weights.halves, table, streamArray, sums
        },
        sums,
        i -> i < ROWS * WIDTH ? stream[i] + expected[i / WIDTH][i % WIDTH] : Float.NaN,
        1e-4,
        (context, lanes) ->
            MlpKernels.project(
                context,
                rows.data(),
                inputArray,
                weights.floats,
                weights.halves,
                table,
                streamArray,
                sums,
                INTERMEDIATE,
                WIDTH,
                format,
                lanes),
        (graph, context, lanes) ->
            graph.task(
                "kernel",
                MlpKernels::project,
                context,
                rows.data(),
                inputArray,
                weights.floats,
                weights.halves,
                table,
                streamArray,
                sums,
                INTERMEDIATE,
                WIDTH,
                format,
                lanes));
  }

  @ParameterizedTest
  @ValueSource(ints = {WeightFormat.F32, WeightFormat.BF16, WeightFormat.F16})
  void adapt(int format) {
    RowTable rows = rows();
    Weights weights = new Weights(format, WIDTH, 2 * WIDTH);
    float[] latents = values(MOST_ROWS * WIDTH);
    float[] embeddings = values(MOST_ROWS * WIDTH);
    FloatArray latentArray = FloatArray.fromArray(latents);
    FloatArray embeddingArray = FloatArray.fromArray(embeddings);
    FloatArray sums = new FloatArray(MOST_ROWS * WIDTH);
    float[][] expected = new float[ROWS][];
    for (int row = 0; row < ROWS; row++) {
      float[] both = new float[2 * WIDTH];
      System.arraycopy(latents, (4 - row) * WIDTH, both, 0, WIDTH);
      System.arraycopy(embeddings, (4 - row) * WIDTH, both, WIDTH, WIDTH);
      expected[row] = ScalarTwins.product(weights.values, both);
    }
    KernelRun.check(
        WIDTH,
        new Object[] {
          rows.data(), latentArray, embeddingArray, weights.floats, weights.halves, table, sums
        },
        sums,
        i -> i < ROWS * WIDTH ? expected[i / WIDTH][i % WIDTH] : Float.NaN,
        1e-4,
        (context, lanes) ->
            AdapterKernels.adapt(
                context,
                rows.data(),
                latentArray,
                embeddingArray,
                weights.floats,
                weights.halves,
                table,
                sums,
                MOST_ROWS,
                WIDTH,
                format,
                lanes),
        (graph, context, lanes) ->
            graph.task(
                "kernel",
                AdapterKernels::adapt,
                context,
                rows.data(),
                latentArray,
                embeddingArray,
                weights.floats,
                weights.halves,
                table,
                sums,
                MOST_ROWS,
                WIDTH,
                format,
                lanes));
  }

  @ParameterizedTest
  @ValueSource(ints = {WeightFormat.F32, WeightFormat.BF16, WeightFormat.F16})
  void logits(int format) {
    RowTable rows = rows();
    int vocabulary = 37;
    Weights weights = new Weights(format, vocabulary, WIDTH);
    float[] stream = values(MOST_ROWS * WIDTH);
    float[] scale = values(WIDTH);
    FloatArray streamArray = FloatArray.fromArray(stream);
    FloatArray factors = factors(stream);
    FloatArray scaleArray = FloatArray.fromArray(scale);
    FloatArray logits = new FloatArray(MOST_ROWS * vocabulary);
    float[][] expected = new float[2][];
    for (int index = 0; index < 2; index++) {
      float[] row = ScalarTwins.part(stream, 2 * index * WIDTH, WIDTH);
      expected[index] = ScalarTwins.product(weights.values, ScalarTwins.norm(row, scale, EPSILON));
    }
    KernelRun.check(
        vocabulary,
        new Object[] {
          rows.data(),
          streamArray,
          factors,
          scaleArray,
          weights.floats,
          weights.halves,
          table,
          logits
        },
        logits,
        i -> i < 2 * vocabulary ? expected[i / vocabulary][i % vocabulary] : Float.NaN,
        1e-4,
        (context, lanes) ->
            HeadKernels.logits(
                context,
                rows.data(),
                streamArray,
                factors,
                scaleArray,
                weights.floats,
                weights.halves,
                table,
                logits,
                MOST_ROWS,
                WIDTH,
                vocabulary,
                format,
                lanes),
        (graph, context, lanes) ->
            graph.task(
                "kernel",
                HeadKernels::logits,
                context,
                rows.data(),
                streamArray,
                factors,
                scaleArray,
                weights.floats,
                weights.halves,
                table,
                logits,
                MOST_ROWS,
                WIDTH,
                vocabulary,
                format,
                lanes));
  }
}
