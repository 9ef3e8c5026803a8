package dev.muninn.cli.manual;

import dev.muninn.cli.help.CommandSection;
import dev.muninn.cli.help.HelpHeading;
import dev.muninn.cli.options.BasicOptions;
import dev.muninn.cli.options.NumberConverters;
import dev.muninn.cli.process.ExitCode;
import dev.muninn.cli.terminal.StandardStreams;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Writes a script by which a shell completes commands, options and their values. */
@Command(
    name = "completion",
    description = {
      "Prints a script by which a shell completes the command line.",
      "In ~/.bashrc: source <(muninn completion bash). In ~/.zshrc: source <(muninn completion zsh)."
    },
    customSynopsis = "muninn completion bash|zsh")
@CommandSection.In(CommandSection.PROGRAM)
public final class CompletionCommand implements Callable<Integer> {
  /** Labels such as {@code f32|bf16}: the values are all there are. */
  private static final Pattern CHOICE = Pattern.compile("[a-z0-9-]+(\\|[a-z0-9-]+)+");

  private final StandardStreams streams;

  @Spec private CommandSpec spec;

  @Mixin private final ShellArgument shellArgument = new ShellArgument();

  @Mixin private final BasicOptions basicOptions = new BasicOptions();

  /** A command that prints to these streams. */
  public CompletionCommand(StandardStreams streams) {
    this.streams = streams;
  }

  @HelpHeading("Shell")
  private static final class ShellArgument {
    @Parameters(
        paramLabel = "bash|zsh",
        converter = ShellConverter.class,
        description = "The shell. One script serves both.")
    private String shell;
  }

  @Override
  public Integer call() throws IOException {
    CommandLine root = spec.root().commandLine();
    root.getSubcommands().values().forEach(command -> offerChoices(command.getCommandSpec()));
    streams.out().write(AutoComplete.bash(spec.root().name(), root));
    streams.out().flush();
    return ExitCode.OK;
  }

  private static void offerChoices(CommandSpec command) {
    List<OptionSpec> choices = new ArrayList<>();
    for (OptionSpec option : command.options()) {
      if (CHOICE.matcher(option.paramLabel()).matches()) {
        choices.add(option);
      }
    }
    for (OptionSpec option : choices) {
      command.remove(option);
      command.addOption(
          OptionSpec.builder(option)
              .completionCandidates(List.of(option.paramLabel().split("\\|")))
              .build());
    }
  }

  private static final class ShellConverter implements ITypeConverter<String> {
    @Override
    public String convert(String value) {
      if (value.equals("bash") || value.equals("zsh")) {
        return value;
      }
      throw NumberConverters.expected("bash or zsh", value);
    }
  }
}
