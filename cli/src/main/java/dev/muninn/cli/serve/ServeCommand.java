package dev.muninn.cli.serve;

import dev.muninn.LanguageModel;
import dev.muninn.cli.help.CommandSection;
import dev.muninn.cli.options.BasicOptions;
import dev.muninn.cli.options.DepthWarning;
import dev.muninn.cli.options.ModelOptions;
import dev.muninn.cli.process.ExitCode;
import dev.muninn.cli.process.ShutdownCancellation;
import dev.muninn.cli.process.TerminationSignal;
import dev.muninn.cli.terminal.StandardStreams;
import dev.muninn.serve.GenerationRequest;
import dev.muninn.text.Prompt;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Answers over HTTP. */
@Command(
    name = "serve",
    description = {
      "Serves a model over HTTP, by OpenAI's interface.",
      "Every call of the model carries all requests, each at its own depth. A page to chat is at /."
          + " Ctrl-C or SIGTERM ends it when answers have ended."
    },
    customSynopsis = "muninn serve [OPTION]...")
@CommandSection.In(CommandSection.RUN)
public final class ServeCommand implements Callable<Integer> {
  private static final long LOOK_MILLIS = 100;

  /** For what follows the answers: connections, the model. */
  private static final Duration GRACE = Duration.ofSeconds(10);

  private final StandardStreams streams;
  private final Map<String, String> environment;

  @Mixin private final ModelOptions modelOptions = new ModelOptions();

  @Mixin private final ServerOptions serverOptions = new ServerOptions();

  @Mixin private final AnswerOptions answerOptions = new AnswerOptions();

  @Mixin private final BasicOptions basicOptions = new BasicOptions();

  public ServeCommand(StandardStreams streams, Map<String, String> environment) {
    this.streams = streams;
    this.environment = environment;
  }

  @Override
  public Integer call() throws IOException {
    Settings settings = serverOptions.settings();
    AnswerOptions.Checked checked = answerOptions.check();
    Path directory = ModelOptions.orBuiltIn(modelOptions.requested().orElse(null), environment);
    int patience = (int) serverOptions.drain().plus(GRACE).toSeconds();
    try (ShutdownCancellation shutdown = new ShutdownCancellation(patience);
        TerminationSignal _ = new TerminationSignal(shutdown.cancellation()::cancel);
        Server server = Server.open(settings, streams.err());
        LanguageModel model =
            LanguageModel.load(
                directory, modelOptions.loadOptions().withService(serverOptions.service()))) {
      Api.Served served = served(model, checked);
      server.serve(served);
      announce(settings.address().getAddress(), server.port(), served);
      while (!shutdown.cancellation().isCancelled()) {
        Thread.sleep(LOOK_MILLIS);
      }
      server.drain(served, serverOptions.drain());
      return ExitCode.OK;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return ExitCode.INTERRUPTED;
    }
  }

  private Api.Served served(LanguageModel model, AnswerOptions.Checked checked) {
    if (model.tokenizer().isEmpty()) {
      throw new IllegalArgumentException(
          "a server needs a tokenizer; " + model.checkpoint().directory() + " has none");
    }
    Defaults defaults = checked.of(model.architecture(), serverOptions.service());
    DepthWarning.check(streams, model.architecture(), List.of(defaults.recurrence()));
    // Requests would be refused one by one.
    GenerationRequest usual =
        GenerationRequest.builder(Prompt.tokens(0))
            .recurrence(defaults.recurrence())
            .decoding(defaults.decoding())
            .build();
    model.requireFit(usual);
    return new Api.Served(model, modelOptions.name(), defaults);
  }

  private void announce(InetAddress address, int port, Api.Served served) {
    String host = address.getHostAddress();
    streams
        .err()
        .println(
            "muninn: "
                + served.name()
                + " on http://"
                + (host.contains(":") ? "[" + host + "]" : host)
                + ":"
                + port
                + "/, "
                + served.defaults().recurrence()
                + (served.defaults().recurrence() == 1 ? " recurrence, " : " recurrences, ")
                + served.model().backendName());
  }
}
