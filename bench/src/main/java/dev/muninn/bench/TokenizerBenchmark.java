package dev.muninn.bench;

import dev.muninn.measure.TemporaryDirectory;
import dev.muninn.text.TextStream;
import dev.muninn.text.Tokenizer;
import java.io.IOException;
import java.io.UncheckedIOException;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/** Text to tokens and back, with a byte-level BPE of some thousand merges. */
public class TokenizerBenchmark extends WorkBenchmark {
  @Param({"100", "10000"})
  public int words;

  private Tokenizer tokenizer;
  private String text;
  private int[] tokens;

  @Override
  protected Work work() {
    // What words a text has decides how many tokens it is, so it is made first.
    open();
    return Work.NONE.and(Resource.TOKENS, tokens.length);
  }

  private void open() {
    RandomVocabulary vocabulary = new RandomVocabulary(0);
    try (TemporaryDirectory directory = new TemporaryDirectory()) {
      vocabulary.write(directory.path());
      tokenizer = Tokenizer.load(directory.path(), vocabulary.size());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    text = vocabulary.text(words);
    tokens = tokenizer.encode(text);
  }

  @Override
  protected void release() {
    tokenizer.close();
  }

  @Benchmark
  public int[] encode() {
    return tokenizer.encode(text);
  }

  @Benchmark
  public String decode() {
    return tokenizer.decode(tokens);
  }

  /** Token by token, as an answer is shown. */
  @Benchmark
  public int stream() {
    TextStream stream = tokenizer.stream();
    int length = 0;
    for (int token : tokens) {
      length += stream.push(token).length();
    }
    return length + stream.flush().length();
  }
}
