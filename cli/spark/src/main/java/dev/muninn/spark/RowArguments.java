package dev.muninn.spark;

import dev.muninn.cli.options.BasicOptions;
import dev.muninn.cli.options.DepthOptions;
import dev.muninn.cli.options.UsageException;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.ParameterException;

/** What jobs that take rows have in common. */
abstract class RowArguments {
  @Mixin private final FileOptions files = new FileOptions();

  @Mixin private final ModelOptions model = new ModelOptions();

  @Mixin private final DepthOptions depth = new DepthOptions();

  @Mixin private final RowOptions rows = new RowOptions();

  @Mixin private final BasicOptions basic = new BasicOptions();

  final FileOptions files() {
    return files;
  }

  final ModelOptions model() {
    return model;
  }

  final DepthOptions depth() {
    return depth;
  }

  final RowOptions rows() {
    return rows;
  }

  /** Refuses what does not go together. */
  void requireConsistency() {
    model.source();
    depth.initialState();
  }

  /**
   * Reads arguments of a program, which has rows and needs no files.
   *
   * @throws IllegalArgumentException in one line, if they are wrong
   */
  static <A extends RowArguments> A parse(A arguments, String... values) {
    try {
      new CommandLine(arguments)
          .setExpandAtFiles(false)
          .setAllowOptionsAsOptionParameters(true)
          .parseArgs(values);
      arguments.requireConsistency();
      return arguments;
    } catch (ParameterException | UsageException e) {
      throw new IllegalArgumentException(e.getMessage(), e);
    }
  }
}
