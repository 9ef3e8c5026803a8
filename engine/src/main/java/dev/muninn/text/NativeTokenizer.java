package dev.muninn.text;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import ai.djl.huggingface.tokenizers.jni.LibUtils;
import dev.muninn.backend.InferenceException;
import dev.muninn.weights.CheckpointException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;

/**
 * The tokenizer library, which turns text into the ids that it gives to tokens itself.
 *
 * <p>Thread-safe: the library promises nothing about threads, so one thread is let in at a time.
 */
final class NativeTokenizer implements AutoCloseable {
  static {
    // Unless it is told to stay offline, the library asks the network for the machine it runs on
    // when its first tokenizer is made.
    if (System.getProperty("ai.djl.offline") == null) {
      System.setProperty("ai.djl.offline", "true");
    }
  }

  /** The library would else cut every text to 512 tokens. */
  private static final Map<String, String> WHOLE_TEXTS =
      Map.of("truncation", "false", "padding", "false");

  private final HuggingFaceTokenizer tokenizer;
  private boolean closed;

  private NativeTokenizer(HuggingFaceTokenizer tokenizer) {
    this.tokenizer = tokenizer;
  }

  /**
   * Begins to load the library on a thread of its own; {@link #load} waits for it. Where it does
   * not load, that is said there.
   */
  static void loadLibraryBeside() {
    Thread.ofPlatform()
        .daemon()
        .name("muninn-tokenizer")
        .start(() -> {
          try {
            LibUtils.checkStatus();
          } catch (RuntimeException | LinkageError problem) {
            return;
          }
        });
  }

  static NativeTokenizer load(Path file) {
    try {
      LibUtils.checkStatus();
    } catch (RuntimeException | LinkageError problem) {
      throw new InferenceException(
          "the tokenizer library does not load on this machine: "
              + innermost(problem)
              + "; its native part must fit this platform and is unpacked to DJL_CACHE_DIR,"
              + " ~/.djl.ai by default",
          problem);
    }
    try {
      return new NativeTokenizer(HuggingFaceTokenizer.newInstance(file, WHOLE_TEXTS));
    } catch (IOException | RuntimeException problem) {
      throw new CheckpointException(
          file + ": the tokenizer library refuses it: " + problem.getMessage(), problem);
    }
  }

  /**
   * The ids of a text.
   *
   * @param text Unicode text: surrogates in pairs
   * @param template whether the tokenizer adds what its post-processor is told to add
   */
  synchronized int[] encode(String text, boolean template) {
    if (closed) {
      throw new IllegalStateException("the tokenizer is closed");
    }
    long[] ids = tokenizer.encode(text, template, false).getIds();
    int[] tokens = new int[ids.length];
    for (int i = 0; i < tokens.length; i++) {
      tokens[i] = Math.toIntExact(ids[i]);
    }
    return tokens;
  }

  @Override
  public synchronized void close() {
    closed = true;
    tokenizer.close();
  }

  private static String innermost(Throwable problem) {
    Throwable cause = problem;
    while (cause.getCause() != null) {
      cause = cause.getCause();
    }
    return cause.toString().lines().findFirst().orElse("");
  }
}
