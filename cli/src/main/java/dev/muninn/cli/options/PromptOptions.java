package dev.muninn.cli.options;

import dev.muninn.cli.help.HelpHeading;
import dev.muninn.text.Prompt;
import dev.muninn.weights.InputFile;
import dev.muninn.weights.Utf8Text;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.stream.Stream;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The text or the tokens that a command works on: given once, in one of four ways. */
@HelpHeading("Prompt (one of these)")
public final class PromptOptions {
  public static final String TEXT = "--prompt";

  private static final int MOST_BYTES = 16 << 20;

  private static final String STANDARD_INPUT = "-";

  @Parameters(
      index = "0",
      arity = "0..1",
      paramLabel = "PROMPT",
      description = "The text; - reads it from standard input.")
  private String argument;

  @Option(
      names = {"-p", TEXT},
      paramLabel = "TEXT",
      description = "The text, even if it begins with -.")
  private String text;

  @Option(
      names = "--prompt-file",
      paramLabel = "FILE",
      description = "A UTF-8 file, without its final newline; - is stdin.")
  private String file;

  @Option(
      names = "--prompt-tokens",
      paramLabel = "IDS",
      converter = TokenIds.class,
      description = "Exactly these token ids, such as 1,2,3.")
  private Prompt.Tokens tokens;

  /** Whether the prompt is a text, so that a tokenizer will have to turn it into tokens. */
  public boolean isText() {
    return tokens == null;
  }

  /** Whether any prompt is given. */
  public boolean given() {
    return count() > 0;
  }

  private long count() {
    return Stream.of(argument, text, file, tokens).filter(source -> source != null).count();
  }

  /** Refuses all but one prompt. Reads nothing yet, so that a usage error never waits for input. */
  public void requireOne() {
    long given = count();
    if (given == 0) {
      throw new UsageException(
          "no prompt: give it as PROMPT, --prompt, --prompt-file or --prompt-tokens");
    }
    if (given > 1) {
      throw new UsageException(
          "more than one prompt: give only one of PROMPT, --prompt, --prompt-file and"
              + " --prompt-tokens");
    }
  }

  /** The prompt, read from where it is. */
  public Prompt read(InputStream standardInput) throws IOException {
    if (tokens != null) {
      return tokens;
    }
    if (text != null) {
      return Prompt.text(text);
    }
    if (STANDARD_INPUT.equals(argument) || STANDARD_INPUT.equals(file)) {
      return Prompt.text(
          decode(
              InputFile.read("standard input", standardInput, MOST_BYTES, "a prompt"),
              "standard input"));
    }
    if (argument != null) {
      return Prompt.text(argument);
    }
    return Prompt.text(decode(InputFile.read(Path.of(file), MOST_BYTES, "a prompt"), file));
  }

  private static String decode(byte[] bytes, String source) throws IOException {
    // Editors and echo end a file with a newline that is not meant to be part of the prompt.
    return Utf8Text.decode(source, bytes).replaceFirst("\\r?\\n\\z", "");
  }

  /** Reads token ids. Whether they are in the vocabulary is for the model to say. */
  static final class TokenIds implements ITypeConverter<Prompt.Tokens> {
    @Override
    public Prompt.Tokens convert(String value) {
      try {
        return new Prompt.Tokens(
            Stream.of(value.split(",", -1))
                .map(String::strip)
                .mapToInt(Integer::parseInt)
                .toArray());
      } catch (NumberFormatException e) {
        throw NumberConverters.expected("token ids separated by commas, such as 1,2,3", value);
      }
    }
  }
}
