package dev.muninn.cli;

import dev.muninn.cli.terminal.Terminal;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.lang.reflect.Constructor;

/**
 * The launcher script's entry point.
 *
 * <p>The script lets standard error run through a filter, which drops what Java says about its
 * incubator module before any code of ours runs, and keeps the real one on another descriptor.
 */
public final class LauncherMain {
  private LauncherMain() {}

  /**
   * Runs one command and ends the JVM with its exit code.
   *
   * @param arguments a subcommand and its options
   */
  public static void main(String[] arguments) {
    restoreStandardError();
    Main.main(arguments);
  }

  /**
   * Opening the descriptor by its name in /dev/fd would cut a file that standard error leads to,
   * and fails for a socket, so it is taken as it is. Java has no public way to do that.
   */
  private static void restoreStandardError() {
    try {
      Constructor<FileDescriptor> constructor =
          FileDescriptor.class.getDeclaredConstructor(int.class);
      constructor.setAccessible(true);
      FileDescriptor descriptor = constructor.newInstance(Terminal.LAUNCHER_STANDARD_ERROR);
      System.setErr(new PrintStream(new FileOutputStream(descriptor), true));
    } catch (ReflectiveOperationException | RuntimeException e) {
      // The filter then continues: it lets everything else pass, if a little later.
    }
  }
}
