package dev.muninn.weights;

import java.io.IOException;
import java.io.Reader;
import java.io.StringReader;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.CharBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.regex.Pattern;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.TokenStreamFactory;
import tools.jackson.core.TokenStreamLocation;
import tools.jackson.core.json.JsonFactory;

/**
 * The tokens of one JSON text in a file; whatever is wrong with the text ends in a {@link
 * CheckpointException} that names the file, line and column.
 */
final class JsonSource implements AutoCloseable {
  /** The longest JSON text that is read, in bytes; the format's own limit for a header. */
  static final long MAX_BYTES = 100_000_000L;

  static final int MAX_DEPTH = 100;
  static final int MAX_NAME_LENGTH = 50_000;

  /**
   * Bounds the heap by the number of values and not only by the length of the text: a text of empty
   * objects grows on the heap to twenty times its length.
   */
  static final long MAX_TOKENS = 5_000_000L;

  private static final JsonFactory FACTORY =
      JsonFactory.builder()
          // The symbol table of names only costs here, and refuses names whose hashes collide.
          .disable(TokenStreamFactory.Feature.CANONICALIZE_PROPERTY_NAMES)
          .disable(TokenStreamFactory.Feature.INTERN_PROPERTY_NAMES)
          .streamReadConstraints(
              StreamReadConstraints.builder()
                  .maxNestingDepth(MAX_DEPTH)
                  .maxNameLength(MAX_NAME_LENGTH)
                  .maxStringLength((int) MAX_BYTES)
                  .maxTokenCount(MAX_TOKENS)
                  .build())
          .build();

  /** What the parser's messages say to programmers, by its own names, and not to a file's owner. */
  private static final Pattern PARSER_INTERNALS =
      Pattern.compile(
          ", from `[^`]*`|:? (hexadecimal number literals require )?enabl(e|ing) `[^`]*`( to allow)?"
              + "| \\(start marker at \\[[^\\]]*\\]\\)| starting at \\[[^\\]]*\\]"
              + "| \\(not recognized[^)]*\\)");

  private final Path file;
  private final Reader reader;
  private final JsonParser parser;
  private String tensor;

  /**
   * Reads the text from byte {@code begin} to byte {@code end} of a file.
   *
   * @param file the name of the file for messages
   * @param channel the file; it stays open
   */
  JsonSource(Path file, FileChannel channel, long begin, long end) {
    this(file, new Utf8Reader(file, channel, begin, end));
  }

  /**
   * Reads a text that is in memory.
   *
   * @param name stands for the file in messages
   */
  JsonSource(Path name, String text) {
    this(name, new StringReader(text));
  }

  private JsonSource(Path file, Reader reader) {
    this.file = file;
    this.reader = reader;
    this.parser = FACTORY.createParser(ObjectReadContext.empty(), reader);
  }

  /** The next token, or null at the end of the text. */
  JsonToken next() {
    try {
      return parser.nextToken();
    } catch (JacksonException problem) {
      throw syntaxError(problem);
    }
  }

  /** The text of the current token: a name, a string's content or a number as written. */
  String text() {
    String text;
    try {
      text = parser.getString();
    } catch (JacksonException problem) {
      throw syntaxError(problem);
    }
    if (!isWellFormed(text)) {
      throw refusal("a lone surrogate in " + CheckpointException.quote(text), "Unicode text");
    }
    return text;
  }

  /** The current integer as a Long, or as a BigInteger if it needs more than 64 bits. */
  Number integer() {
    try {
      return parser.getNumberType() == JsonParser.NumberType.BIG_INTEGER
          ? parser.getBigIntegerValue()
          : (Number) parser.getLongValue();
    } catch (JacksonException problem) {
      throw syntaxError(problem);
    }
  }

  /** The current token as an integer from 0 to a maximum. */
  long nonNegative(long maximum) {
    String expected = "an integer from 0 to " + maximum;
    if (parser.currentToken() != JsonToken.VALUE_NUMBER_INT) {
      throw refusal(describeToken(), expected);
    }
    // As text, since the parser reads -0 as 0: a minus is not part of a size.
    if (text().startsWith("-") || !(integer() instanceof Long value) || value > maximum) {
      throw refusal(describeToken(), expected);
    }
    return value;
  }

  /** Moves to the next token and refuses any other than the expected kind. */
  void require(JsonToken kind, String expected) {
    if (next() != kind) {
      throw refusal(describeToken(), expected);
    }
  }

  /** Moves to the first token and refuses any but an object that begins with the text. */
  void requireImmediateObject() {
    require(JsonToken.START_OBJECT, "one JSON object");
    if (parser.currentTokenLocation().getCharOffset() != 0) {
      throw refusal("white space before the object", "'{' as the first byte");
    }
  }

  /** Refuses a key whose value was read before. */
  void requireFirst(String key, Object before) {
    if (before != null) {
      throw duplicate(key);
    }
  }

  /** Names the tensor that refusals concern from here on, or none by null. */
  void enter(String tensor) {
    this.tensor = tensor;
  }

  /** A refusal of the current name, which stood in the same object before. */
  CheckpointException duplicate(String name) {
    return refusal("the key " + CheckpointException.quote(name) + " twice", "each key once");
  }

  private String describeToken() {
    return switch (parser.currentToken()) {
      case null -> "the end of the text";
      case START_OBJECT -> "an object";
      case START_ARRAY -> "an array";
      case VALUE_STRING -> "the string " + CheckpointException.quote(text());
      case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT ->
          "the number " + CheckpointException.quote(text());
      default -> parser.currentToken().asString();
    };
  }

  /** A refusal at the current token. */
  CheckpointException refusal(String found, String expected) {
    return refusalAt(parser.currentTokenLocation(), found, expected);
  }

  /** Refuses whatever follows the value that was just read, except spaces. */
  void requireOnlySpaces() {
    StringWriter buffered = new StringWriter();
    parser.releaseBuffered(buffered);
    requireOnlySpaces(buffered.toString());
    char[] rest = new char[1 << 12];
    try {
      for (int count = reader.read(rest, 0, rest.length);
          count >= 0;
          count = reader.read(rest, 0, rest.length)) {
        requireOnlySpaces(CharBuffer.wrap(rest, 0, count));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void requireOnlySpaces(CharSequence text) {
    for (int i = 0; i < text.length(); i++) {
      if (text.charAt(i) != ' ') {
        throw refusal(
            CheckpointException.quote(String.valueOf(text.charAt(i))) + " after the object's end",
            "nothing but spaces there");
      }
    }
  }

  /** Whether every surrogate in the text is one of a pair, so that UTF-8 can hold the text. */
  static boolean isWellFormed(String text) {
    for (int i = 0; i < text.length(); i++) {
      char unit = text.charAt(i);
      if (Character.isSurrogate(unit)) {
        if (Character.isLowSurrogate(unit)
            || i + 1 == text.length()
            || !Character.isLowSurrogate(text.charAt(i + 1))) {
          return false;
        }
        i++;
      }
    }
    return true;
  }

  private CheckpointException syntaxError(JacksonException problem) {
    TokenStreamLocation location =
        problem.getLocation() == null ? parser.currentLocation() : problem.getLocation();
    String complaint = PARSER_INTERNALS.matcher(problem.getOriginalMessage()).replaceAll("");
    return refusalAt(location, "bad JSON (" + complaint + ")", "one JSON object");
  }

  private CheckpointException refusalAt(
      TokenStreamLocation location, String found, String expected) {
    String place = " at line " + location.getLineNr() + ", column " + location.getColumnNr();
    return tensor == null
        ? CheckpointException.refusal(file, found + place, expected)
        : CheckpointException.refusal(file, tensor, found + place, expected);
  }

  @Override
  public void close() {
    parser.close();
  }
}
