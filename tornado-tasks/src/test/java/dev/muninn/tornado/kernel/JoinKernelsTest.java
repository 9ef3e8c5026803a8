package dev.muninn.tornado.kernel;

import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/** Every combination of sums and norms against the engine's scalar norm. */
class JoinKernelsTest extends KernelFixture {
  private static final int ALL = 32;

  static IntStream flags() {
    return IntStream.range(0, ALL);
  }

  private FloatArray norm(float[] scale, float epsilon) {
    FloatArray array = new FloatArray(WIDTH + 1);
    for (int i = 0; i < WIDTH; i++) {
      array.set(i, scale[i]);
    }
    array.set(WIDTH, epsilon);
    return array;
  }

  @Test
  void gateRows() {
    RowTable rows = rows();
    float[] values = values(MOST_ROWS * 2 * WIDTH);
    FloatArray both = FloatArray.fromArray(values);
    FloatArray hidden = new FloatArray(MOST_ROWS * WIDTH);
    float[][] expected = new float[ROWS][];
    for (int row = 0; row < ROWS; row++) {
      expected[row] =
          ScalarTwins.gate(
              ScalarTwins.part(values, row * 2 * WIDTH, WIDTH),
              ScalarTwins.part(values, (row * 2 + 1) * WIDTH, WIDTH));
    }
    KernelRun.check(
        WIDTH,
        new Object[] {rows.data(), both, hidden},
        hidden,
        i -> i / WIDTH < ROWS ? expected[i / WIDTH][i % WIDTH] : Float.NaN,
        1e-5,
        (context, lanes) -> JoinKernels.gateRows(context, rows.data(), both, hidden, WIDTH),
        (graph, context, lanes) ->
            graph.task("kernel", JoinKernels::gateRows, context, rows.data(), both, hidden, WIDTH));
  }

  @ParameterizedTest
  @MethodSource("flags")
  void join(int flags) {
    RowTable rows = rows();
    int slots = RowTable.slots(MOST_ROWS);
    int identity = RowTable.identity(MOST_ROWS);
    float[] source = values(MOST_ROWS * WIDTH);
    float[] before = values(MOST_ROWS * WIDTH);
    float[][] scales = {values(WIDTH), values(WIDTH), values(WIDTH)};
    FloatArray output = norm(scales[0], 1e-6f);
    FloatArray stream = norm(scales[1], 1e-2f);
    FloatArray next = norm(scales[2], 1e-1f);
    FloatArray sourceArray = FloatArray.fromArray(source);
    FloatArray streamArray = FloatArray.fromArray(before);
    FloatArray target = new FloatArray(MOST_ROWS * WIDTH);
    float[] expectedStream = new float[ROWS * WIDTH];
    float[] expectedTarget = new float[ROWS * WIDTH];
    for (int row = 0; row < ROWS; row++) {
      // The source by slots, the target by rows.
      float[] value = ScalarTwins.part(source, (4 - row) * WIDTH, WIDTH);
      if ((flags & JoinKernels.OUTPUT_NORM) != 0) {
        value = ScalarTwins.norm(value, scales[0], 1e-6f);
      }
      if ((flags & JoinKernels.RESIDUAL) != 0) {
        for (int i = 0; i < WIDTH; i++) {
          value[i] += before[row * WIDTH + i];
        }
      }
      if ((flags & JoinKernels.STREAM_NORM) != 0) {
        value = ScalarTwins.norm(value, scales[1], 1e-2f);
      }
      System.arraycopy(value, 0, expectedStream, row * WIDTH, WIDTH);
      if ((flags & JoinKernels.TARGET_NORM) != 0) {
        value = ScalarTwins.norm(value, scales[2], 1e-1f);
      }
      System.arraycopy(value, 0, expectedTarget, row * WIDTH, WIDTH);
    }
    Object[] arguments = {rows.data(), sourceArray, output, stream, next, streamArray, target};
    Runnable reset =
        () -> {
          target.init(Float.NaN);
          for (int i = 0; i < before.length; i++) {
            streamArray.set(i, before[i]);
          }
        };
    KernelRun.Call call =
        (context, lanes) ->
            JoinKernels.join(
                context,
                rows.data(),
                sourceArray,
                slots,
                output,
                stream,
                next,
                streamArray,
                target,
                identity,
                WIDTH,
                flags,
                lanes);
    KernelRun.Task task =
        (graph, context, lanes) ->
            graph.task(
                "kernel",
                JoinKernels::join,
                context,
                rows.data(),
                sourceArray,
                slots,
                output,
                stream,
                next,
                streamArray,
                target,
                identity,
                WIDTH,
                flags,
                lanes);
    KernelRun.check(
        MOST_ROWS,
        arguments,
        new KernelRun.Output(streamArray, ROWS * WIDTH, reset, streamArray::get),
        i -> expectedStream[i],
        1e-5,
        call,
        task);
    if ((flags & (JoinKernels.TARGET | JoinKernels.TARGET_NORM)) != 0) {
      KernelRun.check(
          MOST_ROWS,
          arguments,
          new KernelRun.Output(target, ROWS * WIDTH, reset, target::get),
          i -> expectedTarget[i],
          1e-5,
          call,
          task);
    }
  }
}
