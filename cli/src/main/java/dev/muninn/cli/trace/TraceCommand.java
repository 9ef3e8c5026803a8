package dev.muninn.cli.trace;

import dev.muninn.LanguageModel;
import dev.muninn.cli.help.CommandSection;
import dev.muninn.cli.options.CacheOptions;
import dev.muninn.cli.options.DepthOptions;
import dev.muninn.cli.options.DepthWarning;
import dev.muninn.cli.options.ModelOptions;
import dev.muninn.cli.options.PromptOptions;
import dev.muninn.cli.output.Json;
import dev.muninn.cli.process.ExitCode;
import dev.muninn.cli.process.ShutdownCancellation;
import dev.muninn.cli.terminal.Progress;
import dev.muninn.cli.terminal.StandardStreams;
import dev.muninn.cli.terminal.Terminal;
import dev.muninn.decode.DecodingOptions;
import dev.muninn.decode.ExitOptions;
import dev.muninn.decode.InitialState;
import dev.muninn.decode.Strategy;
import dev.muninn.text.Prompt;
import dev.muninn.trace.Trace;
import dev.muninn.trace.TraceListener;
import dev.muninn.trace.TraceRequest;
import dev.muninn.weights.CheckpointException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Shows a prompt's thought: its latent states at every recurrence, and what they would say. */
@CommandSection.In(CommandSection.UNDERSTAND)
@Command(
    name = "trace",
    description = {
      "Shows the thought behind each token of a prompt.",
      "How the latent state settles, the shape of its path, what the model would say at each"
          + " recurrence, and whether the start matters."
    },
    customSynopsis = "muninn trace [OPTION]... [PROMPT]")
public final class TraceCommand implements Callable<Integer> {
  private final StandardStreams streams;
  private final Map<String, String> environment;

  @Mixin private final ModelOptions modelOptions = new ModelOptions();

  @Mixin private final PromptOptions promptOptions = new PromptOptions();

  @Mixin private final DepthOptions depthOptions = new DepthOptions();

  @Mixin private final CacheOptions cacheOptions = new CacheOptions();

  @Mixin private final TraceOptions traceOptions = new TraceOptions();

  @Mixin private final TraceOutputOptions outputOptions = new TraceOutputOptions();

  public TraceCommand(StandardStreams streams, Map<String, String> environment) {
    this.streams = streams;
    this.environment = environment;
  }

  @Override
  public Integer call() throws IOException {
    promptOptions.requireOne();
    List<InitialState> initialStates = traceOptions.initialStates(depthOptions.initialState());
    outputOptions.requireConsistent();
    Prompt prompt = promptOptions.read(streams.in());
    TraceRequest request =
        new TraceRequest(
            prompt,
            depthOptions.recurrence(),
            initialStates,
            traceOptions.top(),
            new DecodingOptions(
                cacheOptions.policy(),
                cacheOptions.type(),
                ExitOptions.none(),
                false,
                Strategy.sequential()));
    try (OutputDirectory directory = outputOptions.directory();
        LanguageModel model = modelOptions.load(environment);
        ShutdownCancellation shutdown = new ShutdownCancellation()) {
      DepthWarning.check(streams, model.architecture(), List.of(depthOptions.recurrence()));
      depthOptions.warnIfUnused(streams, model.architecture());
      Optional<Trace> traced;
      try (TraceProgress progress = new TraceProgress()) {
        traced =
            model.trace(
                request,
                directory.work().resolve(TraceReport.LATENTS),
                progress,
                shutdown.cancellation());
      } catch (CheckpointException e) {
        throw directory.named(e);
      }
      if (traced.isEmpty()) {
        return ExitCode.INTERRUPTED;
      }
      TraceAnalysis analysis;
      try (Trace trace = traced.get()) {
        analysis =
            TraceAnalysis.of(
                trace,
                traceOptions.settle(),
                modelOptions.name(),
                new TokenTexts(model.tokenizer()));
      }
      if (outputOptions.out().isPresent()) {
        write(analysis, directory);
      }
      print(analysis);
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
    return ExitCode.OK;
  }

  private void write(TraceAnalysis analysis, OutputDirectory directory) throws IOException {
    try {
      new TraceReport(analysis, traceOptions.detail()).write(directory.work());
      directory.commit();
    } catch (IOException e) {
      throw directory.named(e);
    }
  }

  private void print(TraceAnalysis analysis) throws IOException {
    if (outputOptions.json()) {
      streams.out().write(Json.object(new TraceJson(analysis)::writeSummary));
    } else {
      streams.colours().write(new TerminalSummary(analysis, colour()).lines());
      streams.colours().flush();
      Optional<Path> out = outputOptions.out();
      if (out.isPresent()) {
        streams.out().write("report: " + out.get().resolve(TraceReport.PAGE) + "\n");
      }
    }
    streams.out().flush();
  }

  /** As <a href="https://no-color.org">no-color.org</a> has it. */
  private boolean colour() {
    return environment.getOrDefault("NO_COLOR", "").isEmpty()
        && !"dumb".equals(environment.get("TERM"))
        && Terminal.isStandardOutput();
  }

  /** A bar on a terminal, which begins when it is known how much there is. */
  private static final class TraceProgress implements TraceListener, AutoCloseable {
    private Progress bar;

    @Override
    public void progressed(long done, long total) {
      if (bar == null) {
        bar = new Progress(Terminal.isStandardError(), "tracing", total);
      }
      bar.stepTo(done);
    }

    @Override
    public void close() {
      if (bar != null) {
        bar.close();
      }
    }
  }
}
