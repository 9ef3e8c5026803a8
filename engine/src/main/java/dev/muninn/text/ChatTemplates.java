package dev.muninn.text;

import dev.muninn.weights.CheckpointException;
import dev.muninn.weights.InputFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Finds the chat template of a model. */
public final class ChatTemplates {
  private static final String KEY = "chat_template";
  private static final int MAX_LENGTH = 256 * 1024;

  /** Templates that say what the Huginn family's format says, which needs no template engine. */
  private static final Set<String> SAME_AS_HUGINN =
      Set.of(
          "{{ '<|begin_text|>' }}{% for m in messages %}{{ '<|begin_header|>' + m['role'] +"
              + " '<|end_header|>\n\n' + m['content'] | trim + '<|end_turn|>' }}{% endfor %}"
              + "{% if add_generation_prompt %}{{ '<|begin_header|>Huginn<|end_header|>\n\n' }}"
              + "{% endif %}");

  private ChatTemplates() {}

  /**
   * The template of a model: {@code chat_template.jinja} of its directory, else {@code
   * chat_template} of tokenizer_config.json (of several the one that is named default), else the
   * family's. A template of the directory is looked at when the first conversation is encoded.
   *
   * @param family what the family knows, empty if it leaves that to the model's files
   * @throws CheckpointException in one line, if a file is there and holds no template
   */
  public static ChatTemplate load(Path directory, Optional<ChatTemplate> family) {
    TokenizerConfig config = TokenizerConfig.read(directory);
    Path file = directory.resolve("chat_template.jinja");
    String name;
    String source;
    if (Files.exists(file)) {
      name = file.toString();
      source = read(file);
    } else {
      name = config.file() + ": " + KEY;
      source = choose(config, config.value(KEY));
    }
    if (source == null) {
      return family.orElseGet(() -> missing(directory));
    }
    if (source.length() > MAX_LENGTH) {
      throw new CheckpointException(
          name + " has " + source.length() + " characters, expected at most " + MAX_LENGTH);
    }
    if (family.isPresent() && SAME_AS_HUGINN.contains(source)) {
      return family.get();
    }
    return new JinjaChatTemplate(name, source, config);
  }

  private static String read(Path file) {
    try {
      byte[] bytes = InputFile.readRegular(file, 4 * MAX_LENGTH, "a chat template");
      String source = new String(bytes, StandardCharsets.UTF_8);
      return source.startsWith("\uFEFF") ? source.substring(1) : source;
    } catch (FileSystemException problem) {
      throw new CheckpointException(problem.getMessage(), problem);
    } catch (IOException problem) {
      throw new CheckpointException(file + " cannot be read: " + problem.getMessage(), problem);
    }
  }

  private static String choose(TokenizerConfig config, Object value) {
    return switch (value) {
      case null -> null;
      case String source -> source;
      case List<?> list when !list.isEmpty() -> {
        for (Object element : list) {
          if (element instanceof Map<?, ?> map
              && (list.size() == 1 || "default".equals(map.get("name")))
              && map.get("template") instanceof String source) {
            yield source;
          }
        }
        throw wrong(config, "a list without a template named default");
      }
      default -> throw wrong(config, "neither a text nor a list");
    };
  }

  private static CheckpointException wrong(TokenizerConfig config, String found) {
    return new CheckpointException(
        config.file() + ": " + KEY + " is " + found + ", expected a template or a list of them");
  }

  private static ChatTemplate missing(Path directory) {
    return (tokenizer, messages, thinking) -> {
      throw new CheckpointException(
          directory
              + ": no chat_template.jinja, and no chat_template in tokenizer_config.json; a"
              + " conversation needs a model with a chat template");
    };
  }
}
