package dev.muninn.text;

import static dev.muninn.weights.CheckpointException.quote;

import dev.muninn.weights.CheckpointException;
import dev.muninn.weights.JsonFile;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/**
 * A tokenizer.json that was checked part by part. A part that is not known to be safe is refused by
 * its name: in the tokenizer library a bad one ends the process, or takes all memory.
 *
 * <p>The library never sees the file. It gets a text that says the same in the few forms that are
 * known here, and nothing else.
 */
final class TokenizerFile {
  static final String NAME = "tokenizer.json";

  private static final JsonFactory FACTORY = new JsonFactory();

  /** The library compares each with all before it. */
  private static final int MAX_ADDED_TOKENS = 16_384;

  private static final long MAX_ADDED_BYTES = 4 << 20;
  private static final int MAX_NAME = 4_096;

  /**
   * What the library is to say where the file has no token for a part of a text. Without an unknown
   * token it would leave that part out.
   */
  static final int MISSING = 1 << 30;

  private static final String MISSING_NAME = "\uFDD0missing";

  private final TokenizerPart root;
  private final TokenizerPart model;
  private final Normalizers normalizers;
  private final PreTokenizers preTokenizers;
  private final Decoding decoding;
  private final List<AddedToken> added = new ArrayList<>();
  private final PostProcessor postProcessor;

  private TokenizerFile(Path file, Map<String, Object> json) {
    root = TokenizerPart.root(file, json);
    model = model();
    decoding = new Decoding(root);
    normalizers = new Normalizers(root.child("normalizer"));
    preTokenizers = new PreTokenizers(root.child("pre_tokenizer"));
    if (preTokenizers.areBytes() != decoding.isByteLevel()) {
      throw root.refusal(
          "pre_tokenizer and decoder do not agree about ByteLevel, expected both or none");
    }
    readAdded();
    checkModel();
    postProcessor = new PostProcessor(root);
  }

  /**
   * Reads and checks the tokenizer.json of a directory.
   *
   * @throws CheckpointException in one line that names the file, the part and what was expected
   */
  static TokenizerFile read(Path directory) {
    Path file = directory.resolve(NAME);
    if (!Files.exists(file) && Files.exists(directory.resolve("tokenizer.model"))) {
      throw new CheckpointException(
          directory.resolve("tokenizer.model")
              + ": found SentencePiece's own format, expected a tokenizer.json; Python's"
              + " transformers makes one: AutoTokenizer.from_pretrained(DIR).save_pretrained(DIR)");
    }
    return new TokenizerFile(file, JsonFile.readObject(file));
  }

  private TokenizerPart model() {
    TokenizerPart part = root.child("model");
    if (part != null && part.has("type") && !part.type().equals("BPE")) {
      throw part.refusal("the type " + quote(part.type()) + " is not supported, expected BPE");
    }
    if (part == null
        || !(part.value("vocab") instanceof Map<?, ?>)
        || !(part.value("merges") instanceof List<?>)) {
      throw root.refusal("no model with vocab and merges, expected a BPE");
    }
    return part;
  }

  private void checkModel() {
    model.require("dropout", 0L, 0.0);
    model.require("continuing_subword_prefix", "");
    model.require("end_of_word_suffix", "");
    for (Map.Entry<?, ?> entry : vocabulary().entrySet()) {
      String name = (String) entry.getKey();
      if (name.length() > MAX_NAME) {
        throw model.refusal("token " + quote(name) + " is longer than " + MAX_NAME);
      }
    }
    if (model.has("unk_token") && !vocabulary().containsKey(model.text("unk_token"))) {
      throw model.refusal(
          "unk_token is " + quote(model.text("unk_token")) + ", expected a token of vocab");
    }
    int number = 0;
    for (Object merge : model.list("merges")) {
      checkMerge(merge, number++);
    }
  }

  private void checkMerge(Object merge, int number) {
    String first = null;
    String second = null;
    if (merge instanceof String text) {
      int space = text.indexOf(' ');
      if (space >= 0 && space == text.lastIndexOf(' ')) {
        first = text.substring(0, space);
        second = text.substring(space + 1);
      }
    } else if (merge instanceof List<?> pair
        && pair.size() == 2
        && pair.get(0) instanceof String left
        && pair.get(1) instanceof String right) {
      first = left;
      second = right;
    }
    Map<?, ?> vocabulary = vocabulary();
    if (first == null || first.isEmpty() || second.isEmpty()) {
      throw model.refusal("merges[" + number + "] is not a pair of tokens");
    }
    for (String token : new String[] {first, second, first.concat(second)}) {
      if (!vocabulary.containsKey(token)) {
        throw model.refusal(
            "merges[" + number + "] needs the token " + quote(token) + ", which vocab lacks");
      }
    }
  }

  private void readAdded() {
    Object list = root.value("added_tokens");
    if (list == null) {
      return;
    }
    if (root.list("added_tokens").size() > MAX_ADDED_TOKENS) {
      throw root.refusal("more than " + MAX_ADDED_TOKENS + " added_tokens");
    }
    long bytes = 0;
    for (TokenizerPart part : root.children("added_tokens")) {
      AddedToken token = AddedToken.read(part);
      bytes += Utf8.length(token.normalized() ? normalizers.apply(token.name()) : token.name());
      if (bytes > MAX_ADDED_BYTES) {
        throw root.refusal(
            "the names of added_tokens have more than " + MAX_ADDED_BYTES + " bytes");
      }
      boolean strips = token.leftStrip() || token.rightStrip();
      if ((strips || token.normalized() && normalizers.remove()) && !isWord(token)) {
        throw part.refusal(
            "the name "
                + quote(token.name())
                + " is white space or a mark, which lstrip, rstrip or the normalizers take away");
      }
      if (token.normalized() && normalizers.apply(token.name()).isEmpty()) {
        throw part.refusal("nothing is left of the name " + quote(token.name()) + " normalized");
      }
      added.add(token);
    }
  }

  /**
   * Whether something is left of a name when white space and marks are taken away. The library ends
   * the process over a name of nothing, and goes over white space beside white space again for each
   * character.
   */
  private boolean isWord(AddedToken token) {
    String name = token.normalized() ? normalizers.apply(token.name()) : token.name();
    return name.codePoints().anyMatch(TokenizerFile::isVisible);
  }

  private static boolean isVisible(int codePoint) {
    return switch (Character.getType(codePoint)) {
      case Character.NON_SPACING_MARK,
          Character.ENCLOSING_MARK,
          Character.COMBINING_SPACING_MARK,
          Character.CONTROL,
          Character.FORMAT,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR,
          Character.SPACE_SEPARATOR,
          Character.UNASSIGNED ->
          false;
      default -> true;
    };
  }

  TokenizerPart root() {
    return root;
  }

  /** The ids by the names of the model's own tokens, as the file has them. */
  Map<?, ?> vocabulary() {
    return model.map("vocab");
  }

  List<AddedToken> added() {
    return added;
  }

  Decoding decoding() {
    return decoding;
  }

  Normalizers normalizers() {
    return normalizers;
  }

  PostProcessor postProcessor() {
    return postProcessor;
  }

  /** Whether a byte-level file puts a space before a text; empty for other files. */
  Optional<Boolean> addsPrefixSpace() {
    return preTokenizers.addsPrefixSpace();
  }

  /** The name of the token for what has no other, or null. */
  String unknownToken() {
    return model.has("unk_token") ? model.text("unk_token") : null;
  }

  /** What to say of a text for a part of which there is no token. */
  IllegalArgumentException missing(String text) {
    Map<?, ?> vocabulary = vocabulary();
    String found = "a character";
    for (int character : normalizers.apply(text).codePoints().toArray()) {
      String name = Character.toString(character);
      if (decoding.isByteLevel()
          ? !Decoding.ByteLevel.letters(name).allMatch(vocabulary::containsKey)
          : !vocabulary.containsKey(name)) {
        found = quote(name) + " (U+%04X)".formatted(character);
        break;
      }
    }
    return new IllegalArgumentException(
        root.refusal("model: vocab has no token for " + found + ", which the text has")
            .getMessage());
  }

  /** Whether each byte of a normalized text is in a token. */
  boolean keepsAll(Map<String, Integer> ids) {
    if (normalizers.remove()
        || preTokenizers.remove()
        || added.stream().anyMatch(token -> token.leftStrip() || token.rightStrip())) {
      return false;
    }
    return decoding.isByteLevel()
        ? Decoding.ByteLevel.isComplete(ids)
        : model.flag("byte_fallback", false)
            && ids.keySet().stream().filter(name -> Decoding.byteOf(name) >= 0).count() >= 256;
  }

  /**
   * The text from which the library makes the tokenizer. All tokens have the ids of the file; the
   * library would number those that vocab lacks itself.
   *
   * @param hidden names that no text is to become: they are left out
   */
  String forLibrary(Set<String> hidden) {
    StringWriter text = new StringWriter();
    try (JsonGenerator json = FACTORY.createGenerator(ObjectWriteContext.empty(), text)) {
      json.writeStartObject();
      json.writeStringProperty("version", "1.0");
      json.writeName("added_tokens");
      json.writeStartArray();
      for (AddedToken token : added) {
        if (!hidden.contains(token.name())) {
          write(json, token.json());
        }
      }
      json.writeEndArray();
      json.writeName("normalizer");
      write(json, normalizers.json());
      json.writeName("pre_tokenizer");
      write(json, preTokenizers.json());
      json.writeName("model");
      writeModel(json, hidden);
      json.writeEndObject();
    }
    return text.toString();
  }

  private void writeModel(JsonGenerator json, Set<String> hidden) {
    json.writeStartObject();
    json.writeStringProperty("type", "BPE");
    String unknown = unknownToken();
    json.writeStringProperty("unk_token", unknown == null ? MISSING_NAME : unknown);
    for (String flag : List.of("fuse_unk", "byte_fallback", "ignore_merges")) {
      json.writeBooleanProperty(flag, model.flag(flag, false));
    }
    json.writeName("vocab");
    json.writeStartObject();
    Map<?, ?> vocabulary = vocabulary();
    for (Map.Entry<?, ?> entry : vocabulary.entrySet()) {
      String name = (String) entry.getKey();
      if (!hidden.contains(name) || isPart(name)) {
        json.writeNumberProperty(name, ((Long) entry.getValue()).longValue());
      }
    }
    for (AddedToken token : added) {
      if (!hidden.contains(token.name()) && !vocabulary.containsKey(token.name())) {
        json.writeNumberProperty(token.name(), token.id());
      }
    }
    if (unknown == null) {
      json.writeNumberProperty(MISSING_NAME, MISSING);
    }
    json.writeEndObject();
    json.writeName("merges");
    write(json, model.list("merges"));
    json.writeEndObject();
  }

  /** Whether the model cannot do without a token: it is of one character, or the unknown one. */
  private boolean isPart(String name) {
    return name.codePointCount(0, name.length()) == 1 || name.equals(unknownToken());
  }

  private static void write(JsonGenerator json, Object value) {
    switch (value) {
      case null -> json.writeNull();
      case String text -> json.writeString(text);
      case Boolean flag -> json.writeBoolean(flag);
      case Integer number -> json.writeNumber(number);
      case Long number -> json.writeNumber(number);
      case List<?> list -> {
        json.writeStartArray();
        list.forEach(element -> write(json, element));
        json.writeEndArray();
      }
      case Map<?, ?> map -> {
        json.writeStartObject();
        map.forEach((name, member) -> {
          json.writeName((String) name);
          write(json, member);
        });
        json.writeEndObject();
      }
      default -> throw new AssertionError(value);
    }
  }
}
