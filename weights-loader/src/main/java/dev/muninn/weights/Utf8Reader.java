package dev.muninn.weights;

import java.io.IOException;
import java.io.Reader;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * Decodes a stretch of a file as strict UTF-8, through a small buffer.
 *
 * <p>It reads the channel and not a map, so that a file which shrinks meanwhile ends in an
 * exception; and it refuses what JSON parsers let through: overlong forms, encoded surrogates and
 * code points past U+10FFFF.
 */
final class Utf8Reader extends Reader {
  private static final int BUFFER_SIZE = 1 << 14;

  private final Path file;
  private final FileChannel channel;
  private final long end;
  private final ByteBuffer bytes;
  private final CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder();
  private long position;

  /** Reads the bytes from {@code begin} to {@code end}; closing is left to the channel's owner. */
  Utf8Reader(Path file, FileChannel channel, long begin, long end) {
    this.file = file;
    this.channel = channel;
    this.position = begin;
    this.end = end;
    this.bytes = ByteBuffer.allocate((int) Math.min(BUFFER_SIZE, end - begin)).flip();
  }

  @Override
  public int read(char[] target, int offset, int length) {
    CharBuffer chars = CharBuffer.wrap(target, offset, length);
    while (true) {
      CoderResult result = decoder.decode(bytes, chars, position == end);
      if (result.isError()) {
        throw CheckpointException.refusal(
            file,
            "bytes that are not UTF-8 at byte " + (position - bytes.remaining()),
            "UTF-8 text");
      }
      int count = chars.position() - offset;
      if (count > 0 || result.isOverflow()) {
        return count;
      }
      if (position == end) {
        return -1;
      }
      fill();
    }
  }

  private void fill() {
    bytes.compact();
    bytes.limit((int) Math.min(bytes.capacity(), bytes.position() + (end - position)));
    try {
      int count = channel.read(bytes, position);
      if (count < 0) {
        throw CheckpointException.refusal(
            file, "the end of the file at byte " + position, "text up to byte " + end);
      }
      position += count;
    } catch (IOException problem) {
      throw CheckpointException.failure(file, "a readable file", problem);
    }
    bytes.flip();
  }

  @Override
  public void close() {
    // The channel is its owner's to close.
  }
}
