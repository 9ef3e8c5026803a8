package dev.muninn.cli.run;

import dev.muninn.LanguageModel;
import dev.muninn.backend.InferenceException;
import dev.muninn.cli.help.CommandSection;
import dev.muninn.cli.help.HelpHeading;
import dev.muninn.cli.options.CacheOptions;
import dev.muninn.cli.options.DepthOptions;
import dev.muninn.cli.options.DepthWarning;
import dev.muninn.cli.options.EarlyExitOptions;
import dev.muninn.cli.options.LengthOptions;
import dev.muninn.cli.options.ModelOptions;
import dev.muninn.cli.options.NumberConverters;
import dev.muninn.cli.options.OnOff;
import dev.muninn.cli.options.OutputOptions;
import dev.muninn.cli.options.PromptOptions;
import dev.muninn.cli.options.SamplerOptions;
import dev.muninn.cli.options.StrategyOptions;
import dev.muninn.cli.options.UsageException;
import dev.muninn.cli.output.ResultJson;
import dev.muninn.cli.output.Statistics;
import dev.muninn.cli.process.ExitCode;
import dev.muninn.cli.process.ShutdownCancellation;
import dev.muninn.cli.terminal.LiveOutput;
import dev.muninn.cli.terminal.StandardStreams;
import dev.muninn.decode.Cancellation;
import dev.muninn.decode.DecodingOptions;
import dev.muninn.decode.InitialState;
import dev.muninn.serve.FinishReason;
import dev.muninn.serve.GenerationListener;
import dev.muninn.serve.GenerationRequest;
import dev.muninn.serve.GenerationResult;
import dev.muninn.serve.Outcome;
import dev.muninn.serve.UnfitRequestException;
import dev.muninn.text.ChatMessage;
import dev.muninn.text.Prompt;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.BiFunction;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Continues a prompt. */
@Command(
    name = "generate",
    description = "Continues a prompt.",
    customSynopsis = "muninn generate [OPTION]... [PROMPT]")
@CommandSection.In(CommandSection.RUN)
public final class GenerateCommand implements Callable<Integer> {
  private static final int DEFAULT_BATCH = 8;

  private final StandardStreams streams;
  private final Map<String, String> environment;

  @Mixin private final ModelOptions modelOptions = new ModelOptions();

  @Mixin private final PromptOptions promptOptions = new PromptOptions();

  @Mixin private final ChatOptions chatOptions = new ChatOptions();

  @Mixin private final DepthOptions depthOptions = new DepthOptions();

  @Mixin private final EarlyExitOptions exitOptions = new EarlyExitOptions();

  @Mixin private final CacheOptions cacheOptions = new CacheOptions();

  @Mixin private final StrategyOptions strategyOptions = new StrategyOptions();

  @Mixin private final BatchOptions batchOptions = new BatchOptions();

  @Mixin private final SamplerOptions samplerOptions = new SamplerOptions();

  @Mixin private final LengthOptions lengthOptions = new LengthOptions();

  @Mixin private final GenerateOutputOptions outputOptions = new GenerateOutputOptions();

  public GenerateCommand(StandardStreams streams, Map<String, String> environment) {
    this.streams = streams;
    this.environment = environment;
  }

  @HelpHeading("Conversation")
  private static final class ChatOptions {
    @Option(names = "--chat", description = "Answer the prompt as a user's message.")
    private boolean chat;

    @Option(
        names = "--system",
        paramLabel = "TEXT",
        description = "System message before it (needs --chat).")
    private String system;

    @Option(
        names = "--thinking",
        paramLabel = "on|off",
        converter = OnOff.Converter.class,
        description =
            "Whether the model thinks before it answers, if its chat template asks"
                + " (default: the template's own choice).")
    private OnOff thinking;

    void requireConsistency(PromptOptions promptOptions) {
      if (system != null && !chat) {
        throw new UsageException("--system needs --chat");
      }
      if (thinking != null && !chat) {
        throw new UsageException("--thinking needs --chat");
      }
      if (chat && !promptOptions.isText()) {
        throw new UsageException("--chat needs a text, not --prompt-tokens");
      }
    }

    Prompt layOut(Prompt prompt) {
      if (!(chat && prompt instanceof Prompt.Text(String text))) {
        return prompt;
      }
      List<ChatMessage> messages = new ArrayList<>();
      if (system != null) {
        messages.add(ChatMessage.system(system));
      }
      messages.add(ChatMessage.user(text));
      return Prompt.chat(messages, Optional.ofNullable(thinking).map(OnOff::isOn));
    }
  }

  @HelpHeading("Many prompts")
  private static final class BatchOptions {
    @Option(
        names = "--prompts",
        paramLabel = "FILE",
        description =
            "JSONL: an object with prompt, messages or prompt_tokens a line; the results are JSONL"
                + " in order. - is stdin.")
    private String file;

    @Option(
        names = "--batch",
        paramLabel = "N",
        converter = NumberConverters.Positive.class,
        description = "Most sequences in flight (default: 8).")
    private Integer batchSize;
  }

  private static final class GenerateOutputOptions extends OutputOptions {
    @Option(names = "--stats", description = "Print speed and memory to standard error.")
    private boolean stats;
  }

  @Override
  public Integer call() throws IOException {
    if (batchOptions.file != null) {
      requireBatch();
    } else {
      promptOptions.requireOne();
      if (batchOptions.batchSize != null) {
        throw new UsageException("--batch needs --prompts");
      }
    }
    chatOptions.requireConsistency(promptOptions);
    // Before the prompt: a usage error must not wait for standard input.
    InitialState initialState = depthOptions.initialState();
    DecodingOptions decoding =
        strategyOptions.decodingOptions(exitOptions.exitOptions(), cacheOptions);
    BiFunction<Prompt, Object, GenerationRequest> request =
        (prompt, id) ->
            lengthOptions
                .limit(GenerationRequest.builder(prompt))
                .recurrence(depthOptions.recurrence())
                .initialState(initialState)
                .sampling(samplerOptions.samplingOptions(depthOptions.seed(), id))
                .decoding(decoding)
                .build();
    if (batchOptions.file != null) {
      return generateAll(request);
    }
    GenerationRequest only =
        request.apply(chatOptions.layOut(promptOptions.read(streams.in())), null);
    try (LanguageModel model = modelOptions.load(environment);
        ShutdownCancellation shutdown = new ShutdownCancellation()) {
      warnOfDepth(model);
      GenerationResult result = generate(model, only, shutdown.cancellation());
      if (outputOptions.stats) {
        Statistics.print(streams.err(), model, result);
      }
      return result.finishReason() == FinishReason.CANCELLED ? ExitCode.INTERRUPTED : ExitCode.OK;
    }
  }

  private void warnOfDepth(LanguageModel model) {
    DepthWarning.check(streams, model.architecture(), List.of(depthOptions.recurrence()));
    depthOptions.warnIfUnused(streams, model.architecture());
  }

  private void requireBatch() {
    if (promptOptions.given()) {
      throw new UsageException("--prompts and another prompt exclude each other");
    }
    if (chatOptions.chat) {
      throw new UsageException("--chat excludes --prompts: put the conversation into its messages");
    }
    if (!strategyOptions.isSequential()) {
      throw new UsageException(
          "--prompts excludes --draft-recurrence and --parallel, which are for a single prompt");
    }
  }

  private int generateAll(BiFunction<Prompt, Object, GenerationRequest> request)
      throws IOException {
    List<PromptLines.Line> lines = PromptLines.read(batchOptions.file, streams.in());
    List<GenerationRequest> requests =
        lines.stream().map(l -> request.apply(l.prompt(), l.id())).toList();
    try (LanguageModel model = modelOptions.load(environment);
        ShutdownCancellation shutdown = new ShutdownCancellation();
        OrderedResults results =
            new OrderedResults(streams, lines, model, shutdown.cancellation())) {
      warnOfDepth(model);
      int batchSize = batchOptions.batchSize == null ? DEFAULT_BATCH : batchOptions.batchSize;
      long start = System.nanoTime();
      List<Outcome<GenerationResult>> made =
          model.generateAll(requests, batchSize, results::accept, shutdown.cancellation());
      long nanos = System.nanoTime() - start;
      results.finish(made);
      if (outputOptions.stats) {
        List<GenerationResult> begun =
            made.stream().flatMap(outcome -> outcome.result().stream()).toList();
        Statistics.print(streams.err(), model, begun, nanos);
      }
      requireNoFailure(lines, made);
      return shutdown.cancellation().isCancelled() ? ExitCode.INTERRUPTED : ExitCode.OK;
    } catch (UnfitRequestException e) {
      String where = lines.get(e.index()).where();
      throw new IllegalArgumentException(where + ": " + e.reason(), e);
    }
  }

  /** Says which prompt failed; what became of the others is written. */
  private static void requireNoFailure(
      List<PromptLines.Line> lines, List<Outcome<GenerationResult>> made) {
    for (int i = 0; i < made.size(); i++) {
      if (made.get(i).failure().orElse(null) instanceof InferenceException failure) {
        throw new InferenceException(lines.get(i).where() + ": " + failure.getMessage(), failure);
      }
      if (made.get(i).failure().isPresent()) {
        made.get(i).orElseThrow();
      }
    }
  }

  private GenerationResult generate(
      LanguageModel model, GenerationRequest request, Cancellation cancellation)
      throws IOException {
    if (outputOptions.json()) {
      GenerationResult result = model.generate(request, GenerationListener.NONE, cancellation);
      streams.out().write(ResultJson.line(null, model, result));
      streams.out().flush();
      return result;
    }
    LiveOutput output = new LiveOutput(streams.out(), cancellation);
    GenerationListener listener = model.tokenizer().isPresent() ? output.text() : output.tokens();
    GenerationResult result;
    try {
      result = model.generate(request, listener, cancellation);
    } catch (RuntimeException | Error failure) {
      output.abandon();
      throw failure;
    }
    output.finish();
    return result;
  }
}
