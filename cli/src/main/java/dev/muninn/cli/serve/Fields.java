package dev.muninn.cli.serve;

import dev.muninn.weights.CheckpointException;
import dev.muninn.weights.JsonFile;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The fields of a request's content. A field that is null counts as absent. */
final class Fields {
  private static final String SOURCE = "body";

  private final String path;
  private final Map<String, Object> values;

  private Fields(String path, Map<String, Object> values) {
    this.path = path;
    this.values = values;
  }

  /**
   * Reads one JSON object.
   *
   * @throws ApiException if it is none, in UTF-8
   */
  static Fields read(byte[] content) {
    String text;
    try {
      text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(content)).toString();
    } catch (CharacterCodingException e) {
      throw ApiException.bad("body: not UTF-8 text");
    }
    try {
      return new Fields("", JsonFile.readObject(SOURCE, text));
    } catch (CheckpointException e) {
      throw ApiException.bad(e.getMessage());
    }
  }

  private String name(String field) {
    return path + field;
  }

  boolean has(String field) {
    return values.get(field) != null;
  }

  Optional<Object> get(String field) {
    return Optional.ofNullable(values.get(field));
  }

  /** A refusal of a field. */
  ApiException refusal(String field, String expected) {
    return ApiException.badField(
        name(field), "expected " + expected + ", not " + describe(values.get(field)));
  }

  /** What was found instead, in a few characters. */
  static String describe(Object value) {
    return switch (value) {
      case null -> "nothing";
      case String text when text.length() > 40 -> "a text of " + text.length() + " characters";
      case String text -> "\"" + text.replaceAll("\\p{Cntrl}", " ") + "\"";
      case List<?> list -> "an array";
      case Map<?, ?> map -> "an object";
      default -> {
        String number = value.toString();
        yield number.length() > 40 ? "a number of " + number.length() + " digits" : number;
      }
    };
  }

  Optional<String> text(String field) {
    return switch (values.get(field)) {
      case null -> Optional.empty();
      case String text -> Optional.of(text);
      default -> throw refusal(field, "a text");
    };
  }

  boolean flag(String field, boolean otherwise) {
    return switch (values.get(field)) {
      case null -> otherwise;
      case Boolean truth -> truth;
      default -> throw refusal(field, "true or false");
    };
  }

  Optional<Long> integer(String field, long least, long most) {
    Object value = values.get(field);
    if (value == null) {
      return Optional.empty();
    }
    Long number =
        switch (value) {
          case Long integer -> integer;
          case Double real when real == Math.rint(real) && Math.abs(real) < 1e15 ->
              real.longValue();
          default -> null;
        };
    if (number == null || number < least || number > most) {
      throw refusal(field, "a whole number from " + least + " to " + most);
    }
    return Optional.of(number);
  }

  int integer(String field, int least, int most, int otherwise) {
    return integer(field, least, most).map(Long::intValue).orElse(otherwise);
  }

  float real(String field, double least, double most, float otherwise) {
    Object value = values.get(field);
    if (value == null) {
      return otherwise;
    }
    if (!(value instanceof Number number)
        || !(number.doubleValue() >= least && number.doubleValue() <= most)) {
      throw refusal(field, "a number from " + bound(least) + " to " + bound(most));
    }
    return number.floatValue();
  }

  private static String bound(double value) {
    return value == Math.rint(value) ? Long.toString((long) value) : Double.toString(value);
  }

  Optional<Fields> object(String field) {
    return switch (values.get(field)) {
      case null -> Optional.empty();
      case Map<?, ?> map -> Optional.of(of(name(field) + ".", map));
      default -> throw refusal(field, "an object");
    };
  }

  /** An array of objects, empty if there is none. */
  List<Fields> objects(String field) {
    Object value = values.get(field);
    if (value == null) {
      return List.of();
    }
    if (!(value instanceof List<?> list)) {
      throw refusal(field, "an array of objects");
    }
    Fields[] objects = new Fields[list.size()];
    for (int i = 0; i < objects.length; i++) {
      if (!(list.get(i) instanceof Map<?, ?> map)) {
        throw ApiException.badField(
            name(field) + "[" + i + "]", "expected an object, not " + describe(list.get(i)));
      }
      objects[i] = of(name(field) + "[" + i + "].", map);
    }
    return List.of(objects);
  }

  @SuppressWarnings("unchecked")
  private static Fields of(String path, Map<?, ?> map) {
    return new Fields(path, (Map<String, Object>) map);
  }

  /** One text or several, each of at least one character. */
  List<String> texts(String field, int most) {
    Object value = values.get(field);
    List<?> list =
        switch (value) {
          case null -> List.of();
          case String text -> List.of(text);
          case List<?> several -> several;
          default -> throw refusal(field, "a text or an array of texts");
        };
    if (list.size() > most) {
      throw ApiException.badField(
          name(field), "expected at most " + most + " texts, not " + list.size());
    }
    for (Object element : list) {
      if (!(element instanceof String text) || text.isEmpty()) {
        throw ApiException.badField(
            name(field), "expected texts that are not empty, not " + describe(element));
      }
    }
    return list.stream().map(String.class::cast).toList();
  }

  /** A field's name with those above it. */
  String pathOf(String field) {
    return name(field);
  }
}
