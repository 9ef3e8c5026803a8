package dev.muninn.text;

import static dev.muninn.weights.CheckpointException.quote;

import dev.muninn.weights.CheckpointException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/**
 * The tokens of a tokenizer.json: their ids, the bytes each one stands for, and which are special.
 *
 * <p>Only byte-level BPE is read, as the whole family uses it. There the bytes of a token do not
 * depend on its neighbours, which is what makes the exact decoding of a stream possible.
 */
final class Vocabulary {
  private static final byte[] NO_BYTES = {};

  private final Path file;
  private final Map<String, Integer> ids = new HashMap<>();
  private final String[] names;
  private final byte[][] bytes;
  private final boolean[] special;
  private final List<String> specialNames = new ArrayList<>();
  private final List<String> namesBesideModel = new ArrayList<>();
  private int size;

  /**
   * Reads the tokens.
   *
   * @param file the tokenizer.json, for messages
   * @param json its content
   * @param limit the model's vocabulary size, which no id reaches
   * @throws CheckpointException if they are not the tokens of byte-level BPE, contradict each other
   *     or do not fit the model
   */
  Vocabulary(Path file, Map<String, Object> json, int limit) {
    this.file = file;
    this.names = new String[limit];
    this.bytes = new byte[limit][];
    this.special = new boolean[limit];
    if (!(json.get("model") instanceof Map<?, ?> model)
        || !(model.get("vocab") instanceof Map<?, ?> tokens)
        || !(model.get("merges") instanceof List<?>)) {
      throw refusal("no model with vocab and merges, expected a byte-level BPE");
    }
    if (!isByteLevel(json.get("decoder"))) {
      throw refusal("no decoder of type \"ByteLevel\", expected a byte-level BPE");
    }
    tokens.forEach((name, id) -> add((String) name, id));
    if (json.get("added_tokens") instanceof List<?> added) {
      added.forEach(this::addBesideModel);
    }
    SpecialTokens.FAMILY.forEach(this::markSpecial);
    findBytes();
  }

  /** One more than the highest id. */
  int size() {
    return size;
  }

  OptionalInt id(String name) {
    Integer id = ids.get(name);
    return id == null ? OptionalInt.empty() : OptionalInt.of(id);
  }

  boolean isSpecial(int id) {
    return id < special.length && special[id];
  }

  /** The names of the special tokens. */
  List<String> specialNames() {
    return specialNames;
  }

  /** The names of the tokens that the file adds to those of its model. */
  List<String> namesBesideModel() {
    return namesBesideModel;
  }

  /** The name of the model's own token with this id, or null if there is none. */
  String nameInModel(int id) {
    String name = id < size ? names[id] : null;
    return namesBesideModel.contains(name) ? null : name;
  }

  /**
   * The bytes that a token stands for: none for a special token or a row of the model without a
   * token. Not to be changed.
   *
   * @throws IllegalArgumentException if the id is outside of the model's vocabulary
   */
  byte[] bytes(int id) {
    if (id < 0 || id >= bytes.length) {
      throw new IllegalArgumentException(
          "token " + id + " is outside of the vocabulary of " + bytes.length);
    }
    return bytes[id];
  }

  CheckpointException refusal(String problem) {
    return new CheckpointException(file + ": " + problem);
  }

  private static boolean isByteLevel(Object decoder) {
    return decoder instanceof Map<?, ?> map
        && ("ByteLevel".equals(map.get("type"))
            || map.get("decoders") instanceof List<?> decoders
                && decoders.size() == 1
                && isByteLevel(decoders.getFirst()));
  }

  private void add(String name, Object number) {
    if (!(number instanceof Long id) || id < 0) {
      throw refusal("token " + quote(name) + " has the id " + number + ", expected an integer");
    }
    if (id >= names.length) {
      throw refusal(
          "token "
              + quote(name)
              + " has the id "
              + id
              + ", but the model's vocabulary ends at "
              + (names.length - 1));
    }
    int index = id.intValue();
    if (names[index] != null) {
      throw refusal(
          "tokens " + quote(names[index]) + " and " + quote(name) + " have the same id " + id);
    }
    names[index] = name;
    ids.put(name, index);
    size = Math.max(size, index + 1);
  }

  private void addBesideModel(Object added) {
    if (!(added instanceof Map<?, ?> token)
        || !(token.get("content") instanceof String name)
        || name.isEmpty()) {
      throw refusal("an entry of added_tokens has no content, expected a token's name and id");
    }
    Integer known = ids.get(name);
    if (known == null) {
      add(name, token.get("id"));
      namesBesideModel.add(name);
    } else if (!Long.valueOf(known).equals(token.get("id"))) {
      throw refusal("token " + quote(name) + " has the ids " + known + " and " + token.get("id"));
    }
    if (Boolean.TRUE.equals(token.get("special"))) {
      markSpecial(name);
    }
  }

  private void markSpecial(String name) {
    Integer id = ids.get(name);
    if (id != null && !special[id]) {
      special[id] = true;
      specialNames.add(name);
    }
  }

  private void findBytes() {
    int[] byteOfCharacter = byteOfCharacter();
    for (int id = 0; id < bytes.length; id++) {
      bytes[id] = names[id] == null || special[id] ? NO_BYTES : bytesOf(names[id], byteOfCharacter);
    }
  }

  /** The bytes behind a name; a name with a character that stands for no byte means itself. */
  private static byte[] bytesOf(String name, int[] byteOfCharacter) {
    byte[] bytes = new byte[name.length()];
    for (int i = 0; i < bytes.length; i++) {
      char character = name.charAt(i);
      if (character >= byteOfCharacter.length || byteOfCharacter[character] < 0) {
        return name.getBytes(StandardCharsets.UTF_8);
      }
      bytes[i] = (byte) byteOfCharacter[character];
    }
    return bytes;
  }

  /**
   * The byte that each character of a name stands for, -1 for none: the printable ones of Latin-1
   * for themselves, the characters from 256 on for all other bytes, in order.
   */
  private static int[] byteOfCharacter() {
    int[] table = new int[512];
    Arrays.fill(table, -1);
    int other = 256;
    for (int value = 0; value < 256; value++) {
      boolean printable =
          value >= '!' && value <= '~' || value >= 0xA1 && value <= 0xFF && value != 0xAD;
      table[printable ? value : other++] = value;
    }
    return table;
  }
}
