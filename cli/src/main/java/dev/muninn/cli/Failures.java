package dev.muninn.cli;

import dev.muninn.backend.BackendException;
import dev.muninn.backend.InferenceException;
import dev.muninn.cli.files.FileProblem;
import dev.muninn.cli.help.Suggestions;
import dev.muninn.cli.options.BasicOptions;
import dev.muninn.cli.options.PathConverter;
import dev.muninn.cli.options.PromptOptions;
import dev.muninn.cli.options.UsageException;
import dev.muninn.cli.process.ExitCode;
import dev.muninn.cli.terminal.Printable;
import dev.muninn.cli.terminal.StandardStreams;
import dev.muninn.train.TrainingException;
import dev.muninn.weights.Checkpoint;
import dev.muninn.weights.CheckpointException;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.InvalidPathException;
import java.util.Optional;
import picocli.CommandLine;
import picocli.CommandLine.IExecutionExceptionHandler;
import picocli.CommandLine.IParameterExceptionHandler;
import picocli.CommandLine.MissingParameterException;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.OverwrittenOptionException;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.TypeConversionException;
import picocli.CommandLine.UnmatchedArgumentException;

/** Turns whatever went wrong into one line on standard error and an exit code. */
public final class Failures implements IParameterExceptionHandler, IExecutionExceptionHandler {
  private static final String BROKEN_PIPE = StandardStreams.OUTPUT_FAILED + "Broken pipe";

  @Override
  public int handleParseException(ParameterException exception, String[] arguments) {
    return usage(exception.getCommandLine(), describe(exception));
  }

  @Override
  public int handleExecutionException(
      Exception exception, CommandLine command, ParseResult parsed) {
    return handle(exception, command);
  }

  /**
   * Reports a failure of a command that was parsed.
   *
   * @param command the subcommand that failed
   * @return the exit code
   */
  static int handle(Throwable failure, CommandLine command) {
    if (command.getParseResult().hasMatchedOption(BasicOptions.VERBOSE)) {
      StringWriter trace = new StringWriter();
      failure.printStackTrace(new PrintWriter(trace));
      command.getErr().print(Printable.text(trace.toString()));
    }
    return switch (failure) {
      case UsageException usage -> usage(command, usage.getMessage());
      case InvalidPathException path ->
          report(command, PathConverter.describe(path), ExitCode.FAILED);
      // The engine's word for a request that this model cannot serve.
      case IllegalArgumentException request when request.getMessage() != null ->
          report(command, request.getMessage(), ExitCode.USAGE);
      case CheckpointException checkpoint ->
          report(command, checkpoint.getMessage(), ExitCode.FAILED);
      case TrainingException training -> report(command, training.getMessage(), ExitCode.FAILED);
      case BackendException backend -> report(command, backend.getMessage(), ExitCode.FAILED);
      case InferenceException inference -> report(command, inference.getMessage(), ExitCode.FAILED);
      // The reader of a pipe has had enough, as head does: that is no news to anybody.
      case IOException pipe when BROKEN_PIPE.equals(pipe.getMessage()) -> ExitCode.FAILED;
      case IOException io -> report(command, FileProblem.describe(io), ExitCode.FAILED);
      case OutOfMemoryError memory ->
          report(
              command,
              "out of memory ("
                  + memory.getMessage()
                  + "): a shorter --context or a smaller --recurrence needs less",
              ExitCode.FAILED);
      case InternalError fault when Checkpoint.isLostData(fault) ->
          report(
              command,
              "a file of weights has shrunk while it was read; expected it to stay as it is",
              ExitCode.FAILED);
      default ->
          report(
              command, "internal error: " + failure + " (--verbose says where)", ExitCode.FAILED);
    };
  }

  private static int usage(CommandLine command, String message) {
    String help = " (see '" + command.getCommandSpec().qualifiedName() + " --help')";
    return report(command, message + help, ExitCode.USAGE);
  }

  private static int report(CommandLine command, String message, int exitCode) {
    command.getErr().println("muninn: " + Printable.line(message));
    return exitCode;
  }

  private static String describe(ParameterException exception) {
    return switch (exception) {
      case UnmatchedArgumentException unmatched -> describe(unmatched);
      case MissingParameterException missing when missing.getMissing().size() == 1 ->
          name(missing.getMissing().getFirst()) + " needs a value";
      case OverwrittenOptionException twice ->
          name(twice.getOverwritten()) + " is given more than once";
      case ParameterException bad
          when bad.getArgSpec() != null
              && bad.getCause() instanceof TypeConversionException cause ->
          name(bad.getArgSpec()) + ": " + cause.getMessage();
      default -> exception.getMessage().replaceFirst("\\.$", "");
    };
  }

  private static String describe(UnmatchedArgumentException exception) {
    CommandSpec command = exception.getCommandLine().getCommandSpec();
    String argument = exception.getUnmatched().getFirst();
    if (command.findOption(argument) != null) {
      return "option '" + argument + "' must go before --";
    }
    boolean option = exception.isUnknownOption();
    String what =
        option
            ? "unknown option"
            : command.subcommands().isEmpty() ? "unexpected argument" : "unknown command";
    String unmatched = what + " '" + argument + "'";
    Optional<String> meant = Suggestions.of(command, argument, exception.getSuggestions());
    if (meant.isPresent()) {
      return unmatched + ", did you mean " + meant.get() + "?";
    }
    if (command.findOption(PromptOptions.TEXT) == null) {
      return unmatched;
    }
    return unmatched
        + (option
            ? "; a prompt that begins with - goes after --prompt"
            : "; a prompt of several words needs quotes");
  }

  private static String name(ArgSpec argument) {
    return argument instanceof OptionSpec option
        ? String.join("/", option.names())
        : argument.paramLabel();
  }
}
