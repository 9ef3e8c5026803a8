package dev.muninn.text;

import static dev.muninn.weights.CheckpointException.quote;

import dev.muninn.weights.CheckpointException;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * The tokens around a text.
 *
 * <p>A model of the Huginn family reads begin-of-text before it, and nothing behind it: its
 * published tokenizer adds end-of-text, but the model is to go on. For all others the
 * post-processor of tokenizer.json decides, as in Python's transformers 5, which drops {@code
 * add_bos_token} and {@code add_eos_token} where there is a tokenizer.json. Its version 4 ignored
 * them too, but for the classes in {@link #OBEDIENT}: there the two versions make different tokens
 * of a file that contradicts itself, so that file is refused.
 */
final class TextFrame {
  private static final String WHERE = PostProcessor.KEY + " of " + TokenizerFile.NAME;

  /** What transformers 4 replaced the post-processor for, by the flags of tokenizer_config.json. */
  private static final Pattern OBEDIENT =
      Pattern.compile("(Llama|CodeLlama|Gemma|Cohere|GPTNeoX)Tokenizer(Fast)?");

  private final TokenizerConfig config;
  private final Vocabulary vocabulary;
  private final int[] before;
  private final int[] behind;

  /**
   * Finds the tokens.
   *
   * @throws CheckpointException in one line, if the files contradict each other, or ask for other
   *     tokens than the family needs
   */
  TextFrame(TokenizerConfig config, TokenizerFile file, Vocabulary vocabulary) {
    this.config = config;
    this.vocabulary = vocabulary;
    List<Integer> first = file.postProcessor().before();
    List<Integer> last = file.postProcessor().behind();
    OptionalInt family = vocabulary.id(SpecialTokens.BEGIN_TEXT);
    if (family.isPresent()) {
      requireFamily(file, first, last);
      before = new int[] {family.getAsInt()};
      behind = new int[0];
      return;
    }
    Optional<Boolean> addsFirst = config.flag("add_bos_token");
    Optional<Boolean> addsLast = config.flag("add_eos_token");
    Optional<String> type = config.text("tokenizer_class");
    if (type.isPresent() && OBEDIENT.matcher(type.get()).matches()) {
      requireAgreement(type.get(), addsFirst, "add_bos_token", "bos_token", first, "before");
      requireAgreement(type.get(), addsLast, "add_eos_token", "eos_token", last, "behind");
    }
    if (type.isPresent()
        && type.get().startsWith("GPTNeoXTokenizer")
        && addsFirst.isEmpty()
        && addsLast.isEmpty()
        && first.size() + last.size() > 0) {
      throw config.refusal(
          "tokenizer_class is "
              + quote(type.get())
              + ", which adds no tokens, but "
              + WHERE
              + " does; expected the two to agree");
    }
    before = first.stream().mapToInt(Integer::intValue).toArray();
    behind = last.stream().mapToInt(Integer::intValue).toArray();
  }

  private void requireFamily(TokenizerFile file, List<Integer> first, List<Integer> last) {
    requireAtMost(file, first, SpecialTokens.BEGIN_TEXT, "before");
    requireAtMost(file, last, SpecialTokens.END_TEXT, "behind");
    Optional<Boolean> adds = config.flag("add_bos_token");
    Optional<String> begin = config.token("bos_token");
    if (adds.isPresent() && !adds.get()) {
      throw unfit("add_bos_token is false");
    }
    if (adds.isPresent() && begin.isPresent() && !begin.get().equals(SpecialTokens.BEGIN_TEXT)) {
      throw unfit("bos_token is " + quote(begin.get()));
    }
    if (config.flag("add_eos_token").orElse(false)) {
      throw config.refusal(
          "add_eos_token is true, but the model is to go on behind a text; expected false");
    }
  }

  private CheckpointException unfit(String found) {
    return config.refusal(
        found + ", but a text for this family begins with " + SpecialTokens.BEGIN_TEXT);
  }

  private void requireAtMost(TokenizerFile file, List<Integer> tokens, String name, String side) {
    OptionalInt id = vocabulary.id(name);
    if (!tokens.isEmpty() && !(id.isPresent() && tokens.equals(List.of(id.getAsInt())))) {
      throw file.root()
          .refusal(
              PostProcessor.KEY
                  + " puts "
                  + names(tokens)
                  + " "
                  + side
                  + " a text, expected "
                  + name
                  + " or nothing");
    }
  }

  /** Refuses a flag of tokenizer_config.json that contradicts the post-processor. */
  private void requireAgreement(
      String type,
      Optional<Boolean> adds,
      String flag,
      String key,
      List<Integer> tokens,
      String side) {
    if (adds.isEmpty()) {
      return;
    }
    List<Integer> expected =
        adds.get() ? List.of(config.requireId(key, vocabulary::id)) : List.of();
    if (!tokens.equals(expected)) {
      throw config.refusal(
          flag
              + " is "
              + adds.get()
              + (adds.get() ? " and " + key + " is " + names(expected) : "")
              + ", but "
              + WHERE
              + " puts "
              + (tokens.isEmpty() ? "nothing" : names(tokens))
              + " "
              + side
              + " a text; expected the two to agree where tokenizer_class is "
              + quote(type));
    }
  }

  private String names(List<Integer> tokens) {
    return tokens.stream()
        .map(id -> vocabulary.name(id).map(CheckpointException::quote).orElse("token " + id))
        .collect(Collectors.joining(" and "));
  }

  /**
   * The tokens of a text with those around it. A text that spells the one token that comes before
   * it is not given it twice.
   */
  int[] around(int[] tokens) {
    int skipped = 0;
    while (before.length == 1 && skipped < tokens.length && tokens[skipped] == before[0]) {
      skipped++;
    }
    if (before.length + behind.length + skipped == 0) {
      return tokens;
    }
    int length = tokens.length - skipped;
    int[] result = new int[before.length + length + behind.length];
    System.arraycopy(before, 0, result, 0, before.length);
    System.arraycopy(tokens, skipped, result, before.length, length);
    System.arraycopy(behind, 0, result, before.length + length, behind.length);
    return result;
  }
}
