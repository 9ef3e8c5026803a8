package dev.muninn.train.data;

import dev.muninn.text.SpecialTokens;
import dev.muninn.text.Tokenizer;
import java.util.Arrays;

/**
 * The tokens that problems are spelled with: one for each character.
 *
 * @param ids by character, from 0 to 127; -1 where there is none
 * @param begin begins a sequence
 * @param end ends an answer
 * @param pad fills the rest of a sequence
 */
record Symbols(int[] ids, int begin, int end, int pad) {
  private static final String CHARACTERS = "0123456789+=;";

  static Symbols of(Tokenizer tokenizer) {
    int[] ids = new int[128];
    Arrays.fill(ids, -1);
    for (char character : CHARACTERS.toCharArray()) {
      int[] tokens = tokenizer.encodePlain(String.valueOf(character));
      if (tokens.length != 1) {
        throw new IllegalArgumentException(
            "tasks need a tokenizer that has one token for '" + character + "'");
      }
      ids[character] = tokens[0];
    }
    return new Symbols(
        ids,
        special(tokenizer, SpecialTokens.BEGIN_TEXT),
        special(tokenizer, SpecialTokens.END_TEXT),
        special(tokenizer, SpecialTokens.PAD));
  }

  /** The id of a special token that training cannot do without. */
  static int special(Tokenizer tokenizer, String name) {
    return tokenizer
        .id(name)
        .orElseThrow(() -> new IllegalArgumentException("the tokenizer has no " + name));
  }

  int id(char character) {
    return ids[character];
  }
}
