package dev.muninn.cli.process;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The arguments as they were typed. Java decodes them by the locale's charset, and where a locale
 * is not installed that is ASCII: every other letter is lost. Linux keeps their bytes.
 */
public final class Arguments {
  private static final Path COMMAND_LINE = Path.of("/proc/self/cmdline");
  private static final char LOST = '\ufffd';

  private Arguments() {}

  /**
   * The arguments of this process, read as UTF-8 whatever the locale says.
   *
   * @param decoded what Java made of them
   * @throws IOException in one line, if one of them is not UTF-8 or was lost
   */
  public static String[] asTyped(String[] decoded) throws IOException {
    if (areSafe(decoded)) {
      return decoded;
    }
    byte[] commandLine;
    try {
      commandLine = Files.readAllBytes(COMMAND_LINE);
    } catch (IOException e) {
      return requireNothingLost(decoded);
    }
    return last(decoded.length, commandLine);
  }

  /** Whether arguments mean the same in all charsets that a locale may have. */
  private static boolean areSafe(String[] arguments) {
    boolean utf8 = "UTF-8".equals(System.getProperty("sun.jnu.encoding"));
    for (String argument : arguments) {
      for (int i = 0; i < argument.length(); i++) {
        char unit = argument.charAt(i);
        if (unit >= 0x80 && (!utf8 || unit == LOST)) {
          return false;
        }
      }
    }
    return true;
  }

  private static String[] requireNothingLost(String[] decoded) throws IOException {
    for (int i = 0; i < decoded.length; i++) {
      if (decoded[i].indexOf(LOST) >= 0) {
        throw new IOException(
            "argument " + (i + 1) + ": lost letters in this locale; set LC_ALL to one with UTF-8");
      }
    }
    return decoded;
  }

  /**
   * The last arguments of a command line.
   *
   * @param commandLine each argument's bytes, ended by a zero
   * @throws IOException if one of them is not UTF-8
   */
  static String[] last(int count, byte[] commandLine) throws IOException {
    List<ByteBuffer> all = new ArrayList<>();
    int start = 0;
    for (int i = 0; i < commandLine.length; i++) {
      if (commandLine[i] == 0) {
        all.add(ByteBuffer.wrap(commandLine, start, i - start));
        start = i + 1;
      }
    }
    String[] arguments = new String[count];
    for (int i = 0; i < count; i++) {
      try {
        arguments[i] =
            StandardCharsets.UTF_8.newDecoder().decode(all.get(all.size() - count + i)).toString();
      } catch (CharacterCodingException e) {
        throw new IOException("argument " + (i + 1) + " is not UTF-8 text", e);
      }
    }
    return arguments;
  }
}
