package dev.muninn.cli.chat;

import dev.muninn.Conversation;
import dev.muninn.LanguageModel;
import dev.muninn.cli.options.DepthWarning;
import dev.muninn.cli.options.UsageException;
import dev.muninn.cli.output.Json;
import dev.muninn.cli.output.ResultJson;
import dev.muninn.cli.output.Statistics;
import dev.muninn.cli.output.Units;
import dev.muninn.cli.process.ExitCode;
import dev.muninn.cli.process.ShutdownCancellation;
import dev.muninn.cli.terminal.LiveOutput;
import dev.muninn.cli.terminal.Printable;
import dev.muninn.cli.terminal.StandardStreams;
import dev.muninn.serve.FinishReason;
import dev.muninn.serve.GenerationListener;
import dev.muninn.serve.GenerationRequest;
import dev.muninn.serve.GenerationResult;
import dev.muninn.text.ChatMessage;
import dev.muninn.weights.AtomicFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The course of a chat: messages are answered, commands obeyed. */
final class Chat {
  private static final String COMMANDS =
      """
      /r N           recurrences of the next answers
      /exit NAME     exit criterion of the next answers, such as kl or latent-diff:0.1; none
      /system TEXT   set the system message; without TEXT, remove it
      /reset         forget the conversation, but for the system message
      /save FILE     write the conversation, as a line for generate --prompts
      /stats         speed and memory of the last answer, and how much was computed
      /help          this list
      /quit          end; so does Ctrl-D
      A \\ at its end continues a line; \""" begins and ends a message of several lines.
      A message that begins with / is typed with another / before it.
      """;

  private final StandardStreams streams;
  private final Map<String, String> environment;
  private final LanguageModel model;
  private final Conversation conversation;
  private final ChatCommand.Settings settings;
  private final ChatInput input;
  private Optional<GenerationResult> last = Optional.empty();
  private boolean failed;

  Chat(
      StandardStreams streams,
      Map<String, String> environment,
      LanguageModel model,
      Conversation conversation,
      ChatCommand.Settings settings,
      ChatInput input) {
    this.streams = streams;
    this.environment = environment;
    this.model = model;
    this.conversation = conversation;
    this.settings = settings;
    this.input = input;
  }

  /**
   * Goes on until the input ends.
   *
   * @return the exit code: without a person at the input, a mistake in it makes the chat fail
   */
  int run() throws IOException {
    if (input.interactive()) {
      note(
          model.checkpoint().directory().getFileName()
              + ", r = "
              + recurrence()
              + ", context "
              + model.architecture().contextLength()
              + "; /help lists commands, Ctrl-D ends");
    }
    warnOfDepth();
    for (Optional<String> read = input.read(); read.isPresent(); read = input.read()) {
      String text = read.get();
      if (text.isBlank()) {
        continue;
      }
      if (text.startsWith("/") && !text.startsWith("//")) {
        String[] words = text.strip().split("\\s+", 2);
        if (words[0].equals("/quit")) {
          break;
        }
        obey(words[0], words.length == 1 ? "" : words[1]);
      } else if (!answer(text.startsWith("/") ? text.substring(1) : text)) {
        return ExitCode.INTERRUPTED;
      }
    }
    return failed && !input.interactive() ? ExitCode.FAILED : ExitCode.OK;
  }

  /** Answers a message; whether the chat continues. */
  private boolean answer(String text) throws IOException {
    int forgotten = conversation.forgotten();
    try (ShutdownCancellation shutdown = new ShutdownCancellation()) {
      input.interruptCancels(shutdown.cancellation());
      LiveOutput output = new LiveOutput(streams.out(), shutdown.cancellation());
      GenerationListener listener = settings.json() ? GenerationListener.NONE : output.text();
      GenerationResult result;
      try {
        result = conversation.ask(text, settings::apply, listener, shutdown.cancellation());
      } catch (IllegalArgumentException e) {
        mistake(e.getMessage());
        return true;
      } catch (RuntimeException | Error failure) {
        output.abandon();
        throw failure;
      }
      last = Optional.of(result);
      if (settings.json()) {
        print(ResultJson.line(null, model, result));
      } else {
        output.finish();
      }
      if (conversation.forgotten() > forgotten) {
        note(
            "the context was full: dropped the oldest "
                + Units.count(conversation.forgotten() - forgotten, "message"));
      }
      if (settings.stats()) {
        printStatistics(result);
      }
      return ended(result);
    }
  }

  private boolean ended(GenerationResult result) {
    if (result.finishReason() == FinishReason.CANCELLED) {
      if (input.interactive()) {
        note("stopped");
      }
      return input.interactive();
    }
    if (result.finishReason() == FinishReason.LENGTH && !settings.json()) {
      note(
          result.tokens().size() == settings.maxTokens()
              ? "cut after " + Units.count(settings.maxTokens(), "token") + ": -n sets how many"
              : "cut: the context is full");
    }
    return true;
  }

  private void obey(String command, String argument) throws IOException {
    try {
      switch (command) {
        case "/r" -> {
          if (!argument.isEmpty()) {
            settings.setRecurrence(recurrence(argument));
            warnOfDepth();
          }
          note("r = " + recurrence());
        }
        case "/exit" -> {
          if (!argument.isEmpty()) {
            settings.setCriterion(argument);
          }
          note("exit " + settings.criterion() + (argument.isEmpty() ? "; /quit ends" : ""));
        }
        case "/system" -> {
          conversation.setSystem(argument.isEmpty() ? Optional.empty() : Optional.of(argument));
          note(argument.isEmpty() ? "no system message" : "system message set");
        }
        case "/reset" -> {
          conversation.reset();
          note("forgot the conversation");
        }
        case "/save" -> save(argument);
        case "/stats" -> {
          if (last.isEmpty()) {
            throw new UsageException("/stats: there is no answer yet");
          }
          printStatistics(last.get());
        }
        case "/help" -> {
          streams.err().print(COMMANDS);
          streams.err().flush();
        }
        default -> throw new UsageException("no command " + command + "; /help lists them");
      }
    } catch (UsageException e) {
      mistake(e.getMessage());
    }
  }

  private void warnOfDepth() {
    DepthWarning.check(streams, model.architecture(), List.of(recurrence()));
  }

  private int recurrence() {
    int recurrence = settings.recurrence();
    return recurrence == GenerationRequest.MODEL_DEFAULT
        ? model.architecture().defaultRecurrence()
        : recurrence;
  }

  private static int recurrence(String argument) {
    if (!argument.matches("[0-9]{1,9}") || Integer.parseInt(argument) == 0) {
      throw new UsageException("/r: expected a whole number of at least 1, not '" + argument + "'");
    }
    return Integer.parseInt(argument);
  }

  private void save(String name) {
    if (name.isEmpty()) {
      throw new UsageException("/save needs a file");
    }
    if (conversation.messages().isEmpty()) {
      throw new UsageException("/save: there is nothing to save yet");
    }
    try {
      String home = environment.getOrDefault("HOME", "");
      Path file =
          name.startsWith("~/") && !home.isEmpty()
              ? Path.of(home, name.substring(2))
              : Path.of(name);
      AtomicFile.write(file, json(conversation.messages()).getBytes(StandardCharsets.UTF_8));
      note("saved to " + file);
    } catch (InvalidPathException e) {
      throw new UsageException("/save: '" + name + "' is not a file name");
    } catch (FileSystemException e) {
      String reason = e.getReason() == null ? "no such directory, or no permission" : e.getReason();
      throw new UsageException("/save: cannot write " + name + ": " + reason);
    } catch (IOException e) {
      throw new UsageException("/save: cannot write " + name + ": " + e.getMessage());
    }
  }

  private static String json(List<ChatMessage> messages) {
    return Json.object(generator -> {
      generator.writeArrayPropertyStart("messages");
      for (ChatMessage message : messages) {
        generator.writeStartObject();
        generator.writeStringProperty("role", message.role());
        generator.writeStringProperty("content", message.content());
        generator.writeEndObject();
      }
      generator.writeEndArray();
    });
  }

  private void printStatistics(GenerationResult result) {
    Statistics.print(streams.err(), model, result);
    int prompt = result.promptTokens().size();
    note(
        Units.format(
            "%-12s %d of %d prompt tokens kept, %d computed; context %d",
            "conversation",
            prompt - result.timings().prefillTokens(),
            prompt,
            result.timings().prefillTokens(),
            model.architecture().contextLength()));
  }

  private void print(String text) throws IOException {
    streams.out().write(text);
    streams.out().flush();
  }

  private void note(String line) {
    streams.err().println(Printable.line(line));
  }

  private void mistake(String message) {
    failed = true;
    note("muninn: " + message);
  }
}
