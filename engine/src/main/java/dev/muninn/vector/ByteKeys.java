package dev.muninn.vector;

import static dev.muninn.kernel.Lanes.COUNT;
import static dev.muninn.kernel.Lanes.FLOATS;
import static dev.muninn.kernel.Lanes.INTS;
import static dev.muninn.vector.ByteBlocks.SIDE;
import static java.nio.ByteOrder.LITTLE_ENDIAN;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHR;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/** Scores of keys in 8 bits, in {@link ByteBlocks}. */
final class ByteKeys {
  /** Streams of memory that are read side by side. */
  static final int STREAMS = 4;

  private ByteKeys() {}

  /** Room for a packed query. */
  static float[] query(int headSize) {
    return new float[ByteBlocks.columns(headSize) + 1];
  }

  /**
   * Prepares a query.
   *
   * @param packed gets it, and at its end minus what products are too large by
   * @return the latter
   */
  static float packQuery(float[] query, int size, float[] packed) {
    float sum = 0;
    for (int i = 0; i < size; i++) {
      sum += query[i];
      packed[i] = query[i] * ByteBlocks.factor(i);
    }
    float start = -ByteBlocks.ZERO * sum;
    packed[packed.length - 1] = start;
    return start;
  }

  /**
   * The products of a query with keys: of 16 positions in each of four streams.
   *
   * @param head where the head begins
   * @param position of the first key, a multiple of 16
   * @param apart positions from one stream to the next, a multiple of 16
   * @param query from {@link #packQuery}
   * @param scores gets those of stream i from 16 i on
   */
  static void scores(
      MemorySegment data,
      long head,
      int rows,
      int position,
      int apart,
      float[] query,
      float[] scores) {
    for (int lane = 0; lane < SIDE; lane += COUNT) {
      score(data, head, rows, position, apart, query, scores, lane);
    }
  }

  /** Scores of as many positions of each stream as a vector has lanes. */
  private static void score(
      MemorySegment data,
      long head,
      int rows,
      int position,
      int apart,
      float[] query,
      float[] scores,
      int lane) {
    FloatVector sum0 = FloatVector.zero(FLOATS);
    FloatVector sum1 = sum0;
    FloatVector sum2 = sum0;
    FloatVector sum3 = sum0;
    int columns = query.length - 1;
    long at = head + ByteBlocks.keys(position + lane, columns);
    long stream = (long) apart * columns;
    for (int i = 0; i < columns; i += 4) {
      FloatVector q0 = FloatVector.broadcast(FLOATS, query[i]);
      FloatVector q1 = FloatVector.broadcast(FLOATS, query[i + 1]);
      FloatVector q2 = FloatVector.broadcast(FLOATS, query[i + 2]);
      FloatVector q3 = FloatVector.broadcast(FLOATS, query[i + 3]);
      long step = at + (long) SIDE * i;
      IntVector v = IntVector.fromMemorySegment(INTS, data, step, LITTLE_ENDIAN);
      sum0 = ((FloatVector) v.and(0xFF).convert(I2F, 0)).fma(q0, sum0);
      sum0 = ((FloatVector) v.and(0xFF00).convert(I2F, 0)).fma(q1, sum0);
      sum0 = ((FloatVector) v.and(0xFF0000).convert(I2F, 0)).fma(q2, sum0);
      sum0 = ((FloatVector) v.lanewise(LSHR, 24).convert(I2F, 0)).fma(q3, sum0);
      v = IntVector.fromMemorySegment(INTS, data, step + stream, LITTLE_ENDIAN);
      sum1 = ((FloatVector) v.and(0xFF).convert(I2F, 0)).fma(q0, sum1);
      sum1 = ((FloatVector) v.and(0xFF00).convert(I2F, 0)).fma(q1, sum1);
      sum1 = ((FloatVector) v.and(0xFF0000).convert(I2F, 0)).fma(q2, sum1);
      sum1 = ((FloatVector) v.lanewise(LSHR, 24).convert(I2F, 0)).fma(q3, sum1);
      v = IntVector.fromMemorySegment(INTS, data, step + 2 * stream, LITTLE_ENDIAN);
      sum2 = ((FloatVector) v.and(0xFF).convert(I2F, 0)).fma(q0, sum2);
      sum2 = ((FloatVector) v.and(0xFF00).convert(I2F, 0)).fma(q1, sum2);
      sum2 = ((FloatVector) v.and(0xFF0000).convert(I2F, 0)).fma(q2, sum2);
      sum2 = ((FloatVector) v.lanewise(LSHR, 24).convert(I2F, 0)).fma(q3, sum2);
      v = IntVector.fromMemorySegment(INTS, data, step + 3 * stream, LITTLE_ENDIAN);
      sum3 = ((FloatVector) v.and(0xFF).convert(I2F, 0)).fma(q0, sum3);
      sum3 = ((FloatVector) v.and(0xFF00).convert(I2F, 0)).fma(q1, sum3);
      sum3 = ((FloatVector) v.and(0xFF0000).convert(I2F, 0)).fma(q2, sum3);
      sum3 = ((FloatVector) v.lanewise(LSHR, 24).convert(I2F, 0)).fma(q3, sum3);
    }
    float start = query[columns];
    at = head + ByteBlocks.scale(position + lane, rows, columns);
    stream = (long) Float.BYTES * apart;
    sum0.add(start)
        .mul(FloatVector.fromMemorySegment(FLOATS, data, at, LITTLE_ENDIAN))
        .intoArray(scores, lane);
    sum1.add(start)
        .mul(FloatVector.fromMemorySegment(FLOATS, data, at + stream, LITTLE_ENDIAN))
        .intoArray(scores, lane + SIDE);
    sum2.add(start)
        .mul(FloatVector.fromMemorySegment(FLOATS, data, at + 2 * stream, LITTLE_ENDIAN))
        .intoArray(scores, lane + 2 * SIDE);
    sum3.add(start)
        .mul(FloatVector.fromMemorySegment(FLOATS, data, at + 3 * stream, LITTLE_ENDIAN))
        .intoArray(scores, lane + 3 * SIDE);
  }

  /** The twin of {@link #scores}. */
  static void scoresByScalars(
      MemorySegment data,
      long head,
      int rows,
      int position,
      int apart,
      float[] query,
      float[] scores) {
    int columns = query.length - 1;
    for (int i = 0; i < STREAMS * SIDE; i++) {
      int p = position + i / SIDE * apart + i % SIDE;
      float sum = 0;
      for (int k = 0; k < columns; k++) {
        float number = ByteBlocks.key(data, head, p, k, columns);
        sum = Math.fma(number / ByteBlocks.factor(k), query[k], sum);
      }
      scores[i] = (sum + query[columns]) * ByteBlocks.scale(data, head, p, rows, columns);
    }
  }
}
