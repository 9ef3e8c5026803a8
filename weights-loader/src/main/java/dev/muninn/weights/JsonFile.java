package dev.muninn.weights;

import java.io.StringWriter;
import java.math.BigInteger;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.PrettyPrinter;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.core.util.DefaultPrettyPrinter;

/** Strict reader of the small JSON files beside the weights, such as {@code config.json}. */
public final class JsonFile {
  private static final int MAX_SHOWN_BITS = 256;

  private static final ObjectWriteContext INDENTED =
      new ObjectWriteContext.Base() {
        @Override
        public PrettyPrinter getPrettyPrinter() {
          return new DefaultPrettyPrinter();
        }

        @Override
        public boolean hasPrettyPrinter() {
          return true;
        }
      };

  private JsonFile() {}

  /** A value for a message: short, whatever it is. */
  public static String shown(Object value) {
    return switch (value) {
      case String text -> CheckpointException.quote(text);
      case List<?> _ -> "a list";
      case Map<?, ?> _ -> "an object";
      case BigInteger number when number.bitLength() > MAX_SHOWN_BITS -> "a long number";
      case null, default -> String.valueOf(value);
    };
  }

  /**
   * Reads a file that holds one JSON object.
   *
   * <p>The text must be UTF-8, possibly behind a byte order mark, at most 100,000,000 bytes, with
   * at most 5,000,000 tokens, 100 levels of nesting, names of 50,000 characters and numbers of
   * 1,000 digits. Comments, {@code NaN}, trailing commas, duplicate keys, lone surrogates and
   * numbers beyond the range of a double are refused.
   *
   * @param file the file; symbolic links are followed
   * @return the object's members in the order of the file; values are {@code LinkedHashMap}, {@code
   *     ArrayList}, {@code String}, {@code Long} ({@code BigInteger} beyond 64 bits), {@code
   *     Double}, {@code Boolean} or null
   * @throws CheckpointException for every problem: one line that names the file and, where the text
   *     is at fault, line and column
   */
  public static Map<String, Object> readObject(Path file) {
    return read(file, JsonFile::onlyObject);
  }

  /**
   * Reads a file that holds one JSON array, by the rules of {@link #readObject(Path)}.
   *
   * @return the elements
   */
  public static List<Object> readArray(Path file) {
    return read(
        file,
        json -> {
          json.require(JsonToken.START_ARRAY, "one JSON array");
          List<Object> array = array(json);
          if (json.next() != null) {
            throw json.refusal("more text after the array's end", "one JSON array");
          }
          return array;
        });
  }

  private static <T> T read(Path file, Function<JsonSource, T> value) {
    try (SourceFile source = SourceFile.open(file)) {
      if (source.size() > JsonSource.MAX_BYTES) {
        throw CheckpointException.refusal(
            file,
            "a file of " + source.size() + " bytes",
            "JSON of at most " + JsonSource.MAX_BYTES + " bytes");
      }
      byte[] begin = FileContent.begin(file, source.channel());
      int mark = Utf8Text.markLength(begin);
      requireJson(file, begin, mark);
      try (JsonSource json = new JsonSource(file, source.channel(), mark, source.size())) {
        return value.apply(json);
      }
    }
  }

  /** Says of a file that is no JSON at all what it is, where that is known. */
  private static void requireJson(Path file, byte[] begin, int from) {
    int at = from;
    while (at < begin.length && Character.isWhitespace(begin[at])) {
      at++;
    }
    boolean brace = at < begin.length && (begin[at] == '{' || begin[at] == '[');
    if (!brace || at + 1 < begin.length && begin[at + 1] == 0) {
      FileContent.refuseKnown(file, begin, "JSON in UTF-8");
    }
  }

  /**
   * Reads a text that is one JSON object, such as a line of a JSONL file, by the rules of {@link
   * #readObject(Path)}.
   *
   * @param name where the text is from, for messages
   */
  public static Map<String, Object> readObject(String name, String text) {
    try (JsonSource json = new JsonSource(Path.of(name), Utf8Text.withoutMark(text))) {
      return onlyObject(json);
    }
  }

  /**
   * Reads a text that is one JSON array, such as a server's answer, by the rules of {@link
   * #readObject(Path)}.
   *
   * @param name where the text is from, for messages
   */
  public static List<Object> readArray(String name, String text) {
    try (JsonSource json = new JsonSource(Path.of(name), Utf8Text.withoutMark(text))) {
      json.require(JsonToken.START_ARRAY, "one JSON array");
      List<Object> array = array(json);
      requireEnd(json, "array");
      return array;
    }
  }

  /**
   * The text of an object such as {@link #readObject(Path)} gives, indented and with a line end.
   *
   * @param object members are maps with texts as keys, collections, texts, truth values, null and
   *     whole or finite numbers
   * @throws IllegalArgumentException if one is anything else
   */
  public static String text(Map<String, ?> object) {
    StringWriter text = new StringWriter();
    try (JsonGenerator json = new JsonFactory().createGenerator(INDENTED, text)) {
      write(json, object);
    }
    return text.append('\n').toString();
  }

  private static void write(JsonGenerator json, Object value) {
    switch (value) {
      case null -> json.writeNull();
      case Map<?, ?> object -> {
        json.writeStartObject();
        object.forEach((name, member) -> {
          json.writeName((String) name);
          write(json, member);
        });
        json.writeEndObject();
      }
      case Collection<?> array -> {
        json.writeStartArray();
        array.forEach(element -> write(json, element));
        json.writeEndArray();
      }
      case Integer number -> json.writeNumber(number);
      case Long number -> json.writeNumber(number);
      case BigInteger number -> json.writeNumber(number);
      case Double number when Double.isFinite(number) -> json.writeNumber(number);
      case Boolean flag -> json.writeBoolean(flag);
      case String text -> json.writeString(text);
      default -> throw new IllegalArgumentException("JSON cannot say " + value);
    }
  }

  private static Map<String, Object> onlyObject(JsonSource json) {
    json.require(JsonToken.START_OBJECT, "one JSON object");
    Map<String, Object> object = object(json);
    requireEnd(json, "object");
    return object;
  }

  private static void requireEnd(JsonSource json, String kind) {
    if (json.next() != null) {
      throw json.refusal("more text after the " + kind + "'s end", "one JSON " + kind);
    }
  }

  private static Map<String, Object> object(JsonSource json) {
    Map<String, Object> members = new LinkedHashMap<>();
    while (json.next() == JsonToken.PROPERTY_NAME) {
      String name = json.text();
      if (members.containsKey(name)) {
        throw json.duplicate(name);
      }
      members.put(name, value(json, json.next()));
    }
    return members;
  }

  private static List<Object> array(JsonSource json) {
    List<Object> elements = new ArrayList<>();
    for (JsonToken token = json.next(); token != JsonToken.END_ARRAY; token = json.next()) {
      elements.add(value(json, token));
    }
    return elements;
  }

  private static Object value(JsonSource json, JsonToken token) {
    return switch (token) {
      case START_OBJECT -> object(json);
      case START_ARRAY -> array(json);
      case VALUE_STRING -> json.text();
      case VALUE_NUMBER_INT -> json.integer();
      case VALUE_NUMBER_FLOAT -> decimal(json);
      case VALUE_TRUE -> true;
      case VALUE_FALSE -> false;
      case VALUE_NULL -> null;
      default -> throw new AssertionError(token);
    };
  }

  private static double decimal(JsonSource json) {
    double value = Double.parseDouble(json.text());
    if (Double.isInfinite(value)) {
      throw json.refusal(
          "the number " + CheckpointException.quote(json.text()), "a number within a double");
    }
    return value;
  }
}
