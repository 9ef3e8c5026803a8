package dev.muninn.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * A byte-level BPE vocabulary of made-up words, and texts of them: frequent words are one token,
 * the rest are several, as in a natural language.
 */
final class RandomVocabulary {
  private static final int WORDS = 4000;
  private static final int MERGED_WORDS = 2000;

  /** How a byte-level vocabulary spells the space before a word. */
  private static final char SPACE = '\u0120';

  private final Random random;
  private final List<String> words = new ArrayList<>();
  private final Set<String> tokens = new LinkedHashSet<>();
  private final List<String> merges = new ArrayList<>();

  RandomVocabulary(long seed) {
    random = new Random(seed);
    byteLetters().forEach(tokens::add);
    for (int i = 0; i < WORDS; i++) {
      words.add(word());
    }
    for (String word : words.subList(0, MERGED_WORDS)) {
      String merged = String.valueOf(SPACE);
      for (char letter : word.toCharArray()) {
        if (tokens.add(merged + letter)) {
          merges.add(merged + " " + letter);
        }
        merged += letter;
      }
    }
  }

  /** The letters that stand for the 256 bytes: printable ones for themselves. */
  private static List<String> byteLetters() {
    List<String> letters = new ArrayList<>();
    int others = 0;
    for (int value = 0; value < 256; value++) {
      boolean printable =
          (value >= '!' && value <= '~')
              || (value >= 0xA1 && value <= 0xAC)
              || (value >= 0xAE && value <= 0xFF);
      letters.add(String.valueOf((char) (printable ? value : 0x100 + others++)));
    }
    return letters;
  }

  private String word() {
    int length = 2 + random.nextInt(8);
    return IntStream.range(0, length)
        .mapToObj(i -> String.valueOf((char) ('a' + random.nextInt(26))))
        .collect(Collectors.joining());
  }

  int size() {
    return tokens.size();
  }

  /** Words, the first of the vocabulary most often. */
  String text(int count) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < count; i++) {
      double share = random.nextDouble();
      text.append(' ').append(words.get((int) (WORDS * share * share)));
    }
    return text.toString();
  }

  /** Writes {@code tokenizer.json}. */
  void write(Path directory) throws IOException {
    StringBuilder vocabulary = new StringBuilder();
    int id = 0;
    for (String token : tokens) {
      vocabulary.append(id == 0 ? "" : ", ").append(quoted(token)).append(": ").append(id++);
    }
    String json =
        """
        {"version": "1.0", "truncation": null, "padding": null, "added_tokens": [],
         "normalizer": null,
         "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true,
          "use_regex": true},
         "post_processor": null,
         "decoder": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true,
          "use_regex": true},
         "model": {"type": "BPE", "vocab": {%s}, "merges": [%s]}}
        """
            .formatted(
                vocabulary,
                merges.stream().map(RandomVocabulary::quoted).collect(Collectors.joining(", ")));
    Files.writeString(directory.resolve("tokenizer.json"), json);
  }

  private static String quoted(String text) {
    return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
  }
}
