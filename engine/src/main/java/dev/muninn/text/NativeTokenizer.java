package dev.muninn.text;

import ai.djl.huggingface.tokenizers.jni.TokenizersLibrary;
import dev.muninn.backend.InferenceException;
import java.util.Set;

/**
 * The tokenizer library, native code that turns text into ids. It ends the process on a fault, so
 * it only ever gets a {@link TokenizerFile} that was checked, and texts of bounded length.
 *
 * <p>Thread-safe: the library promises nothing about threads, so one thread is let in at a time.
 */
final class NativeTokenizer implements AutoCloseable {
  static {
    // Unless it is told to stay offline, the library asks the network for the machine it runs on
    // when it is loaded.
    if (System.getProperty("ai.djl.offline") == null) {
      System.setProperty("ai.djl.offline", "true");
    }
  }

  private final TokenizerFile file;
  private final long handle;
  private boolean closed;

  private NativeTokenizer(TokenizerFile file, long handle) {
    this.file = file;
    this.handle = handle;
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
            NativeLibrary.load();
          } catch (RuntimeException | LinkageError problem) {
            return;
          }
        });
  }

  /**
   * Makes a tokenizer.
   *
   * @param hidden names of tokens that no text is to become
   */
  static NativeTokenizer load(TokenizerFile file, Set<String> hidden) {
    try {
      NativeLibrary.load();
    } catch (InferenceException problem) {
      throw problem;
    } catch (RuntimeException | LinkageError problem) {
      throw new InferenceException(
          "the tokenizer library does not load on this machine: "
              + innermost(problem)
              + "; its native part must fit this platform",
          problem);
    }
    try {
      return new NativeTokenizer(
          file, TokenizersLibrary.LIB.createTokenizerFromString(file.forLibrary(hidden)));
    } catch (RuntimeException problem) {
      throw file.root().refusal("the tokenizer library refuses it: " + problem.getMessage());
    }
  }

  /**
   * The ids of a text; nothing is added to them.
   *
   * @param text Unicode text: surrogates in pairs
   * @throws IllegalArgumentException if the file has no token for a part of it
   */
  synchronized int[] encode(String text) {
    if (closed) {
      throw new IllegalStateException("the tokenizer is closed");
    }
    long[] ids;
    try {
      long encoding = TokenizersLibrary.LIB.encode(handle, text, false);
      try {
        ids = TokenizersLibrary.LIB.getTokenIds(encoding);
      } finally {
        TokenizersLibrary.LIB.deleteEncoding(encoding);
      }
    } catch (RuntimeException problem) {
      throw new IllegalArgumentException(
          "the tokenizer library cannot encode the text: " + problem.getMessage(), problem);
    }
    int[] tokens = new int[ids.length];
    for (int i = 0; i < tokens.length; i++) {
      tokens[i] = Math.toIntExact(ids[i]);
      if (tokens[i] == TokenizerFile.MISSING) {
        throw file.missing(text);
      }
    }
    return tokens;
  }

  @Override
  public synchronized void close() {
    if (!closed) {
      closed = true;
      TokenizersLibrary.LIB.deleteTokenizer(handle);
    }
  }

  private static String innermost(Throwable problem) {
    Throwable cause = problem;
    while (cause.getCause() != null) {
      cause = cause.getCause();
    }
    return cause.toString().lines().findFirst().orElse("");
  }
}
