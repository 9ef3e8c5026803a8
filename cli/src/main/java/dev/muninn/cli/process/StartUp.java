package dev.muninn.cli.process;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;

/** When this process began, and when it came to the program's own code. */
public final class StartUp {
  /** The kernel's unit of time in /proc, the same on every Linux for x86-64 and arm64. */
  private static final long TICK_NANOS = 10_000_000;

  /** Where the time of the start stands behind the name in parentheses. */
  private static final int START_FIELD = 19;

  private static volatile long entered;

  private StartUp() {}

  /** Says that the program's own code begins. */
  public static void enter() {
    entered = System.nanoTime();
  }

  /** {@link System#nanoTime} when the program's own code began, or empty if it is not known. */
  public static OptionalLong entered() {
    return entered == 0 ? OptionalLong.empty() : OptionalLong.of(entered);
  }

  /**
   * Nanoseconds since the process began, to a hundredth of a second: that of the script that became
   * Java, if one did. Empty where the system does not say.
   */
  public static OptionalLong age() {
    try {
      String stat = Files.readString(Path.of("/proc/self/stat"));
      String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
      String uptime = Files.readString(Path.of("/proc/uptime"));
      double seconds = Double.parseDouble(uptime.substring(0, uptime.indexOf(' ')));
      long start = Long.parseLong(fields[START_FIELD]) * TICK_NANOS;
      return OptionalLong.of(Math.max(0, (long) (seconds * 1e9) - start));
    } catch (IOException | RuntimeException e) {
      return OptionalLong.empty();
    }
  }
}
