package dev.muninn.trace;

import dev.muninn.weights.CheckpointException;
import dev.muninn.weights.DType;
import dev.muninn.weights.SafetensorsOutput;
import dev.muninn.weights.SafetensorsWriter;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * The latent states of a trace, in a safetensors file: they are written as they are computed and
 * read one by one, so a long prompt's do not need to be in memory together. Used by one thread.
 *
 * <p>The tensors: {@code latents} F32 [positions, r + 1, h], the states s_0 to s_r of each
 * position; {@code tokens} I32 [positions]; with several initial states, {@code ends} F32 [starts,
 * positions, h], the state s_r from each.
 */
public final class LatentFile implements AutoCloseable {
  private static final String LATENTS = "latents";
  private static final String ENDS = "ends";

  private final int positions;
  private final int recurrence;
  private final int starts;
  private final int width;
  private final SafetensorsOutput output;
  private final ByteBuffer row;

  private LatentFile(
      int positions, int recurrence, int starts, int width, SafetensorsOutput output) {
    this.positions = positions;
    this.recurrence = recurrence;
    this.starts = starts;
    this.width = width;
    this.output = output;
    this.row = ByteBuffer.allocateDirect(width * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
  }

  /**
   * Begins a file of zeros.
   *
   * @throws CheckpointException if it cannot be written, or if the disk has no room for it
   */
  static LatentFile create(Path target, int[] tokens, int recurrence, int starts, int width) {
    requireSpace(target, bytes(tokens.length, recurrence, starts, width));
    long positions = tokens.length;
    MemorySegment ids = MemorySegment.ofArray(new byte[tokens.length * Integer.BYTES]);
    for (int i = 0; i < tokens.length; i++) {
      ids.set(
          ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN),
          (long) i * Integer.BYTES,
          tokens[i]);
    }
    SafetensorsWriter writer =
        new SafetensorsWriter(target)
            .metadata("recurrence", Integer.toString(recurrence))
            .add("tokens", DType.I32, List.of(positions), ids)
            .reserve(LATENTS, DType.F32, List.of(positions, recurrence + 1L, (long) width));
    if (starts > 1) {
      writer.reserve(ENDS, DType.F32, List.of((long) starts, positions, (long) width));
    }
    return new LatentFile(tokens.length, recurrence, starts, width, writer.open());
  }

  private static void requireSpace(Path target, long bytes) {
    long free;
    try {
      free = Files.getFileStore(target.toAbsolutePath().getParent()).getUsableSpace();
    } catch (IOException unknown) {
      // Then the writing will tell.
      return;
    }
    if (bytes > free) {
      throw new CheckpointException(
          target
              + ": found "
              + free
              + " bytes of free disk, expected "
              + bytes
              + " for the states");
    }
  }

  /** Bytes of the states of a trace. */
  public static long bytes(int positions, int recurrence, int starts, int width) {
    long states = (recurrence + 1L) * positions + (starts > 1 ? (long) starts * positions : 0);
    return Math.multiplyExact(states, (long) width * Float.BYTES);
  }

  public int positions() {
    return positions;
  }

  /** The last recurrence, r. */
  public int recurrence() {
    return recurrence;
  }

  /** Initial states whose ends are kept. */
  public int starts() {
    return starts;
  }

  /** Width of a state, h. */
  public int width() {
    return width;
  }

  void put(int position, int recurrence, float[] latent) {
    put(LATENTS, state(position, recurrence), latent);
  }

  void putEnd(int start, int position, float[] latent) {
    put(ENDS, end(start, position), latent);
  }

  /**
   * Reads the state s_i of a position, [h].
   *
   * @param recurrence i, from 0 to r
   * @throws CheckpointException if the file cannot be read
   */
  public void read(int position, int recurrence, float[] latent) {
    get(LATENTS, state(position, recurrence), latent);
  }

  /** Reads the states s_0 to s_r of a position, [r + 1][h]. */
  public float[][] trajectory(int position) {
    float[][] states = new float[recurrence + 1][width];
    for (int i = 0; i <= recurrence; i++) {
      read(position, i, states[i]);
    }
    return states;
  }

  /** Reads the state s_r of a position, [h], as it became from one of several initial states. */
  public void readEnd(int start, int position, float[] latent) {
    if (starts == 1) {
      read(position, recurrence, latent);
    } else {
      get(ENDS, end(start, position), latent);
    }
  }

  private long state(int position, int recurrence) {
    return (long) position * (this.recurrence + 1) + recurrence;
  }

  private long end(int start, int position) {
    return (long) start * positions + position;
  }

  private void put(String tensor, long index, float[] latent) {
    row.clear().asFloatBuffer().put(latent, 0, width);
    output.put(tensor, index * width * Float.BYTES, row);
  }

  private void get(String tensor, long index, float[] latent) {
    output.get(tensor, index * width * Float.BYTES, row.clear());
    row.flip().asFloatBuffer().get(latent, 0, width);
  }

  /** Makes the file appear under its name; it can still be read. */
  void commit() {
    output.commit();
  }

  @Override
  public void close() {
    output.close();
  }
}
