package dev.muninn.spark;

import dev.muninn.cli.run.PromptLines;
import dev.muninn.text.ChatMessage;
import dev.muninn.text.Prompt;
import dev.muninn.weights.CheckpointException;
import dev.muninn.weights.JsonFile;
import java.io.Serializable;
import java.math.BigDecimal;
import java.sql.Timestamp;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import scala.jdk.javaapi.CollectionConverters;

/** Finds the prompt and the id of a row, by the rules of {@code muninn generate --prompts}. */
final class PromptColumns implements Serializable {
  private static final long serialVersionUID = 1L;

  /** Holds a line of JSONL as it was read: what the row was made of, whatever Spark made of it. */
  static final String LINE = "_muninn_line";

  /** What a line that is not UTF-8 is replaced by. */
  static final String NOT_UTF_8 = "\uFFFD";

  /** Where Spark's own reader of JSON puts a line that it cannot read. */
  private static final String CORRUPT = "_corrupt_record";

  private static final Set<String> ROLES =
      Set.of(ChatMessage.SYSTEM, ChatMessage.USER, ChatMessage.ASSISTANT, "assistant", "tool");

  private final String idColumn;
  private final HashMap<String, Integer> indexes = new HashMap<>();

  /**
   * What a row asks for.
   *
   * @param id null if the row has none
   */
  record Asked(Prompt prompt, String id) {}

  /**
   * Finds the columns.
   *
   * @throws IllegalArgumentException if the rows have no prompts
   */
  PromptColumns(StructType schema, String idColumn) {
    this.idColumn = idColumn;
    List<String> names = List.of(schema.fieldNames());
    for (String name : PromptLines.PROMPT_KEYS) {
      index(names, name);
    }
    if (!names.contains(LINE) && indexes.isEmpty()) {
      throw new IllegalArgumentException(
          "rows need a column prompt, messages or prompt_tokens; these have "
              + String.join(", ", names));
    }
    index(names, idColumn);
    index(names, LINE);
    index(names, CORRUPT);
  }

  private void index(List<String> names, String name) {
    if (names.contains(name)) {
      indexes.put(name, names.indexOf(name));
    }
  }

  /** Reads a row. */
  Asked read(Row row) throws BadRow {
    Map<String, Object> values = indexes.containsKey(LINE) ? line(row) : columns(row);
    Object id = values.get(idColumn);
    Map<String, Object> prompts = new LinkedHashMap<>();
    for (String name : PromptLines.PROMPT_KEYS) {
      if (values.get(name) != null) {
        prompts.put(name, values.get(name));
      }
    }
    Prompt prompt;
    try {
      prompt = PromptLines.prompt(prompts);
    } catch (IllegalArgumentException e) {
      throw new BadRow(e.getMessage(), e);
    }
    if (prompt instanceof Prompt.Chat(List<ChatMessage> messages, var _)) {
      requireKnownRoles(messages);
    }
    return new Asked(prompt, id == null ? null : id(id));
  }

  /** The same text on all executors, whatever their time zone. */
  private static String id(Object value) throws BadRow {
    return switch (value) {
      case BigDecimal number -> number.toPlainString();
      case byte[] bytes -> HexFormat.of().formatHex(bytes);
      case Timestamp time -> time.toInstant().toString();
      case List<?> _, Map<?, ?> _ -> throw new BadRow("an id is a text or a number");
      default -> value.toString();
    };
  }

  private static void requireKnownRoles(List<ChatMessage> messages) throws BadRow {
    for (ChatMessage message : messages) {
      if (!ROLES.contains(message.role())) {
        throw new BadRow(
            "role "
                + CheckpointException.quote(message.role())
                + " is none of system, user, assistant, tool");
      }
    }
  }

  private Map<String, Object> line(Row row) throws BadRow {
    String line = row.getString(indexes.get(LINE));
    if (line.equals(NOT_UTF_8)) {
      throw new BadRow("the line is not UTF-8 text");
    }
    try {
      return JsonFile.readObject("line", line);
    } catch (CheckpointException e) {
      throw new BadRow(e.getMessage(), e);
    }
  }

  private Map<String, Object> columns(Row row) throws BadRow {
    if (indexes.containsKey(CORRUPT) && !row.isNullAt(indexes.get(CORRUPT))) {
      throw new BadRow("the line is not a JSON object");
    }
    Map<String, Object> values = new HashMap<>();
    indexes.forEach((name, index) -> values.put(name, plain(row.get(index))));
    return values;
  }

  /** A value as a reader of JSON would give it. */
  private static Object plain(Object value) {
    return switch (value) {
      case Byte number -> number.longValue();
      case Short number -> number.longValue();
      case Integer number -> number.longValue();
      case scala.collection.Seq<?> list -> {
        List<Object> plain = new ArrayList<>();
        for (Object each : CollectionConverters.asJava(list)) {
          plain.add(plain(each));
        }
        yield plain;
      }
      case scala.collection.Map<?, ?> map -> {
        Map<String, Object> plain = new LinkedHashMap<>();
        CollectionConverters.asJava(map).forEach((key, each) -> plain.put("" + key, plain(each)));
        yield plain;
      }
      case Row struct -> {
        Map<String, Object> plain = new LinkedHashMap<>();
        for (StructField field : struct.schema().fields()) {
          Object each = plain(struct.get(struct.fieldIndex(field.name())));
          if (each != null) {
            plain.put(field.name(), each);
          }
        }
        yield plain;
      }
      case null -> null;
      default -> value;
    };
  }
}
