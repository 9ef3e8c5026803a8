package dev.muninn.text;

import static dev.muninn.weights.CheckpointException.quote;

import dev.muninn.weights.CheckpointException;
import dev.muninn.weights.JsonFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/**
 * A model's tokenizer: turns text into token ids and back.
 *
 * <p>Reads the byte-level BPE of a {@code tokenizer.json}, as the whole family uses it. Special
 * tokens are those that the file marks as special, and {@link SpecialTokens the family's}; they
 * decode to nothing.
 *
 * <p>Thread-safe. Encoding lets one thread in at a time; decoding needs no lock, and goes on to
 * work when the tokenizer is closed.
 */
public final class Tokenizer implements AutoCloseable {
  private static final String FILE = "tokenizer.json";
  private static final int NONE = -1;

  private final Vocabulary vocabulary;
  private final NativeTokenizer library;

  /** By the library's id of a token, the file's; ids behind the end are the same. */
  private final int[] fileIds;

  private final int beginToken;

  private Tokenizer(Path directory, Vocabulary vocabulary, NativeTokenizer library) {
    this.vocabulary = vocabulary;
    this.library = library;
    this.fileIds = fileIds(vocabulary, library);
    this.beginToken = beginToken(directory);
  }

  /**
   * Loads the tokenizer of a model.
   *
   * <p>Sets the system property {@code ai.djl.offline} unless it is set: the tokenizer library
   * would else open network connections.
   *
   * @param modelDirectory directory with a {@code tokenizer.json}
   * @param vocabularySize rows of the model's embedding, which every token id must fit
   * @throws CheckpointException in one line that names the file, if it is missing, broken, no
   *     byte-level BPE, or does not fit the vocabulary
   * @throws dev.muninn.backend.InferenceException if the tokenizer library does not load on this
   *     machine
   */
  public static Tokenizer load(Path modelDirectory, int vocabularySize) {
    if (vocabularySize < 1) {
      throw new IllegalArgumentException(
          "vocabulary size must be at least 1, not " + vocabularySize);
    }
    Path file = modelDirectory.resolve(FILE);
    Vocabulary vocabulary = new Vocabulary(file, JsonFile.readObject(file), vocabularySize);
    NativeTokenizer library = NativeTokenizer.load(file);
    try {
      return new Tokenizer(modelDirectory, vocabulary, library);
    } catch (RuntimeException problem) {
      library.close();
      throw problem;
    }
  }

  /** Begins on a thread of its own what a later {@link #load} will need: loading the library. */
  public static void prepare() {
    NativeTokenizer.loadLibraryBeside();
  }

  /** Whether a model directory has a tokenizer. */
  public static boolean exists(Path modelDirectory) {
    return Files.exists(modelDirectory.resolve(FILE));
  }

  /**
   * The tokens of a text as the model is to read it: with exactly one begin-of-text token at the
   * front, also if the text spells that token itself. Special tokens that the text spells become
   * those tokens. An end-of-text token that the tokenizer would add is left out, as the model is to
   * go on.
   *
   * <p>The begin-of-text token is the family's; without that one, the {@code bos_token} of {@code
   * tokenizer_config.json} if {@code add_bos_token} is true there, else the special token that the
   * tokenizer itself puts first, else none. Half a surrogate pair counts as U+FFFD.
   *
   * @throws IllegalStateException if the tokenizer is closed
   */
  public int[] encode(String text) {
    int[] tokens = encodeWithSpecials(wellFormed(text));
    if (beginToken == NONE) {
      return tokens;
    }
    int spelled = 0;
    while (spelled < tokens.length && tokens[spelled] == beginToken) {
      spelled++;
    }
    int[] result = new int[1 + tokens.length - spelled];
    result[0] = beginToken;
    System.arraycopy(tokens, spelled, result, 1, result.length - 1);
    return result;
  }

  /**
   * The tokens of a text that may come from anybody: nothing is added, and no special token comes
   * out, whatever the text spells. {@code <|end_turn|>} in it becomes the tokens of ordinary text,
   * which decode to these twelve characters. Half a surrogate pair counts as U+FFFD.
   *
   * @throws IllegalStateException if the tokenizer is closed
   */
  public int[] encodePlain(String text) {
    String content = wellFormed(text);
    int[] tokens = encodeWithSpecials(content);
    return hasSpecial(tokens) ? encodeCut(content) : tokens;
  }

  /**
   * The text of tokens, without the special ones. Bytes that are not UTF-8 become U+FFFD, one for
   * each longest piece that could begin a character.
   *
   * @throws IllegalArgumentException if a token is outside of the model's vocabulary
   */
  public String decode(int[] tokens) {
    TextStream stream = stream();
    StringBuilder text = new StringBuilder();
    for (int token : tokens) {
      text.append(stream.push(token));
    }
    return text.append(stream.flush()).toString();
  }

  /** The id of a token by its name as tokenizer.json spells it, such as {@code <|end_turn|>}. */
  public OptionalInt id(String token) {
    return vocabulary.id(token);
  }

  /** One more than the highest token id; at most the model's vocabulary size. */
  public int size() {
    return vocabulary.size();
  }

  /** A new decoder of one stream of tokens. */
  public TextStream stream() {
    return new TextStream(vocabulary);
  }

  /** Frees the native memory. Closing twice does no harm. */
  @Override
  public void close() {
    library.close();
  }

  /**
   * The library ignores the ids of added tokens that the model's vocabulary does not hold, and
   * numbers them from the vocabulary's size on. Where the file leaves a gap before them, that is
   * not what the model was trained with.
   */
  private static int[] fileIds(Vocabulary vocabulary, NativeTokenizer library) {
    int[] ids = {};
    for (String name : vocabulary.namesBesideModel()) {
      int[] found = library.encode(name, false);
      if (found.length != 1) {
        throw vocabulary.refusal("the tokenizer library does not know the token " + quote(name));
      }
      int id = vocabulary.id(name).orElseThrow();
      if (found[0] == id) {
        continue;
      }
      String taken = vocabulary.nameInModel(found[0]);
      if (taken != null) {
        throw vocabulary.refusal(
            "the tokenizer library takes the token " + quote(name) + " for " + quote(taken));
      }
      int identityFrom = ids.length;
      ids = Arrays.copyOf(ids, Math.max(ids.length, found[0] + 1));
      for (int i = identityFrom; i < ids.length; i++) {
        ids[i] = i;
      }
      ids[found[0]] = id;
    }
    return ids;
  }

  private int beginToken(Path directory) {
    OptionalInt family = id(SpecialTokens.BEGIN_TEXT);
    if (family.isPresent()) {
      return family.getAsInt();
    }
    Path file = directory.resolve("tokenizer_config.json");
    if (Files.exists(file)) {
      Map<String, Object> config = JsonFile.readObject(file);
      if (Boolean.TRUE.equals(config.get("add_bos_token"))) {
        Object token = config.get("bos_token");
        Object name = token instanceof Map<?, ?> map ? map.get("content") : token;
        return id(String.valueOf(name))
            .orElseThrow(() ->
                new CheckpointException(
                    file
                        + ": bos_token is "
                        + (name == null ? "not set" : quote(name.toString()))
                        + ", expected a token of "
                        + FILE));
      }
    }
    int[] framed = library.encode("a", true);
    return framed.length > 0 && vocabulary.isSpecial(fileId(framed[0])) ? fileId(framed[0]) : NONE;
  }

  private int[] encodeWithSpecials(String text) {
    int[] tokens = library.encode(text, false);
    for (int i = 0; i < tokens.length; i++) {
      tokens[i] = fileId(tokens[i]);
    }
    return tokens;
  }

  private int fileId(int libraryId) {
    return libraryId < fileIds.length ? fileIds[libraryId] : libraryId;
  }

  private boolean hasSpecial(int[] tokens) {
    for (int token : tokens) {
      if (vocabulary.isSpecial(token)) {
        return true;
      }
    }
    return false;
  }

  /**
   * Encodes a text in pieces that end behind the first character of every special token's name: the
   * library has no way to be told that a name is not to be taken for the token, but it cannot find
   * a name that it never sees whole.
   */
  private int[] encodeCut(String text) {
    TokenBuffer tokens = new TokenBuffer();
    int begin = 0;
    for (int i = 0; i < text.length(); i = text.offsetByCodePoints(i, 1)) {
      if (specialNameAt(text, i)) {
        int cut = text.offsetByCodePoints(i, 1);
        encodePiece(text.substring(begin, cut), tokens);
        begin = cut;
      }
    }
    encodePiece(text.substring(begin), tokens);
    return tokens.toArray();
  }

  private void encodePiece(String piece, TokenBuffer tokens) {
    int[] encoded = encodeWithSpecials(piece);
    if (!hasSpecial(encoded)) {
      tokens.addAll(encoded);
      return;
    }
    // The library finds a special token that the piece does not spell: one that is compared after
    // a normalization, or one of a single character. Character by character only the latter is
    // left, and that one cannot be said in plain text.
    for (int i = 0; i < piece.length(); i = piece.offsetByCodePoints(i, 1)) {
      for (int token : encodeWithSpecials(Character.toString(piece.codePointAt(i)))) {
        if (!vocabulary.isSpecial(token)) {
          tokens.add(token);
        }
      }
    }
  }

  private boolean specialNameAt(String text, int index) {
    List<String> names = vocabulary.specialNames();
    for (int i = 0; i < names.size(); i++) {
      if (text.startsWith(names.get(i), index)) {
        return true;
      }
    }
    return false;
  }

  /** With U+FFFD for half surrogate pairs, at which the library would garble the whole text. */
  private static String wellFormed(String text) {
    for (int i = 0; i < text.length(); i++) {
      if (Character.isSurrogate(text.charAt(i))) {
        int[] codePoints =
            text.codePoints()
                .map(c -> c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE ? 0xFFFD : c)
                .toArray();
        return new String(codePoints, 0, codePoints.length);
      }
    }
    return text;
  }
}
