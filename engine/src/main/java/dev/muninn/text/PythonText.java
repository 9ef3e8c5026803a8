package dev.muninn.text;

import com.hubspot.jinjava.interpret.JinjavaInterpreter;
import com.hubspot.jinjava.lib.filter.Filter;
import java.util.Iterator;
import java.util.List;
import java.util.Map;

/** Values of a template written as Python writes them, and as JSON. */
final class PythonText {
  /** The name of the filter that all printed expressions pass. */
  static final String FILTER = "written__";

  private PythonText() {}

  /** The filter that writes a value as Python's {@code str} does; what is undefined is nothing. */
  static final class Written implements Filter {
    @Override
    public String getName() {
      return FILTER;
    }

    @Override
    public Object filter(Object value, JinjavaInterpreter interpreter, String... arguments) {
      return value == null ? "" : written(value);
    }
  }

  /** The filter {@code tojson}, as the template renderer of Python's transformers defines it. */
  static final class ToJson implements Filter {
    @Override
    public String getName() {
      return "tojson";
    }

    @Override
    public Object filter(Object value, JinjavaInterpreter interpreter, String... arguments) {
      String indent = arguments.length > 0 ? arguments[0] : null;
      StringBuilder json = new StringBuilder();
      json(value, indent == null ? -1 : Integer.parseInt(indent.strip()), 0, json);
      return json.toString();
    }

    @Override
    public Object filter(
        Object value,
        JinjavaInterpreter interpreter,
        Object[] arguments,
        Map<String, Object> named) {
      Object indent = named.getOrDefault("indent", arguments.length > 0 ? arguments[0] : null);
      return indent instanceof Number
          ? filter(value, interpreter, indent.toString())
          : filter(value, interpreter);
    }
  }

  /** The filter {@code replace}, of bounded length. */
  static final class Replace implements Filter {
    @Override
    public String getName() {
      return "replace";
    }

    @Override
    public Object filter(Object value, JinjavaInterpreter interpreter, String... arguments) {
      return PythonMethods.replace(written(value), arguments);
    }
  }

  /** What Python's {@code str} gives. */
  static String written(Object value) {
    if (value instanceof CharSequence) {
      return value.toString();
    }
    StringBuilder text = new StringBuilder();
    represent(value, text);
    return text.toString();
  }

  private static void represent(Object value, StringBuilder text) {
    switch (value) {
      case null -> text.append("None");
      case Boolean flag -> text.append(flag ? "True" : "False");
      case CharSequence string -> quote(string.toString(), text);
      case Character character -> quote(character.toString(), text);
      case Map<?, ?> map -> {
        text.append('{');
        String separator = "";
        for (Map.Entry<?, ?> entry : map.entrySet()) {
          text.append(separator);
          represent(entry.getKey(), text);
          text.append(": ");
          represent(entry.getValue(), text);
          separator = ", ";
        }
        text.append('}');
      }
      case Iterable<?> elements -> {
        text.append('[');
        String separator = "";
        for (Object element : elements) {
          text.append(separator);
          represent(element, text);
          separator = ", ";
        }
        text.append(']');
      }
      default -> text.append(value);
    }
  }

  private static void quote(String string, StringBuilder text) {
    char quote = string.indexOf('\'') >= 0 && string.indexOf('"') < 0 ? '"' : '\'';
    text.append(quote);
    for (int i = 0; i < string.length(); i++) {
      char character = string.charAt(i);
      switch (character) {
        case '\n' -> text.append("\\n");
        case '\r' -> text.append("\\r");
        case '\t' -> text.append("\\t");
        case '\\' -> text.append("\\\\");
        default -> text.append(character == quote ? "\\" : "").append(character);
      }
    }
    text.append(quote);
  }

  private static void json(Object value, int indent, int depth, StringBuilder json) {
    switch (value) {
      case null -> json.append("null");
      case CharSequence string -> jsonString(string.toString(), json);
      case Map<?, ?> map -> {
        Iterator<? extends Map.Entry<?, ?>> entries = map.entrySet().iterator();
        json.append('{');
        while (entries.hasNext()) {
          Map.Entry<?, ?> entry = entries.next();
          breakLine(indent, depth + 1, json);
          jsonString(String.valueOf(entry.getKey()), json);
          json.append(": ");
          json(entry.getValue(), indent, depth + 1, json);
          json.append(entries.hasNext() ? indent < 0 ? ", " : "," : "");
        }
        if (!map.isEmpty()) {
          breakLine(indent, depth, json);
        }
        json.append('}');
      }
      case List<?> list -> {
        json.append('[');
        for (int i = 0; i < list.size(); i++) {
          breakLine(indent, depth + 1, json);
          json(list.get(i), indent, depth + 1, json);
          json.append(i + 1 < list.size() ? indent < 0 ? ", " : "," : "");
        }
        if (!list.isEmpty()) {
          breakLine(indent, depth, json);
        }
        json.append(']');
      }
      default -> json.append(value);
    }
  }

  private static void breakLine(int indent, int depth, StringBuilder json) {
    if (indent >= 0) {
      json.append('\n').repeat(' ', Math.min(indent, 16) * depth);
    }
  }

  private static void jsonString(String string, StringBuilder json) {
    json.append('"');
    for (int i = 0; i < string.length(); i++) {
      char character = string.charAt(i);
      switch (character) {
        case '"' -> json.append("\\\"");
        case '\\' -> json.append("\\\\");
        case '\n' -> json.append("\\n");
        case '\r' -> json.append("\\r");
        case '\t' -> json.append("\\t");
        case '\b' -> json.append("\\b");
        case '\f' -> json.append("\\f");
        default -> {
          if (character < ' ') {
            json.append(String.format("\\u%04x", (int) character));
          } else {
            json.append(character);
          }
        }
      }
    }
    json.append('"');
  }
}
