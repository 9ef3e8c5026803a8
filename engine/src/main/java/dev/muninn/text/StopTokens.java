package dev.muninn.text;

import dev.muninn.weights.CheckpointException;
import dev.muninn.weights.JsonFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;

/** The tokens that end an answer. Immutable; may be empty. */
public final class StopTokens {
  private static final String KEY = "eos_token_id";

  private final int[] sorted;

  private StopTokens(int[] tokens) {
    sorted = Arrays.stream(tokens).sorted().distinct().toArray();
  }

  /**
   * These tokens.
   *
   * @param tokens ids of at least 0, in any order; none for an answer that no token ends
   */
  public static StopTokens of(int... tokens) {
    for (int token : tokens) {
      if (token < 0) {
        throw new IllegalArgumentException("a stop token must be at least 0, not " + token);
      }
    }
    return new StopTokens(tokens);
  }

  /**
   * The stop tokens of a model: {@code eos_token_id} of {@code generation_config.json}; if it has
   * none, end-of-text by its name, else {@code eos_token_id} of {@code config.json}. In any case
   * {@code eos_token} of {@code tokenizer_config.json} and end-of-turn by its name.
   *
   * @param modelDirectory the model directory; none of the files has to exist
   * @param tokenizer the tokenizer that knows the names, or null if there is none
   * @param vocabularySize the model's vocabulary size, which no token may reach
   * @param correction gives the right ids for those of a file that the family is known to ship
   *     wrong
   * @throws CheckpointException in one line, if a file is no JSON, {@code eos_token_id} is neither
   *     a token nor a list of tokens of the vocabulary, or {@code eos_token} is no token's name
   */
  public static StopTokens load(
      Path modelDirectory,
      Tokenizer tokenizer,
      int vocabularySize,
      UnaryOperator<StopTokens> correction) {
    TokenBuffer tokens = new TokenBuffer();
    if (!addFrom(modelDirectory.resolve("generation_config.json"), vocabularySize, tokens)
        && !addNamed(SpecialTokens.END_TEXT, tokenizer, tokens)) {
      addFrom(modelDirectory.resolve("config.json"), vocabularySize, tokens);
    }
    StopTokens shipped = correction.apply(new StopTokens(tokens.toArray()));
    TokenBuffer all = new TokenBuffer();
    all.addAll(shipped.sorted);
    if (tokenizer != null) {
      TokenizerConfig config = TokenizerConfig.read(modelDirectory);
      config.id("eos_token", tokenizer::id).ifPresent(all::add);
    }
    addNamed(SpecialTokens.END_TURN, tokenizer, all);
    return new StopTokens(all.toArray());
  }

  /** The stop tokens of a model whose files are right. */
  public static StopTokens load(Path modelDirectory, Tokenizer tokenizer, int vocabularySize) {
    return load(modelDirectory, tokenizer, vocabularySize, UnaryOperator.identity());
  }

  /** These tokens, in order. */
  public int[] tokens() {
    return sorted.clone();
  }

  /** Whether this token ends an answer. */
  public boolean contains(int token) {
    return Arrays.binarySearch(sorted, token) >= 0;
  }

  /** The tokens in ascending order. */
  public int[] ids() {
    return sorted.clone();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof StopTokens that && Arrays.equals(sorted, that.sorted);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(sorted);
  }

  @Override
  public String toString() {
    return "StopTokens" + Arrays.toString(sorted);
  }

  private static boolean addNamed(String name, Tokenizer tokenizer, TokenBuffer tokens) {
    if (tokenizer == null || tokenizer.id(name).isEmpty()) {
      return false;
    }
    tokens.add(tokenizer.id(name).getAsInt());
    return true;
  }

  private static boolean addFrom(Path file, int vocabularySize, TokenBuffer tokens) {
    if (!Files.exists(file)) {
      return false;
    }
    Map<String, Object> json = JsonFile.readObject(file);
    Object value = json.get(KEY);
    if (value == null) {
      return false;
    }
    for (Object element : value instanceof List<?> list ? list : List.of(value)) {
      if (!(element instanceof Long id) || id < 0 || id >= vocabularySize) {
        throw new CheckpointException(
            file
                + ": "
                + KEY
                + " has "
                + element
                + ", expected tokens from 0 to "
                + (vocabularySize - 1));
      }
      tokens.add(id.intValue());
    }
    return true;
  }
}
