package dev.muninn.text;

import dev.muninn.weights.CheckpointException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * A model's tokenizer: turns text into token ids and back.
 *
 * <p>Reads the BPE of a {@code tokenizer.json}: byte-level, or of SentencePiece's kind with bytes
 * to fall back to. Special tokens are those that the file marks as special, and {@link
 * SpecialTokens Huginn's}; they decode to nothing. Parts of the file that are not known to be safe
 * are refused before the tokenizer library, which is native code, sees any of it.
 *
 * <p>Thread-safe. Encoding lets one thread in at a time; decoding needs no lock, and goes on to
 * work when the tokenizer is closed.
 */
public final class Tokenizer implements AutoCloseable {
  /**
   * The library takes up to 600 times as much memory as a text has bytes, if each becomes a token.
   * Eight bytes for each token of a context of 131,072.
   */
  static final int MAX_BYTES = 1 << 20;

  private static final int NONE = -1;

  private final TokenizerFile file;
  private final Vocabulary vocabulary;
  private final NativeTokenizer library;

  /** The library without the special tokens, made for the first text that spells one. */
  private NativeTokenizer plainLibrary;

  private boolean closed;
  private final TextFrame frame;

  /** Whether each byte of a text is in one of its tokens, so that long texts need many. */
  private final boolean keepsAll;

  private Tokenizer(
      Path directory, TokenizerFile file, Vocabulary vocabulary, NativeTokenizer library) {
    this.file = file;
    this.vocabulary = vocabulary;
    this.library = library;
    this.keepsAll = file.keepsAll(vocabulary.ids());
    TokenizerConfig config = TokenizerConfig.read(directory);
    config.requireAgreement(file);
    this.frame = new TextFrame(config, file, vocabulary);
  }

  /**
   * Loads the tokenizer of a model.
   *
   * <p>Sets the system properties {@code ai.djl.offline} and {@code RUST_LIBRARY_PATH} unless they
   * are set: the tokenizer library would else open network connections, and load what lies in a
   * directory that others may write to.
   *
   * @param modelDirectory directory with a {@code tokenizer.json}
   * @param vocabularySize rows of the model's embedding, which every token id must fit
   * @throws CheckpointException in one line that names the file and the part, if it is missing,
   *     broken, not known to be safe, or does not fit the vocabulary
   * @throws dev.muninn.backend.InferenceException if the tokenizer library does not load on this
   *     machine
   */
  public static Tokenizer load(Path modelDirectory, int vocabularySize) {
    if (vocabularySize < 1) {
      throw new IllegalArgumentException(
          "vocabulary size must be at least 1, not " + vocabularySize);
    }
    TokenizerFile file = TokenizerFile.read(modelDirectory);
    Vocabulary vocabulary = new Vocabulary(file, vocabularySize);
    NativeTokenizer library = NativeTokenizer.load(file, Set.of());
    try {
      return new Tokenizer(modelDirectory, file, vocabulary, library);
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
    return Files.exists(modelDirectory.resolve(TokenizerFile.NAME));
  }

  /**
   * The tokens of a text as the model is to read it: with those around it that the tokenizer adds.
   * Special tokens that the text spells become those tokens.
   *
   * <p>For the Huginn family that is exactly one begin-of-text token at the front. For others they
   * are those of the {@code post_processor} of tokenizer.json, as Python's {@code tokenizer(text)}
   * has them; a single one at the front is not repeated where the text spells it too. Half a
   * surrogate pair counts as U+FFFD.
   *
   * @throws IllegalStateException if the tokenizer is closed
   */
  public int[] encode(String text) {
    return encode(text, Integer.MAX_VALUE);
  }

  /**
   * The tokens of a text, like {@link #encode(String)}.
   *
   * @param mostTokens a text that surely has more tokens is refused before it is encoded; one that
   *     turns out to have more is not
   * @throws IllegalArgumentException if the text is too long
   */
  public int[] encode(String text, int mostTokens) {
    return frame.around(encodeWithSpecials(text, mostTokens));
  }

  /**
   * The tokens of a text in which special tokens are spelled where they are meant, such as what a
   * chat template renders: nothing is added.
   *
   * @param mostTokens a text that surely has more tokens is refused
   * @throws IllegalArgumentException if the text is too long
   * @throws IllegalStateException if the tokenizer is closed
   */
  int[] encodeWithSpecials(String text, int mostTokens) {
    String content = wellFormed(text);
    requireLength(content, mostTokens);
    return library.encode(content);
  }

  /**
   * The tokens of a text in which special tokens are spelled where they are meant, and where not
   * there is a mark within the name, which is taken out.
   */
  int[] encodeMarked(String text, char mark) {
    TokenBuffer tokens = new TokenBuffer();
    int begin = 0;
    for (int i = 0; i < text.length(); ) {
      String special = specialAt(text, i);
      if (special == null) {
        i++;
      } else {
        addMarked(text.substring(begin, i), mark, tokens);
        tokens.add(id(special).orElseThrow());
        i += special.length();
        begin = i;
      }
    }
    addMarked(text.substring(begin), mark, tokens);
    return tokens.toArray();
  }

  private void addMarked(String text, char mark, TokenBuffer tokens) {
    if (!text.isEmpty()) {
      tokens.addAll(encodePlain(text.replace(String.valueOf(mark), "")));
    }
  }

  /** The longest name of a special token that a text spells at an index, or null. */
  String specialAt(String text, int index) {
    return vocabulary.specialAt(text, index);
  }

  /**
   * The tokens of a text that may come from anybody: nothing is added, and no special token comes
   * out, whatever the text spells. {@code <|end_turn|>} in it becomes the tokens of ordinary text,
   * which decode to these twelve characters. Half a surrogate pair counts as U+FFFD.
   *
   * @throws IllegalArgumentException if the text has more than a million bytes
   * @throws IllegalStateException if the tokenizer is closed
   */
  public int[] encodePlain(String text) {
    return encodePlain(text, Integer.MAX_VALUE);
  }

  /**
   * The tokens of a text from anybody, like {@link #encodePlain(String)}.
   *
   * @param mostTokens a text that surely has more tokens is refused before it is encoded
   * @throws IllegalArgumentException if the text is too long
   */
  public int[] encodePlain(String text, int mostTokens) {
    int[] tokens = encodeWithSpecials(text, mostTokens);
    if (!hasSpecial(tokens)) {
      return tokens;
    }
    int[] plain = plainLibrary().encode(wellFormed(text));
    return hasSpecial(plain) ? withoutSpecials(plain) : plain;
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

  /**
   * The bytes that a token stands for in a text; none if it is special or no token at all.
   *
   * @throws IllegalArgumentException if the token is outside of the model's vocabulary
   */
  public byte[] bytes(int token) {
    if (!vocabulary.isText(token)) {
      return new byte[0];
    }
    int fallback = vocabulary.fallbackByte(token);
    return fallback >= 0 ? new byte[] {(byte) fallback} : vocabulary.bytes(token).clone();
  }

  /**
   * A token as tokenizer.json spells it, such as {@code <|end_turn|>}; empty where it has none.
   *
   * @throws IllegalArgumentException if the token is outside of the model's vocabulary
   */
  public Optional<String> name(int token) {
    return vocabulary.name(token);
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
  public synchronized void close() {
    closed = true;
    library.close();
    if (plainLibrary != null) {
      plainLibrary.close();
    }
  }

  private synchronized NativeTokenizer plainLibrary() {
    if (plainLibrary == null) {
      if (closed) {
        throw new IllegalStateException("the tokenizer is closed");
      }
      Set<String> hidden = new HashSet<>(vocabulary.specialNames());
      plainLibrary = NativeTokenizer.load(file, hidden);
    }
    return plainLibrary;
  }

  /** Refuses a text before the library spends memory on it. */
  private void requireLength(String text, int mostTokens) {
    long bytes = Utf8.length(text);
    if (bytes > MAX_BYTES) {
      throw new IllegalArgumentException(
          "a text of " + bytes + " bytes is too long, expected at most " + MAX_BYTES);
    }
    long longest = file.normalizers().longest(text, MAX_BYTES);
    if (longest > MAX_BYTES) {
      throw new IllegalArgumentException(
          "the tokenizer's normalizers make more than "
              + MAX_BYTES
              + " bytes of a text of "
              + bytes);
    }
    long most = (long) mostTokens * vocabulary.longest();
    if (keepsAll && bytes > most && Utf8.length(file.normalizers().apply(text)) > most) {
      throw new IllegalArgumentException(
          "a text of "
              + bytes
              + " bytes is too long: it has more than "
              + mostTokens
              + " tokens, as no token has more than "
              + vocabulary.longest()
              + " bytes");
    }
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
   * The unknown token, and special ones of a single character, come out even so: what has no other
   * token cannot be said in plain text.
   */
  private int[] withoutSpecials(int[] tokens) {
    int unknown = file.unknownToken() == null ? NONE : id(file.unknownToken()).orElse(NONE);
    return Arrays.stream(tokens)
        .filter(token -> token == unknown || !vocabulary.isSpecial(token))
        .toArray();
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
