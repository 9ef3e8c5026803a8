package dev.muninn.cli;

import dev.muninn.Cancellation;
import dev.muninn.FinishReason;
import dev.muninn.GenerationListener;
import dev.muninn.GenerationRequest;
import dev.muninn.GenerationResult;
import dev.muninn.LanguageModel;
import dev.muninn.Prompt;
import dev.muninn.Timings;
import dev.muninn.decode.InitialState;
import dev.muninn.text.ChatMessage;
import java.io.IOException;
import java.util.ArrayList;
import java.util.IntSummaryStatistics;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Continues a prompt. */
@Command(
    name = "generate",
    description = "Continues a prompt.",
    customSynopsis = "muninn generate [OPTION]... [PROMPT]")
final class GenerateCommand implements Callable<Integer> {
  private static final String SPEED = "%d tokens in %.1f ms, %.1f tokens/s";

  private final StandardStreams streams;
  private final Map<String, String> environment;

  @Mixin private final ModelOptions modelOptions = new ModelOptions();

  @Mixin private final PromptOptions promptOptions = new PromptOptions();

  @Mixin private final ChatOptions chatOptions = new ChatOptions();

  @Mixin private final DepthOptions depthOptions = new DepthOptions();

  @Mixin private final SamplerOptions samplerOptions = new SamplerOptions();

  @Mixin private final LengthOptions lengthOptions = new LengthOptions();

  @Mixin private final GenerateOutputOptions outputOptions = new GenerateOutputOptions();

  GenerateCommand(StandardStreams streams, Map<String, String> environment) {
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

    void requireConsistency(PromptOptions promptOptions) {
      if (system != null && !chat) {
        throw new UsageException("--system needs --chat");
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
      return Prompt.chat(messages);
    }
  }

  @HelpHeading("Length")
  private static final class LengthOptions {
    @Option(
        names = {"-n", "--max-tokens"},
        paramLabel = "N",
        converter = NumberConverters.Positive.class,
        description = "Most tokens to generate (default: 128).")
    private int maxTokens = 128;

    @Option(
        names = "--stop",
        paramLabel = "TEXT",
        description = "End before this text; may be repeated.")
    private List<String> stops = new ArrayList<>();

    @Option(names = "--ignore-eos", description = "Go on after an end-of-sequence token.")
    private boolean ignoreEndOfSequence;

    @Option(
        names = "--context",
        paramLabel = "N",
        converter = NumberConverters.Positive.class,
        description = "Positions to reserve (default: as needed).")
    private int contextLength = GenerationRequest.MODEL_DEFAULT;
  }

  private static final class GenerateOutputOptions extends OutputOptions {
    @Option(names = "--stats", description = "Print speed and memory to standard error.")
    private boolean stats;
  }

  @Override
  public Integer call() throws IOException {
    promptOptions.requireOne();
    chatOptions.requireConsistency(promptOptions);
    // Before the prompt: a usage error must not wait for standard input.
    InitialState initialState = depthOptions.initialState();
    GenerationRequest request =
        GenerationRequest.builder(chatOptions.layOut(promptOptions.read(streams.in())))
            .maxTokens(lengthOptions.maxTokens)
            .recurrence(depthOptions.recurrence())
            .initialState(initialState)
            .sampling(samplerOptions.samplingOptions(depthOptions.seed()))
            .stop(lengthOptions.stops.toArray(String[]::new))
            .ignoreEndOfSequence(lengthOptions.ignoreEndOfSequence)
            .contextLength(lengthOptions.contextLength)
            .build();
    try (LanguageModel model = modelOptions.load(environment);
        ShutdownCancellation shutdown = new ShutdownCancellation()) {
      GenerationResult result = generate(model, request, shutdown.cancellation());
      if (outputOptions.stats) {
        printStatistics(model, result);
      }
      return result.finishReason() == FinishReason.CANCELLED ? ExitCode.INTERRUPTED : ExitCode.OK;
    }
  }

  private GenerationResult generate(
      LanguageModel model, GenerationRequest request, Cancellation cancellation)
      throws IOException {
    if (outputOptions.json()) {
      GenerationResult result = model.generate(request, GenerationListener.NONE, cancellation);
      streams.out().write(json(model, result));
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

  private static String json(LanguageModel model, GenerationResult result) {
    return Json.object(generator -> {
      Json.integers(generator, "prompt_tokens", result.promptTokens());
      Json.integers(generator, "tokens", result.tokens());
      generator.writeStringProperty("text", result.text().orElse(null));
      Json.integers(generator, "recurrences", result.recurrences());
      generator.writeStringProperty(
          "finish_reason", result.finishReason().name().toLowerCase(Locale.ROOT));
      generator.writeObjectPropertyStart("timings");
      Timings timings = result.timings();
      Json.number(generator, "load_ms", Units.milliseconds(model.loadNanos()));
      Json.number(generator, "prefill_ms", Units.milliseconds(timings.prefillNanos()));
      Json.number(generator, "prefill_tokens_per_second", timings.prefillTokensPerSecond());
      Json.number(generator, "decode_ms", Units.milliseconds(timings.decodeNanos()));
      Json.number(generator, "decode_tokens_per_second", timings.decodeTokensPerSecond());
      generator.writeEndObject();
    });
  }

  private void printStatistics(LanguageModel model, GenerationResult result) {
    Timings timings = result.timings();
    statistic("load", "%.1f ms", Units.milliseconds(model.loadNanos()));
    statistic(
        "prefill",
        SPEED,
        timings.prefillTokens(),
        Units.milliseconds(timings.prefillNanos()),
        timings.prefillTokensPerSecond());
    statistic(
        "decode",
        SPEED,
        timings.decodeTokens(),
        Units.milliseconds(timings.decodeNanos()),
        timings.decodeTokensPerSecond());
    statistic("recurrences", "%s", recurrences(result.recurrences()));
    statistic("mapped", "%s of weights", Units.bytes(model.checkpoint().mappedBytes()));
    statistic("KV cache", "%s", Units.bytes(result.keyValueBytes()));
    statistic("backend", "%s", model.backendName());
  }

  private static String recurrences(List<Integer> recurrences) {
    if (recurrences.isEmpty()) {
      return "none";
    }
    IntSummaryStatistics statistics =
        recurrences.stream().mapToInt(Integer::intValue).summaryStatistics();
    return Units.format(
        "%.2f a forward (%d to %d)",
        statistics.getAverage(), statistics.getMin(), statistics.getMax());
  }

  private void statistic(String name, String pattern, Object... values) {
    streams.err().println(Units.format("%-12s ", name) + Units.format(pattern, values));
  }
}
