package dev.muninn.cli.terminal;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Optional;

/** Asks the system whether a person looks at an output, and shows that person progress. */
public final class Terminal {
  private static final int STANDARD_INPUT = 0;
  private static final int STANDARD_OUTPUT = 1;
  private static final int STANDARD_ERROR = 2;

  /** Where the launcher script keeps the real standard error. */
  public static final int LAUNCHER_STANDARD_ERROR = 3;

  private Terminal() {}

  /** Whether standard error is a terminal. */
  public static boolean isStandardError() {
    return is(STANDARD_ERROR) || is(LAUNCHER_STANDARD_ERROR);
  }

  /** Whether standard output is a terminal. */
  public static boolean isStandardOutput() {
    return is(STANDARD_OUTPUT);
  }

  /** Whether standard error is a terminal and standard output is not. */
  public static boolean showsProgress() {
    return isStandardError() && !isStandardOutput();
  }

  /** Whether a person writes to standard input and looks at standard output. */
  public static boolean isDialogue() {
    return is(STANDARD_INPUT) && is(STANDARD_OUTPUT);
  }

  private static boolean is(int descriptor) {
    Linker linker = Linker.nativeLinker();
    Optional<MemorySegment> symbol = linker.defaultLookup().find("isatty");
    if (symbol.isEmpty()) {
      return false;
    }
    MethodHandle isatty =
        linker.downcallHandle(
            symbol.get(), FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));
    try {
      return (int) isatty.invokeExact(descriptor) == 1;
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }
}
