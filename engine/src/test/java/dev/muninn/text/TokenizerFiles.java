package dev.muninn.text;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** Model directories with tokenizers, kept and built. */
final class TokenizerFiles {
  static final int HUGINN_VOCABULARY = 65_536;
  static final int RAVEN_TINY_VOCABULARY = 272;
  static final int MERGED_VOCABULARY = 320;

  private TokenizerFiles() {}

  /** One token per byte, ids like the bytes, special tokens from 256 on. */
  static Path ravenTiny() {
    return resource("raven-tiny");
  }

  /**
   * Tokens of several characters, and tokens that begin or end within a character; special tokens
   * from 284 on within the model's vocabulary; a post-processor that frames a text with begin-text
   * and end-text, as the published one does.
   */
  static Path merged() {
    return resource("merged");
  }

  static Tokenizer loadRavenTiny() {
    return Tokenizer.load(ravenTiny(), RAVEN_TINY_VOCABULARY);
  }

  static Tokenizer loadMerged() {
    return Tokenizer.load(merged(), MERGED_VOCABULARY);
  }

  /** A tokenizer of single bytes whose special tokens have the ids of Huginn-0125. */
  static Tokenizer loadSparse(Path directory) {
    Builder builder = new Builder();
    for (int i = 0; i < SpecialTokens.FAMILY.size(); i++) {
      builder.special(SpecialTokens.FAMILY.get(i), 65_504 + i);
    }
    builder.write(directory);
    return Tokenizer.load(directory, HUGINN_VOCABULARY);
  }

  static void write(Path file, String content) {
    try {
      Files.writeString(file, content);
    } catch (IOException problem) {
      throw new UncheckedIOException(problem);
    }
  }

  /** Text of characters of one to four bytes, white space and fragments of special names. */
  static String randomText(Random random, int length) {
    String[] fragments = {
      "<|end_turn|>", "<|begin_text|>", "<|", "|>", "end_turn", " the", "Huginn", "\n\n", "éà", "日本"
    };
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < length; i++) {
      switch (random.nextInt(8)) {
        case 0 -> text.append((char) random.nextInt(128));
        case 1 -> text.append(' ');
        case 2 -> text.append((char) (0x80 + random.nextInt(0x780)));
        case 3 -> text.append((char) (0x800 + random.nextInt(0xD000)));
        case 4 -> text.appendCodePoint(0x1F600 + random.nextInt(64));
        case 5 -> text.appendCodePoint(0x10000 + random.nextInt(0x100000));
        case 6 -> text.append("😀");
        default -> text.append(fragments[random.nextInt(fragments.length)]);
      }
    }
    return text.toString();
  }

  private static Path resource(String name) {
    try {
      return Path.of(TokenizerFiles.class.getResource(name + "/tokenizer.json").toURI())
          .getParent();
    } catch (URISyntaxException problem) {
      throw new IllegalStateException(problem);
    }
  }

  /** Writes a byte-level tokenizer.json: ids 0 to 255 are the bytes. */
  static final class Builder {
    static final String BYTE_LEVEL =
        "{\"type\": \"ByteLevel\", \"add_prefix_space\": true, \"trim_offsets\": true}";

    private final Map<String, Object> vocabulary = new LinkedHashMap<>();
    private final List<String> added = new ArrayList<>();
    private String merges = "";
    private String decoder = BYTE_LEVEL;
    private String template = "";
    private String normalizer = "null";
    private String preTokenizer =
        """
        {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false}\
        """;
    private String model = "";

    Builder() {
      int other = 256;
      for (int value = 0; value < 256; value++) {
        boolean printable =
            value > ' ' && value < 0x7F || value > 0xA0 && value < 0x100 && value != 0xAD;
        vocabulary.put(Character.toString(printable ? value : other++), value);
      }
    }

    /** A token of the model's vocabulary, by any id that can be written. */
    Builder token(String name, Object id) {
      vocabulary.put(name, id);
      return this;
    }

    Builder without(String name) {
      vocabulary.remove(name);
      return this;
    }

    Builder special(String name, Object id) {
      return added(name, id, true);
    }

    Builder added(String name, Object id, boolean special) {
      added.add(
          """
          {"id": %s, "content": %s, "special": %s, "normalized": true,
           "single_word": false, "lstrip": false, "rstrip": false}\
          """
              .formatted(id, quoted(name), special));
      return this;
    }

    Builder merges(String merges) {
      this.merges = merges;
      return this;
    }

    /** All texts and the names of added tokens are normalized before they are compared. */
    Builder normalizer(String type) {
      normalizer = "{\"type\": \"" + type + "\"}";
      return this;
    }

    /** A part of the file by its name there. */
    Builder part(String name, String json) {
      switch (name) {
        case "normalizer" -> normalizer = json;
        case "pre_tokenizer" -> preTokenizer = json;
        case "decoder" -> decoder = json;
        default -> template = '"' + name + "\": " + json + ", ";
      }
      return this;
    }

    /** A member of the model, such as {@code "merges": []}. */
    Builder member(String json) {
      model = json;
      return this;
    }

    /** An added token that takes the white space around it. */
    Builder stripping(String name, Object id) {
      added(name, id, false);
      added.add(
          added
              .removeLast()
              .replace(
                  "\"lstrip\": false, \"rstrip\": false", "\"lstrip\": true, \"rstrip\": true"));
      return this;
    }

    Builder decoder(String decoder) {
      this.decoder = decoder;
      return this;
    }

    /** The tokenizer itself puts this token before and that one after a text. */
    Builder template(String first, int firstId, String last, int lastId) {
      template =
          """
          "post_processor": {"type": "TemplateProcessing",
            "single": [{"SpecialToken": {"id": "%1$s", "type_id": 0}},
              {"Sequence": {"id": "A", "type_id": 0}},
              {"SpecialToken": {"id": "%3$s", "type_id": 0}}],
            "pair": [{"Sequence": {"id": "A", "type_id": 0}},
              {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {"%1$s": {"id": "%1$s", "ids": [%2$d], "tokens": ["%1$s"]},
              "%3$s": {"id": "%3$s", "ids": [%4$d], "tokens": ["%3$s"]}}},
          """
              .formatted(first, firstId, last, lastId);
      return this;
    }

    void write(Path directory) {
      List<String> tokens = new ArrayList<>();
      vocabulary.forEach((name, id) -> tokens.add(quoted(name) + ": " + id));
      TokenizerFiles.write(
          directory.resolve("tokenizer.json"),
          """
          {"version": "1.0",
           "added_tokens": [%s],
           "normalizer": %s,
           "pre_tokenizer": %s,
           %s
           "decoder": %s,
           "model": {%s"vocab": {%s}%s}}
          """
              .formatted(
                  String.join(", ", added),
                  normalizer,
                  preTokenizer,
                  template,
                  decoder,
                  model.startsWith("\"type") ? "" : "\"type\": \"BPE\", ",
                  String.join(", ", tokens),
                  (model.isEmpty() ? "" : ", " + model)
                      + (model.startsWith("\"merges") ? "" : ", \"merges\": [" + merges + "]")));
    }

    private static String quoted(String name) {
      return '"' + name.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n") + '"';
    }
  }
}
