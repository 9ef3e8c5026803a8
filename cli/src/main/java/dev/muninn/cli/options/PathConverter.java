package dev.muninn.cli.options;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads names of files and directories. */
public final class PathConverter implements ITypeConverter<Path> {
  @Override
  public Path convert(String value) {
    try {
      return Path.of(value);
    } catch (InvalidPathException e) {
      throw new TypeConversionException(describe(e));
    }
  }

  /** Says in a line why a text names no file. In most cases the locale lacks its letters. */
  public static String describe(InvalidPathException exception) {
    String name = "'" + exception.getInput() + "' ";
    return "UTF-8".equals(System.getProperty("sun.jnu.encoding"))
        ? name + "names no file: " + exception.getReason()
        : name + "cannot name a file in this locale; set LC_ALL to one with UTF-8";
  }
}
