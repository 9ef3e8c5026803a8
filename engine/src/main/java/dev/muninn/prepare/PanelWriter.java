package dev.muninn.prepare;

import dev.muninn.family.PanelTensor;
import dev.muninn.model.WeightFormat;
import dev.muninn.weights.CheckpointException;
import dev.muninn.weights.SafetensorsOutput;
import dev.muninn.weights.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongConsumer;
import java.util.stream.IntStream;

/** Writes a matrix in panels, some of them at a time, on all processors. */
final class PanelWriter {
  private static final int PANELS_A_PROCESSOR = 4;
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final String name;
  private final Tensor source;
  private final PanelTensor layout;
  private final ErrorFeedback feedback;
  private final int inputs;

  /** Rows that lie in one panel. */
  private record Rows(int from, int count) {}

  /**
   * A writer of one tensor.
   *
   * @param feedback what is known of the matrix' inputs, or null
   */
  PanelWriter(String name, Tensor source, PanelTensor layout, ErrorFeedback feedback) {
    this.name = name;
    this.source = source;
    this.layout = layout;
    this.feedback = feedback;
    this.inputs = layout.inputs();
  }

  /**
   * Writes all panels.
   *
   * @param output where the tensor was reserved
   * @param progress is told how many bytes of the source have been read
   * @throws CheckpointException if a weight is not finite and the format knows only finite ones
   */
  void write(SafetensorsOutput output, LongConsumer progress) {
    List<Rows> panels = new ArrayList<>();
    int row = 0;
    for (int rows : layout.rowParts()) {
      for (int at = 0; at < rows; at += PanelTensor.PANEL) {
        panels.add(new Rows(row + at, Math.min(PanelTensor.PANEL, rows - at)));
      }
      row += rows;
    }
    int batch = PANELS_A_PROCESSOR * Runtime.getRuntime().availableProcessors();
    long rowBytes = source.byteSize() / layout.rows();
    for (int first = 0; first < panels.size(); first += batch) {
      List<Rows> some = panels.subList(first, Math.min(panels.size(), first + batch));
      ByteBuffer[] encoded = new ByteBuffer[some.size()];
      IntStream.range(0, encoded.length).parallel().forEach(i -> encoded[i] = encode(some.get(i)));
      for (int i = 0; i < encoded.length; i++) {
        output.put(name, (first + i) * layout.panelBytes(), encoded[i]);
      }
      Rows last = some.getLast();
      progress.accept((last.from() + last.count()) * rowBytes);
    }
  }

  private ByteBuffer encode(Rows rows) {
    float[][] weights = new float[rows.count()][inputs];
    for (int i = 0; i < rows.count(); i++) {
      read(rows.from() + i, weights[i]);
    }
    if (layout.format() != WeightFormat.BF16_PANELS) {
      requireFinite(rows, weights);
    }
    ByteBuffer target = ByteBuffer.allocate(Math.toIntExact(layout.panelBytes()));
    new PanelEncoder(layout, feedback).encode(weights, rows.count(), target);
    return target.flip();
  }

  private void read(int row, float[] target) {
    MemorySegment data = source.data();
    long first = (long) row * inputs;
    try {
      switch (source.dtype()) {
        case F32 -> {
          for (int i = 0; i < inputs; i++) {
            target[i] = data.get(FLOAT, Float.BYTES * (first + i));
          }
        }
        case BF16 -> {
          for (int i = 0; i < inputs; i++) {
            int bits = data.get(SHORT, Short.BYTES * (first + i));
            target[i] = Float.intBitsToFloat(bits << Short.SIZE);
          }
        }
        default -> {
          for (int i = 0; i < inputs; i++) {
            target[i] = Float.float16ToFloat(data.get(SHORT, Short.BYTES * (first + i)));
          }
        }
      }
    } catch (InternalError fault) {
      throw new CheckpointException(
          source.file() + ": the file has shrunk since it was opened; expected it to stay", fault);
    }
  }

  private void requireFinite(Rows rows, float[][] weights) {
    for (int row = 0; row < weights.length; row++) {
      for (int input = 0; input < inputs; input++) {
        if (!Float.isFinite(weights[row][input])) {
          throw new CheckpointException(
              "%s: tensor \"%s\": found %s in row %d, column %d, expected finite weights for %s"
                  .formatted(
                      source.file(),
                      source.name(),
                      weights[row][input],
                      rows.from() + row,
                      input,
                      layout.format()));
        }
      }
    }
  }
}
