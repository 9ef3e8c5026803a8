package dev.muninn.text;

import java.util.HashMap;
import java.util.Map;

/**
 * A token that is looked for in a text before the model merges the rest.
 *
 * @param id the file's id, which {@link Vocabulary} checks; -1 if it is not an integer
 * @param special whether the token is a sign to the model and no text
 * @param singleWord whether it counts only where no letter stands beside it
 * @param leftStrip whether it takes the white space before it
 * @param rightStrip whether it takes the white space behind it
 * @param normalized whether it is compared with the normalized text
 */
record AddedToken(
    String name,
    int id,
    boolean special,
    boolean singleWord,
    boolean leftStrip,
    boolean rightStrip,
    boolean normalized) {
  private static final int MAX_NAME = 4_096;

  static AddedToken read(TokenizerPart part) {
    if (!(part.value("content") instanceof String name)
        || name.isEmpty()
        || name.length() > MAX_NAME) {
      throw part.refusal("an entry of added_tokens has no content, expected a token's name and id");
    }
    boolean special = part.flag("special", false);
    return new AddedToken(
        name,
        part.value("id") instanceof Long id && id >= 0 && id <= Integer.MAX_VALUE
            ? id.intValue()
            : -1,
        special,
        part.flag("single_word", false),
        part.flag("lstrip", false),
        part.flag("rstrip", false),
        part.flag("normalized", !special));
  }

  /** Its form in a tokenizer.json. */
  Map<String, Object> json() {
    Map<String, Object> json = new HashMap<>();
    json.put("id", id);
    json.put("content", name);
    json.put("special", special);
    json.put("single_word", singleWord);
    json.put("lstrip", leftStrip);
    json.put("rstrip", rightStrip);
    json.put("normalized", normalized);
    return json;
  }
}
