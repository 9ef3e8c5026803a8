package dev.muninn.cli.manual;

import dev.muninn.cli.help.CommandSection;
import dev.muninn.cli.help.HelpHeading;
import dev.muninn.cli.options.BasicOptions;
import dev.muninn.cli.options.UsageException;
import dev.muninn.cli.process.ExitCode;
import dev.muninn.cli.terminal.StandardStreams;
import dev.muninn.weights.AtomicFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Writes manual pages. */
@Command(
    name = "man",
    description = {
      "Prints the manual page of a command.",
      "To read one: muninn man generate | man -l -"
    },
    customSynopsis = {"muninn man [COMMAND]", "       muninn man --to DIR"})
@CommandSection.In(CommandSection.PROGRAM)
public final class ManCommand implements Callable<Integer> {
  private final StandardStreams streams;

  @Spec private CommandSpec spec;

  @Mixin private final PageOptions pageOptions = new PageOptions();

  @Mixin private final BasicOptions basicOptions = new BasicOptions();

  /** A command that prints to these streams. */
  public ManCommand(StandardStreams streams) {
    this.streams = streams;
  }

  @HelpHeading("Page")
  private static final class PageOptions {
    @Parameters(arity = "0..1", paramLabel = "COMMAND", description = "Default: muninn itself.")
    private String command;

    @Option(
        names = "--to",
        paramLabel = "DIR",
        description = "Write the pages of all commands to a directory.")
    private Path directory;
  }

  @Override
  public Integer call() throws IOException {
    CommandSpec root = spec.root();
    if (pageOptions.directory != null) {
      if (pageOptions.command != null) {
        throw new UsageException("--to writes the pages of all commands, not of one");
      }
      Files.createDirectories(pageOptions.directory);
      write(root);
      for (CommandLine subcommand : root.subcommands().values()) {
        write(subcommand.getCommandSpec());
      }
      return ExitCode.OK;
    }
    streams.out().write(ManualPage.of(command(root)));
    streams.out().flush();
    return ExitCode.OK;
  }

  private CommandSpec command(CommandSpec root) {
    if (pageOptions.command == null) {
      return root;
    }
    CommandLine found = root.subcommands().get(pageOptions.command);
    if (found == null) {
      throw new UsageException(
          "unknown command '"
              + pageOptions.command
              + "', expected one of "
              + String.join(", ", root.subcommands().keySet()));
    }
    return found.getCommandSpec();
  }

  private void write(CommandSpec command) throws IOException {
    AtomicFile.write(
        pageOptions.directory.resolve(ManualPage.fileName(command)),
        ManualPage.of(command).getBytes(StandardCharsets.UTF_8));
  }
}
