package dev.muninn.tornado.kernel;

import java.util.Arrays;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/** Products in Java and on the devices against sums in doubles, on odd sizes. */
class ProductKernelsTest extends KernelFixture {
  private static final int INTERMEDIATE = 53;

  private static float[] concatenate(float[]... parts) {
    int size = Arrays.stream(parts).mapToInt(part -> part.length).sum();
    float[] all = new float[size];
    int at = 0;
    for (float[] part : parts) {
      System.arraycopy(part, 0, all, at, part.length);
      at += part.length;
    }
    return all;
  }

  private static float at(float[][] rows, int width, int index) {
    int row = index / width;
    return row < rows.length ? rows[row][index % width] : Float.NaN;
  }

  @ParameterizedTest
  @ValueSource(ints = {WeightFormat.F32, WeightFormat.BF16, WeightFormat.F16})
  void product(int format) {
    RowTable rows = rows();
    Weights weights = new Weights(format, WIDTH, INTERMEDIATE);
    float[] values = values(MOST_ROWS * INTERMEDIATE);
    FloatArray input = FloatArray.fromArray(values);
    FloatArray target = new FloatArray(MOST_ROWS * WIDTH);
    float[][] expected = new float[ROWS][];
    for (int row = 0; row < ROWS; row++) {
      expected[row] =
          ScalarTwins.product(
              weights.values, ScalarTwins.part(values, row * INTERMEDIATE, INTERMEDIATE));
    }
    KernelRun.check(
        WIDTH,
        new Object[] {rows.data(), input, weights.floats, weights.halves, table, target},
        target,
        i -> at(expected, WIDTH, i),
        1e-4,
        (context, lanes) ->
            ProductKernels.product(
                context,
                rows.data(),
                input,
                weights.floats,
                weights.halves,
                table,
                target,
                INTERMEDIATE,
                WIDTH,
                format,
                lanes),
        (graph, context, lanes) ->
            graph.task(
                "kernel",
                ProductKernels::product,
                context,
                rows.data(),
                input,
                weights.floats,
                weights.halves,
                table,
                target,
                INTERMEDIATE,
                WIDTH,
                format,
                lanes));
  }

  /** Each of the three in a format of its own. */
  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2})
  void queriesKeysValues(int first) {
    final int queryFormat = first;
    final int keyFormat = (first + 1) % 3;
    final int valueFormat = (first + 2) % 3;
    final int queryWidth = 70;
    final int keyValueWidth = 28;
    RowTable rows = rows();
    Weights query = new Weights(queryFormat, queryWidth, WIDTH);
    Weights key = new Weights(keyFormat, keyValueWidth, WIDTH);
    Weights value = new Weights(valueFormat, keyValueWidth, WIDTH);
    float[] values = values(MOST_ROWS * WIDTH);
    FloatArray input = FloatArray.fromArray(values);
    int outputs = queryWidth + 2 * keyValueWidth;
    FloatArray target = new FloatArray(MOST_ROWS * outputs);
    float[][] expected = new float[ROWS][];
    for (int row = 0; row < ROWS; row++) {
      float[] own = ScalarTwins.part(values, row * WIDTH, WIDTH);
      expected[row] =
          concatenate(
              ScalarTwins.product(query.values, own),
              ScalarTwins.product(key.values, own),
              ScalarTwins.product(value.values, own));
    }
    KernelRun.check(
        outputs,
        new Object[] {
          rows.data(),
          input,
          query.floats,
          query.halves,
          key.floats,
          key.halves,
          value.floats,
          value.halves,
          table,
          target
        },
        target,
        i -> at(expected, outputs, i),
        1e-4,
        (context, lanes) ->
            ProductKernels.queriesKeysValues(
                context,
                rows.data(),
                input,
                query.floats,
                query.halves,
                key.floats,
                key.halves,
                value.floats,
                value.halves,
                table,
                target,
                WIDTH,
                queryWidth,
                keyValueWidth,
                queryFormat,
                keyFormat,
                valueFormat,
                lanes),
        (graph, context, lanes) ->
            graph.task(
                "kernel",
                ProductKernels::queriesKeysValues,
                context,
                rows.data(),
                input,
                query.floats,
                query.halves,
                key.floats,
                key.halves,
                value.floats,
                value.halves,
                table,
                target,
                WIDTH,
                queryWidth,
                keyValueWidth,
                queryFormat,
                keyFormat,
                valueFormat,
                lanes));
  }

  @ParameterizedTest
  @ValueSource(ints = {WeightFormat.F32, WeightFormat.BF16, WeightFormat.F16})
  void gateUp(int gateFormat) {
    int upFormat = (gateFormat + 1) % 3;
    RowTable rows = rows();
    Weights gate = new Weights(gateFormat, INTERMEDIATE, WIDTH);
    Weights up = new Weights(upFormat, INTERMEDIATE, WIDTH);
    float[] values = values(MOST_ROWS * WIDTH);
    FloatArray input = FloatArray.fromArray(values);
    FloatArray hidden = new FloatArray(MOST_ROWS * INTERMEDIATE);
    float[][] expected = new float[ROWS][];
    for (int row = 0; row < ROWS; row++) {
      float[] own = ScalarTwins.part(values, row * WIDTH, WIDTH);
      expected[row] =
          ScalarTwins.gate(
              ScalarTwins.product(gate.values, own), ScalarTwins.product(up.values, own));
    }
    KernelRun.check(
        INTERMEDIATE,
        new Object[] {
          rows.data(), input, gate.floats, gate.halves, up.floats, up.halves, table, hidden
        },
        hidden,
        i -> at(expected, INTERMEDIATE, i),
        2e-4,
        (context, lanes) ->
            ProductKernels.gateUp(
                context,
                rows.data(),
                input,
                gate.floats,
                gate.halves,
                up.floats,
                up.halves,
                table,
                hidden,
                WIDTH,
                INTERMEDIATE,
                gateFormat,
                upFormat,
                lanes),
        (graph, context, lanes) ->
            graph.task(
                "kernel",
                ProductKernels::gateUp,
                context,
                rows.data(),
                input,
                gate.floats,
                gate.halves,
                up.floats,
                up.halves,
                table,
                hidden,
                WIDTH,
                INTERMEDIATE,
                gateFormat,
                upFormat,
                lanes));
  }

  @ParameterizedTest
  @ValueSource(ints = {WeightFormat.F32, WeightFormat.BF16, WeightFormat.F16})
  void inject(int format) {
    RowTable rows = rows();
    Weights weights = new Weights(format, WIDTH, 2 * WIDTH);
    float[] latents = values(MOST_ROWS * WIDTH);
    float[] embeddings = values(MOST_ROWS * WIDTH);
    FloatArray latentArray = FloatArray.fromArray(latents);
    FloatArray embeddingArray = FloatArray.fromArray(embeddings);
    FloatArray sums = new FloatArray(MOST_ROWS * WIDTH);
    float[][] expected = new float[ROWS][];
    for (int row = 0; row < ROWS; row++) {
      int slot = 4 - row;
      expected[row] =
          ScalarTwins.product(
              weights.values,
              concatenate(
                  ScalarTwins.part(latents, slot * WIDTH, WIDTH),
                  ScalarTwins.part(embeddings, slot * WIDTH, WIDTH)));
    }
    KernelRun.check(
        WIDTH,
        new Object[] {
          rows.data(), latentArray, embeddingArray, weights.floats, weights.halves, table, sums
        },
        sums,
        i -> at(expected, WIDTH, i),
        1e-4,
        (context, lanes) ->
            ProductKernels.inject(
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
                ProductKernels::inject,
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
    float[] values = values(MOST_ROWS * WIDTH);
    FloatArray input = FloatArray.fromArray(values);
    FloatArray logits = new FloatArray(MOST_ROWS * vocabulary);
    float[][] expected = new float[2][];
    for (int index = 0; index < 2; index++) {
      expected[index] =
          ScalarTwins.product(weights.values, ScalarTwins.part(values, 2 * index * WIDTH, WIDTH));
    }
    KernelRun.check(
        vocabulary,
        new Object[] {rows.data(), input, weights.floats, weights.halves, table, logits},
        logits,
        i -> at(expected, vocabulary, i),
        1e-4,
        (context, lanes) ->
            ProductKernels.logits(
                context,
                rows.data(),
                input,
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
                ProductKernels::logits,
                context,
                rows.data(),
                input,
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
