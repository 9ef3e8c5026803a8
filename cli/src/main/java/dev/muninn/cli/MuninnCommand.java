package dev.muninn.cli;

import dev.muninn.cli.chat.ChatCommand;
import dev.muninn.cli.bench.BenchCommand;
import dev.muninn.cli.eval.EvalCommand;
import dev.muninn.cli.manual.CompletionCommand;
import dev.muninn.cli.manual.ManCommand;
import dev.muninn.cli.train.TrainCommand;
import dev.muninn.cli.models.ModelsCommand;
import dev.muninn.cli.models.PullCommand;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.HelpCommand;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The command without a subcommand: only help and version. */
@Command(
    name = "muninn",
    description = "Runs and trains recurrent-depth language models.",
    synopsisSubcommandLabel = "COMMAND",
    versionProvider = MuninnCommand.Version.class,
    footer = {"", "For example: muninn generate \"47+8=\""})
final class MuninnCommand implements Callable<Integer> {

  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      description = "Print this help.")
  private boolean help;

  @Option(
      names = {"-V", "--version"},
      versionHelp = true,
      description = "Print the version.")
  private boolean version;

  @Spec private CommandSpec spec;

  private MuninnCommand() {}

  @Override
  public Integer call() {
    throw new UsageException("a command is missing");
  }

  /**
   * Runs one command.
   *
   * @param environment the environment variables, which say where the built-in model is kept
   * @return the exit code
   */
  static int run(StandardStreams streams, Map<String, String> environment, String... arguments) {
    CommandLine commandLine =
        new CommandLine(new MuninnCommand())
            .addSubcommand(new GenerateCommand(streams, environment))
            .addSubcommand(new ChatCommand(streams, environment))
            .addSubcommand(new InspectCommand(streams, environment))
            .addSubcommand(new ScoreCommand(streams, environment))
            .addSubcommand(new EvalCommand(streams, environment))
            .addSubcommand(new DepthCommand(streams, environment))
            .addSubcommand(new TraceCommand(streams, environment))
            .addSubcommand(new TrainCommand(streams, environment))
            .addSubcommand(new BenchCommand(streams, environment))
            .addSubcommand(new CompletionCommand(streams))
            .addSubcommand(new ManCommand(streams))
            .addSubcommand(new PullCommand(streams, environment))
            .addSubcommand(ModelsCommand.create(streams, environment))
            .addSubcommand(new HelpCommand());
    GroupedOptionList.install(commandLine);
    GroupedCommandList.install(commandLine);
    Failures failures = new Failures();
    commandLine
        .setOut(new PrintWriter(streams.out(), true))
        .setErr(streams.err())
        .setUsageHelpLongOptionsMaxWidth(24)
        // A prompt may begin with @, which is no file of arguments then.
        .setExpandAtFiles(false)
        // Asking whether this is a terminal loads the JDK's line editor.
        .setColorScheme(CommandLine.Help.defaultColorScheme(Ansi.OFF))
        .setAllowOptionsAsOptionParameters(true)
        .setParameterExceptionHandler(failures)
        .setExecutionExceptionHandler(failures);
    try {
      return commandLine.execute(arguments);
    } catch (Error error) {
      // An error is not an exception to picocli, and a stack trace is not one line.
      return Failures.handle(error, innermost(commandLine));
    }
  }

  private static CommandLine innermost(CommandLine commandLine) {
    CommandLine innermost = commandLine;
    while (innermost.getParseResult().hasSubcommand()) {
      innermost = innermost.getParseResult().subcommand().commandSpec().commandLine();
    }
    return innermost;
  }

  /** Reads the version that the build wrote. */
  static final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() {
      Properties properties = new Properties();
      try (InputStream stream = MuninnCommand.class.getResourceAsStream("version.properties")) {
        properties.load(stream);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      return new String[] {"muninn " + properties.getProperty("version")};
    }
  }
}
