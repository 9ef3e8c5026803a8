package dev.muninn.text;

import dev.muninn.weights.CheckpointException;
import dev.muninn.weights.JsonFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

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
    throw new CheckpointException(
        file + ": " + key + " is " + value + ", expected a token's name or an object with content");
  }

  boolean addsBeginToken() {
    return Boolean.TRUE.equals(members.get("add_bos_token"));
  }

  /** The id of {@code bos_token}, which must be there. */
  int beginToken(Tokenizer tokenizer) {
    return id("bos_token", tokenizer).orElseThrow(() -> noToken("bos_token", "not set"));
  }

  /**
   * The id of a special token.
   *
   * @param key such as {@code eos_token}
   * @throws CheckpointException if it names no token
   */
  OptionalInt id(String key, Tokenizer tokenizer) {
    Optional<String> name = token(key);
    if (name.isEmpty()) {
      return OptionalInt.empty();
    }
    OptionalInt id = tokenizer.id(name.get());
    if (id.isEmpty()) {
      throw noToken(key, CheckpointException.quote(name.get()));
    }
    return id;
  }

  private CheckpointException noToken(String key, String found) {
    return new CheckpointException(
        file + ": " + key + " is " + found + ", expected a token of " + TokenizerFile.NAME);
  }
}
