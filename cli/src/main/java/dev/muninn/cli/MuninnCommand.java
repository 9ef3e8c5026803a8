package dev.muninn.cli;

import dev.muninn.LanguageModel;
import dev.muninn.cli.bench.BenchCommand;
import dev.muninn.cli.cache.CacheCommand;
import dev.muninn.cli.chat.ChatCommand;
import dev.muninn.cli.eval.EvalCommand;
import dev.muninn.cli.help.GroupedCommandList;
import dev.muninn.cli.help.GroupedOptionList;
import dev.muninn.cli.inspect.DevicesCommand;
import dev.muninn.cli.inspect.InspectCommand;
import dev.muninn.cli.manual.CompletionCommand;
import dev.muninn.cli.manual.ManCommand;
import dev.muninn.cli.models.ModelsCommand;
import dev.muninn.cli.models.PullCommand;
import dev.muninn.cli.options.PathConverter;
import dev.muninn.cli.options.UsageException;
import dev.muninn.cli.quantize.QuantizeCommand;
import dev.muninn.cli.run.DepthCommand;
import dev.muninn.cli.run.GenerateCommand;
import dev.muninn.cli.run.ScoreCommand;
import dev.muninn.cli.serve.ServeCommand;
import dev.muninn.cli.terminal.StandardStreams;
import dev.muninn.cli.trace.TraceCommand;
import dev.muninn.cli.train.TrainCommand;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
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

  /** What needs a model is begun beside the reading of their options. */
  private static final Set<String> LOADING_COMMANDS = Set.of("generate", "chat", "score");

  /** What speaks of all commands. */
  private static final Set<String> COMMANDS_OF_ALL = Set.of("completion", "man", "help");

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
    if (arguments.length > 1 && LOADING_COMMANDS.contains(arguments[0])) {
      LanguageModel.prepare();
    }
    // picocli would look for Groovy in every jar.
    System.setProperty("picocli.disable.closures", "true");
    CommandLine commandLine = new CommandLine(new MuninnCommand());
    addCommands(commandLine, subcommands(streams, environment), arguments);
    GroupedOptionList.install(commandLine);
    GroupedCommandList.install(commandLine);
    Failures failures = new Failures();
    commandLine
        .setOut(new PrintWriter(streams.out(), true))
        .setErr(streams.err())
        .setUsageHelpLongOptionsMaxWidth(24)
        .registerConverter(Path.class, new PathConverter())
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

  /** The subcommands by name, in the order of the help. */
  private static Map<String, Supplier<Object>> subcommands(
      StandardStreams streams, Map<String, String> environment) {
    Map<String, Supplier<Object>> commands = new LinkedHashMap<>();
    commands.put("generate", () -> new GenerateCommand(streams, environment));
    commands.put("chat", () -> new ChatCommand(streams, environment));
    commands.put("serve", () -> new ServeCommand(streams, environment));
    commands.put("inspect", () -> new InspectCommand(streams, environment));
    commands.put("score", () -> new ScoreCommand(streams, environment));
    commands.put("trace", () -> new TraceCommand(streams, environment));
    commands.put("eval", () -> new EvalCommand(streams, environment));
    commands.put("depth", () -> new DepthCommand(streams, environment));
    commands.put("devices", () -> new DevicesCommand(streams));
    commands.put("bench", () -> new BenchCommand(streams, environment));
    commands.put("pull", () -> new PullCommand(streams, environment));
    commands.put("models", () -> ModelsCommand.create(streams, environment));
    commands.put("quantize", () -> new QuantizeCommand(streams, environment));
    commands.put("train", () -> new TrainCommand(streams, environment));
    commands.put("cache", () -> new CacheCommand(streams, environment));
    commands.put("completion", () -> new CompletionCommand(streams));
    commands.put("man", () -> new ManCommand(streams));
    commands.put("help", HelpCommand::new);
    return commands;
  }

  /**
   * Adds the subcommand that the arguments name, or all of them. Reading the options of each takes
   * as long as a short answer.
   */
  private static void addCommands(
      CommandLine commandLine, Map<String, Supplier<Object>> commands, String[] arguments) {
    String first = arguments.length == 0 ? "" : arguments[0];
    boolean alone = commands.containsKey(first) && !COMMANDS_OF_ALL.contains(first);
    boolean none = arguments.length == 1 && (first.equals("--version") || first.equals("-V"));
    commands.forEach((name, command) -> {
      if (alone ? name.equals(first) : !none) {
        commandLine.addSubcommand(name, command.get());
      }
    });
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
