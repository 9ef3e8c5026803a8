package dev.muninn.text;

import static dev.muninn.weights.CheckpointException.quote;

import dev.muninn.weights.CheckpointException;
import dev.muninn.weights.JsonFile;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * The tokens of a tokenizer.json: their ids, the bytes each one stands for, and which are special.
 */
final class Vocabulary {
  private static final byte[] NO_BYTES = {};

  private final TokenizerPart file;
  private final Decoding decoding;
  private final Map<String, Integer> ids = new HashMap<>();
  private final String[] names;
  private final byte[][] bytes;
  private final boolean[] special;
  private final List<String> specialNames = new ArrayList<>();
  private final Map<Character, List<String>> specialsByFirst = new HashMap<>();
  private final int longest;
  private int size;

  /**
   * Reads the tokens.
   *
   * @param limit the model's vocabulary size, which no id reaches
   * @throws CheckpointException if tokens contradict each other or do not fit the model
   */
  Vocabulary(TokenizerFile tokenizer, int limit) {
    this.file = tokenizer.root();
    this.decoding = tokenizer.decoding();
    this.names = new String[limit];
    this.bytes = new byte[limit][];
    this.special = new boolean[limit];
    tokenizer.vocabulary().forEach((name, id) -> add((String) name, id));
    List<TokenizerPart> parts = file.children("added_tokens");
    for (int i = 0; i < parts.size(); i++) {
      addBesideModel(tokenizer.added().get(i), parts.get(i).value("id"));
    }
    SpecialTokens.FAMILY.forEach(this::markSpecial);
    int longest = 1;
    for (int id = 0; id < limit; id++) {
      bytes[id] = names[id] == null || special[id] ? NO_BYTES : decoding.bytes(names[id]);
      if (names[id] != null) {
        boolean isBytes = decoding.isByteLevel() && !special[id];
        longest = Math.max(longest, isBytes ? bytes[id].length : (int) Utf8.length(names[id]));
      }
    }
    this.longest = longest;
  }

  /** One more than the highest id. */
  int size() {
    return size;
  }

  /** No token stands for more bytes of a text. */
  int longest() {
    return longest;
  }

  Decoding decoding() {
    return decoding;
  }

  Map<String, Integer> ids() {
    return ids;
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

  /** The longest name of a special token that a text spells at an index, or null. */
  String specialAt(String text, int index) {
    List<String> candidates = specialsByFirst.get(text.charAt(index));
    String longest = null;
    if (candidates != null) {
      for (String name : candidates) {
        if (text.startsWith(name, index) && (longest == null || name.length() > longest.length())) {
          longest = name;
        }
      }
    }
    return longest;
  }

  /**
   * Whether a token is part of a text: neither special nor a row of the model without a token.
   *
   * @throws IllegalArgumentException if the id is outside of the model's vocabulary
   */
  boolean isText(int id) {
    if (id < 0 || id >= bytes.length) {
      throw new IllegalArgumentException(
          "token " + id + " is outside of the vocabulary of " + bytes.length);
    }
    return names[id] != null && !special[id];
  }

  /** How tokenizer.json spells a token, if it has it. */
  Optional<String> name(int id) {
    return isText(id) || isSpecial(id) ? Optional.of(names[id]) : Optional.empty();
  }

  /** The bytes that a token stands for, none if it is no text. Not to be changed. */
  byte[] bytes(int id) {
    return bytes[id];
  }

  /** The bytes that a token stands for where it is the first of a text. */
  byte[] bytesAsFirst(int id) {
    return decoding.dropsFromFirst() ? decoding.bytesAsFirst(names[id]) : bytes[id];
  }

  /** The byte that a token stands for which a model falls back to, or -1. */
  int fallbackByte(int id) {
    return decoding.fallbackByte(names[id]);
  }

  CheckpointException refusal(String problem) {
    return file.refusal(problem);
  }

  private void add(String name, Object number) {
    if (!(number instanceof Long id) || id < 0) {
      throw refusal(
          "token "
              + quote(name)
              + " has the id "
              + JsonFile.shown(number)
              + ", expected an integer of at least 0");
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

  private void addBesideModel(AddedToken token, Object id) {
    String name = token.name();
    Integer known = ids.get(name);
    if (known == null) {
      add(name, id);
    } else if (!Long.valueOf(known).equals(id)) {
      throw refusal("token " + quote(name) + " has the ids " + known + " and " + id);
    }
    if (token.special()) {
      markSpecial(name);
    }
  }

  private void markSpecial(String name) {
    Integer id = ids.get(name);
    if (id != null && !special[id]) {
      special[id] = true;
      specialNames.add(name);
      specialsByFirst.computeIfAbsent(name.charAt(0), first -> new ArrayList<>()).add(name);
    }
  }
}
