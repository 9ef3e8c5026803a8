package dev.muninn.eval;

import dev.muninn.serve.ModelService;
import dev.muninn.weights.Tensor;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import java.util.TreeMap;

/** Tells whether a task or a model is still the one it was: the first half of a SHA-256. */
public final class Hash {
  private static final int LENGTH = 32;

  /** Bytes of a tensor that are read at each of three places. */
  private static final long SAMPLE = 4096;

  private Hash() {}

  /** The hash of bytes. */
  static String of(byte[] bytes) {
    return hex(digest(), bytes);
  }

  /** The hash of a text. */
  static String of(String text) {
    return of(text.getBytes(StandardCharsets.UTF_8));
  }

  /**
   * The hash of a model: its configuration, and of each tensor the name, type, shape and the first,
   * middle and last {@value #SAMPLE} bytes, for all bytes of a large model would take minutes. Any
   * training changes every tensor.
   *
   * @throws dev.muninn.weights.CheckpointException if a file of weights has shrunk
   */
  public static String of(ModelService model) {
    return model.checkpoint().guard(() -> read(model));
  }

  private static String read(ModelService model) {
    MessageDigest digest = digest();
    digest.update(model.architecture().toString().getBytes(StandardCharsets.UTF_8));
    Map<String, Tensor> tensors = new TreeMap<>(model.checkpoint().tensors());
    for (Tensor tensor : tensors.values()) {
      String head = tensor.name() + ' ' + tensor.dtype() + ' ' + tensor.shape() + '\n';
      digest.update(head.getBytes(StandardCharsets.UTF_8));
      MemorySegment data = tensor.data();
      long size = Math.min(SAMPLE, data.byteSize());
      long rest = data.byteSize() - size;
      for (long offset : new long[] {0, rest / 2, rest}) {
        digest.update(data.asSlice(offset, size).asByteBuffer());
      }
    }
    return hex(digest, new byte[0]);
  }

  private static MessageDigest digest() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      // Every Java platform has it.
      throw new AssertionError(e);
    }
  }

  private static String hex(MessageDigest digest, byte[] last) {
    return HexFormat.of().formatHex(digest.digest(last)).substring(0, LENGTH);
  }
}
