package dev.muninn.cli.chat;

import dev.muninn.Conversation;
import dev.muninn.LanguageModel;
import dev.muninn.cli.files.UserDirectories;
import dev.muninn.cli.help.CommandSection;
import dev.muninn.cli.help.HelpHeading;
import dev.muninn.cli.options.CacheOptions;
import dev.muninn.cli.options.DepthOptions;
import dev.muninn.cli.options.EarlyExitOptions;
import dev.muninn.cli.options.LengthOptions;
import dev.muninn.cli.options.ModelOptions;
import dev.muninn.cli.options.OnOff;
import dev.muninn.cli.options.OutputOptions;
import dev.muninn.cli.options.SamplerOptions;
import dev.muninn.cli.options.SequentialStrategyOptions;
import dev.muninn.cli.terminal.StandardStreams;
import dev.muninn.cli.terminal.Terminal;
import dev.muninn.decode.DecodingOptions;
import dev.muninn.decode.ExitOptions;
import dev.muninn.decode.InitialState;
import dev.muninn.decode.SamplingOptions;
import dev.muninn.serve.GenerationRequest;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Converses with a model. */
@CommandSection.In(CommandSection.RUN)
@Command(
    name = "chat",
    description = {
      "Converses with a model.",
      "On a terminal Ctrl-C stops an answer and Ctrl-D ends; a pipe is read message by message, a"
          + " line each. /help lists the commands."
    },
    customSynopsis = "muninn chat [OPTION]...")
public final class ChatCommand implements Callable<Integer> {
  /** Keys and values of such rows are the same whether a prompt is computed whole or as it grew. */
  private static final ExitOptions.Prefill PREFILL_EXIT = ExitOptions.Prefill.ROW;

  private final StandardStreams streams;
  private final Map<String, String> environment;

  @Mixin private final ModelOptions modelOptions = new ModelOptions();

  @Mixin private final SystemOption systemOption = new SystemOption();

  @Mixin private final DepthOptions depthOptions = new DepthOptions();

  @Mixin private final EarlyExitOptions exitOptions = new EarlyExitOptions();

  @Mixin private final CacheOptions cacheOptions = new CacheOptions();

  @Mixin private final SequentialStrategyOptions strategyOptions = new SequentialStrategyOptions();

  @Mixin private final SamplerOptions samplerOptions = new SamplerOptions();

  @Mixin private final LengthOptions lengthOptions = new LengthOptions();

  @Mixin private final ChatOutputOptions outputOptions = new ChatOutputOptions();

  public ChatCommand(StandardStreams streams, Map<String, String> environment) {
    this.streams = streams;
    this.environment = environment;
  }

  @HelpHeading("Conversation")
  private static final class SystemOption {
    @Option(names = "--system", paramLabel = "TEXT", description = "System message.")
    private String system;

    @Option(
        names = "--thinking",
        paramLabel = "on|off",
        converter = OnOff.Converter.class,
        description =
            "Whether the model thinks before it answers, if its chat template asks"
                + " (default: the template's own choice).")
    private OnOff thinking;
  }

  private static final class ChatOutputOptions extends OutputOptions {
    @Option(
        names = "--stats",
        description = "Print speed and memory of each answer to standard error.")
    private boolean stats;
  }

  /** The settings of an answer, which can change during the chat. */
  final class Settings {
    private int recurrence = depthOptions.recurrence();
    private String criterion = exitOptions.criterion();
    private final InitialState initialState = depthOptions.initialState();
    private final SamplingOptions sampling = samplerOptions.samplingOptions(depthOptions.seed());
    private DecodingOptions decoding = decoding(exitOptions.exitOptions(PREFILL_EXIT));

    private DecodingOptions decoding(ExitOptions exit) {
      return strategyOptions.decodingOptions(exit, cacheOptions);
    }

    /** Gives a request all but its prompt. */
    GenerationRequest.Builder apply(GenerationRequest.Builder request) {
      return lengthOptions
          .limit(request)
          .recurrence(recurrence)
          .initialState(initialState)
          .sampling(sampling)
          .decoding(decoding);
    }

    int recurrence() {
      return recurrence;
    }

    void setRecurrence(int recurrence) {
      this.recurrence = recurrence;
    }

    String criterion() {
      return criterion;
    }

    /** Sets the exit criterion, as the option names it. */
    void setCriterion(String name) {
      decoding = decoding(exitOptions.exitOptions(name, PREFILL_EXIT));
      criterion = name;
    }

    int maxTokens() {
      return lengthOptions.maxTokens();
    }

    boolean json() {
      return outputOptions.json();
    }

    boolean stats() {
      return outputOptions.stats;
    }
  }

  @Override
  public Integer call() throws IOException {
    Settings settings = new Settings();
    try (LanguageModel model = modelOptions.load(environment);
        Conversation conversation =
            new Conversation(model, Optional.ofNullable(systemOption.thinking).map(OnOff::isOn));
        ChatInput input = input()) {
      conversation.setSystem(Optional.ofNullable(systemOption.system));
      depthOptions.warnIfUnused(streams, model.architecture());
      return new Chat(streams, environment, model, conversation, settings, input).run();
    }
  }

  private ChatInput input() throws IOException {
    // Only the process's own input can be a terminal.
    return streams.in() == System.in && Terminal.isDialogue()
        ? TerminalInput.open(history())
        : new PipedInput(streams.in());
  }

  private Optional<Path> history() {
    try {
      return Optional.of(UserDirectories.history(environment));
    } catch (IOException e) {
      return Optional.empty();
    }
  }
}
