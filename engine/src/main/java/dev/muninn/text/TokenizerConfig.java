package dev.muninn.text;

import static dev.muninn.weights.CheckpointException.quote;

import dev.muninn.weights.CheckpointException;
import dev.muninn.weights.JsonFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Function;

/** The tokenizer_config.json of a model directory; a missing file says nothing. */
final class TokenizerConfig {
  private final Path file;
  private final Map<String, Object> members;

  private TokenizerConfig(Path file, Map<String, Object> members) {
    this.file = file;
    this.members = members;
  }

  static TokenizerConfig read(Path directory) {
    Path file = directory.resolve("tokenizer_config.json");
    return new TokenizerConfig(file, Files.exists(file) ? JsonFile.readObject(file) : Map.of());
  }

  Path file() {
    return file;
  }

  Object value(String key) {
    return members.get(key);
  }

  /** True or false, or empty where nothing or null is said. */
  Optional<Boolean> flag(String key) {
    Object value = members.get(key);
    if (value == null || value instanceof Boolean) {
      return Optional.ofNullable((Boolean) value);
    }
    throw refusal(key + " is " + JsonFile.shown(value) + ", expected true or false");
  }

  /** A text, or empty where there is none. */
  Optional<String> text(String key) {
    return members.get(key) instanceof String text ? Optional.of(text) : Optional.empty();
  }

  /**
   * The name of a special token, which the file has as a text or as an object with {@code content}.
   *
   * @param key such as {@code eos_token}
   */
  Optional<String> token(String key) {
    Object value = members.get(key);
    Object name = value instanceof Map<?, ?> map ? map.get("content") : value;
    if (name == null && !(value instanceof Map<?, ?>)) {
      return Optional.empty();
    }
    if (name instanceof String text) {
      return Optional.of(text);
    }
    throw refusal(
        key
            + " is "
            + JsonFile.shown(value)
            + ", expected a token's name or an object with content");
  }

  /**
   * The id of a special token.
   *
   * @param key such as {@code eos_token}
   * @param ids the ids by name
   * @throws CheckpointException if it names no token
   */
  OptionalInt id(String key, Function<String, OptionalInt> ids) {
    Optional<String> name = token(key);
    if (name.isEmpty()) {
      return OptionalInt.empty();
    }
    OptionalInt id = ids.apply(name.get());
    if (id.isEmpty()) {
      throw noToken(key, quote(name.get()));
    }
    return id;
  }

  /** The id of a special token that must be there. */
  int requireId(String key, Function<String, OptionalInt> ids) {
    return id(key, ids).orElseThrow(() -> noToken(key, "not set"));
  }

  /**
   * Refuses what would make other tokens of a text than tokenizer.json says, or not, as Python's
   * libraries differ.
   */
  void requireAgreement(TokenizerFile tokenizer) {
    if (flag("split_special_tokens").orElse(false)) {
      throw refusal("split_special_tokens true is not supported, expected false");
    }
    Optional<Boolean> here = flag("add_prefix_space");
    Optional<Boolean> there = tokenizer.addsPrefixSpace();
    if (here.isPresent() && there.isPresent() && !here.equals(there)) {
      throw refusal(
          "add_prefix_space is "
              + here.get()
              + ", but "
              + there.get()
              + " in pre_tokenizer of "
              + TokenizerFile.NAME
              + "; expected the two to agree");
    }
  }

  CheckpointException refusal(String problem) {
    return new CheckpointException(file + ": " + problem);
  }

  private CheckpointException noToken(String key, String found) {
    return refusal(key + " is " + found + ", expected a token of " + TokenizerFile.NAME);
  }
}
