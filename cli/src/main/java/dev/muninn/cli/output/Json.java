package dev.muninn.cli.output;

import java.io.StringWriter;
import java.io.Writer;
import java.util.function.Consumer;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/** JSON objects on one line. */
public final class Json {
  private static final JsonFactory FACTORY = new JsonFactory();

  private Json() {}

  /** One object, with whatever the body writes between its braces, and a line end. */
  public static String object(Consumer<JsonGenerator> body) {
    StringWriter text = new StringWriter();
    write(text, body);
    return text.toString();
  }

  /** Writes one object, with whatever the body writes between its braces, and a line end. */
  public static void write(Writer out, Consumer<JsonGenerator> body) {
    try (JsonGenerator generator = FACTORY.createGenerator(ObjectWriteContext.empty(), out)) {
      generator.writeStartObject();
      body.accept(generator);
      generator.writeEndObject();
      generator.writeRaw('\n');
    }
  }

  /** A number; null if it is infinite or not a number, which JSON cannot say. */
  public static void number(JsonGenerator generator, double number) {
    if (Double.isFinite(number)) {
      generator.writeNumber(number);
    } else {
      generator.writeNull();
    }
  }

  /** A number under a name; null if JSON cannot say it. */
  public static void number(JsonGenerator generator, String name, double number) {
    generator.writeName(name);
    number(generator, number);
  }

  /** A number, a text or a truth value under a name. */
  public static void scalar(JsonGenerator generator, String name, Object value) {
    switch (value) {
      case Boolean truth -> generator.writeBooleanProperty(name, truth);
      case Integer integer -> generator.writeNumberProperty(name, integer);
      case Long integer -> generator.writeNumberProperty(name, integer);
      case Double real -> number(generator, name, real);
      case String text -> generator.writeStringProperty(name, text);
      default -> throw new IllegalArgumentException(name + " is a " + value.getClass());
    }
  }

  /** A text, a number, an array of numbers or null under a name. */
  public static void value(JsonGenerator generator, String name, Object value) {
    switch (value) {
      case null -> generator.writeNullProperty(name);
      case double[] numbers -> {
        generator.writeArrayPropertyStart(name);
        for (double number : numbers) {
          number(generator, number);
        }
        generator.writeEndArray();
      }
      default -> scalar(generator, name, value);
    }
  }

  /** An array of integers under a name. */
  public static void integers(
      JsonGenerator generator, String name, Iterable<? extends Number> numbers) {
    generator.writeArrayPropertyStart(name);
    for (Number number : numbers) {
      generator.writeNumber(number.longValue());
    }
    generator.writeEndArray();
  }
}
