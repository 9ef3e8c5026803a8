package dev.muninn.spark;

import dev.muninn.cli.help.HelpHeading;
import dev.muninn.cli.options.NumberConverters;
import java.util.Locale;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Where rows come from and go to. */
@HelpHeading("Files")
final class FileOptions {
  @Parameters(
      index = "0",
      arity = "0..1",
      paramLabel = "INPUT",
      description = "JSONL or Parquet, anywhere Spark can read: a file, a folder or a pattern.")
  private String input;

  @Parameters(
      index = "1",
      arity = "0..1",
      paramLabel = "OUTPUT",
      description = "The folder to write; it must not exist.")
  private String output;

  @Option(
      names = "--format",
      paramLabel = "jsonl|parquet",
      converter = Format.Converter.class,
      description = "Of the input (default: parquet if its name ends so, else jsonl).")
  private Format format;

  @Option(
      names = "--output-format",
      paramLabel = "jsonl|parquet",
      converter = Format.Converter.class,
      description = "Of the output (default: the input's).")
  private Format outputFormat;

  @Option(names = "--overwrite", description = "Replace the output if it exists.")
  private boolean overwrite;

  @Option(
      names = "--partitions",
      paramLabel = "N",
      converter = NumberConverters.Positive.class,
      description = "About how many parts to read the input in (default: Spark's choice).")
  private Integer partitions;

  /** A file format. */
  enum Format {
    JSONL,
    PARQUET;

    /** Reads a format's name. */
    static final class Converter implements ITypeConverter<Format> {
      @Override
      public Format convert(String value) {
        return switch (value) {
          case "jsonl" -> JSONL;
          case "parquet" -> PARQUET;
          default -> throw NumberConverters.expected("jsonl or parquet", value);
        };
      }
    }
  }

  /** Whether any file is named. */
  boolean given() {
    return input != null;
  }

  String input() {
    return input;
  }

  String output() {
    return output;
  }

  Format format() {
    if (format != null) {
      return format;
    }
    String name = input.toLowerCase(Locale.ROOT).replaceFirst("/+$", "");
    return name.endsWith(".parquet") ? Format.PARQUET : Format.JSONL;
  }

  Format outputFormat() {
    return outputFormat == null ? format() : outputFormat;
  }

  boolean overwrite() {
    return overwrite;
  }

  /** 0 for Spark's choice. */
  int partitions() {
    return partitions == null ? 0 : partitions;
  }
}
