package dev.muninn.cli;

import java.io.StringWriter;
import java.util.function.Consumer;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/** JSON objects on one line. */
final class Json {
  private static final JsonFactory FACTORY = new JsonFactory();

  private Json() {}

  /** One object, with whatever the body writes between its braces, and a line end. */
  static String object(Consumer<JsonGenerator> body) {
    StringWriter text = new StringWriter();
    try (JsonGenerator generator = FACTORY.createGenerator(ObjectWriteContext.empty(), text)) {
      generator.writeStartObject();
      body.accept(generator);
      generator.writeEndObject();
    }
    return text.append('\n').toString();
  }

  /** A number; null if it is infinite or not a number, which JSON cannot say. */
  static void number(JsonGenerator generator, double number) {
    if (Double.isFinite(number)) {
      generator.writeNumber(number);
    } else {
      generator.writeNull();
    }
  }

  /** A number under a name; null if JSON cannot say it. */
  static void number(JsonGenerator generator, String name, double number) {
    generator.writeName(name);
    number(generator, number);
  }

  /** A number or a truth value under a name. */
  static void scalar(JsonGenerator generator, String name, Object value) {
    switch (value) {
      case Boolean truth -> generator.writeBooleanProperty(name, truth);
      case Integer integer -> generator.writeNumberProperty(name, integer);
      case Double real -> number(generator, name, real);
      default -> throw new IllegalArgumentException(name + " is a " + value.getClass());
    }
  }

  /** An array of integers under a name. */
  static void integers(JsonGenerator generator, String name, Iterable<? extends Number> numbers) {
    generator.writeArrayPropertyStart(name);
    for (Number number : numbers) {
      generator.writeNumber(number.longValue());
    }
    generator.writeEndArray();
  }
}
