package dev.muninn.weights;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ProcessLockTest {
  @TempDir Path directory;

  /** Exit code 0 if another JVM gets the lock, 1 if not. */
  private int elsewhere(Path file) throws IOException, InterruptedException {
    Process process = start("take", file);
    try {
      assertTrue(process.waitFor(60, TimeUnit.SECONDS));
      return process.exitValue();
    } finally {
      process.destroyForcibly();
    }
  }

  static Process start(String... arguments) throws IOException {
    ProcessBuilder builder =
        new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-Xmx64m",
            "-cp",
            System.getProperty("java.class.path"),
            Other.class.getName());
    builder.command().addAll(List.of(arguments));
    return builder.redirectError(ProcessBuilder.Redirect.INHERIT).start();
  }

  private static Process start(String what, Path file) throws IOException {
    return start(what, file.toString());
  }

  @Test
  void anotherProgramIsKeptOutWhateverIsTriedHere() throws Exception {
    Path file = directory.resolve("lock");
    try (ProcessLock held = ProcessLock.tryTake(file).orElseThrow()) {
      assertEquals(1, elsewhere(file));
      assertTrue(ProcessLock.tryTake(file).isEmpty());
      Path link = Files.createSymbolicLink(directory.resolve("link"), directory);
      assertTrue(ProcessLock.tryTake(link.resolve("lock")).isEmpty());
      assertTrue(ProcessLock.isHeldHere(file));
      // On POSIX, closing a second channel of the file would have let go of it.
      assertEquals(1, elsewhere(file));
      assertTrue(held.channel().isOpen());
    }
    assertFalse(ProcessLock.isHeldHere(file));
    assertEquals(0, elsewhere(file));
  }

  @Test
  void aLockMayBeRemovedAndTakenAgain() throws Exception {
    Path file = directory.resolve("lock");
    for (int i = 0; i < 3; i++) {
      ProcessLock lock = ProcessLock.tryTake(file).orElseThrow();
      lock.remove();
      lock.close();
      assertFalse(Files.exists(file));
    }
  }

  @Test
  void theSystemLetsGoOfADeadHoldersLock() throws Exception {
    Path file = directory.resolve("lock");
    Process holder = start("hold", file);
    try {
      assertEquals('!', holder.getInputStream().read());
      assertTrue(ProcessLock.tryTake(file).isEmpty());
    } finally {
      holder.destroyForcibly().waitFor();
    }
    Optional<ProcessLock> lock = ProcessLock.tryTake(file);
    assertTrue(lock.isPresent());
    lock.get().close();
  }

  @Test
  void whatDeadProgramsLeftIsRemovedAndWhatLivingOnesUseStays() throws Exception {
    Path target = directory.resolve("target");
    Process dead = start("scratch", target);
    try {
      assertEquals('!', dead.getInputStream().read());
    } finally {
      dead.destroyForcibly().waitFor();
    }
    assertEquals(2, files());
    Process living = start("scratch", target);
    try {
      assertEquals('!', living.getInputStream().read());
      try (Scratch mine = Scratch.beside(target)) {
        Files.createDirectory(mine.path());
        Scratch.sweep(directory);
        assertTrue(Files.exists(mine.path()));
        assertEquals(4, files());
      }
      assertEquals(2, files());
    } finally {
      living.destroyForcibly().waitFor();
    }
    Scratch.sweep(directory);
    assertEquals(0, files());
  }

  @Test
  void whatWasMovedAwayComesBack() throws Exception {
    Path target = Files.createDirectory(directory.resolve("größe"));
    Files.writeString(target.resolve("a"), "former");
    Process dead = start("replace", target);
    try {
      assertEquals('!', dead.getInputStream().read());
    } finally {
      dead.destroyForcibly().waitFor();
    }
    assertFalse(Files.exists(target));
    Scratch.sweep(directory);
    assertEquals("former", Files.readString(target.resolve("a")));
    assertEquals(1, files());
  }

  @Test
  void anEndOfTheJvmRemovesWhatIsNotComplete() throws Exception {
    Process process = start("exit", directory.resolve("target"));
    try {
      assertTrue(process.waitFor(60, TimeUnit.SECONDS));
    } finally {
      process.destroyForcibly();
    }
    assertEquals(3, process.exitValue());
    assertEquals(0, files());
  }

  private long files() throws IOException {
    try (var files = Files.list(directory)) {
      return files.count();
    }
  }

  /** Another program. */
  static final class Other {
    private Other() {}

    public static void main(String[] arguments) throws Exception {
      Path file = Path.of(arguments[1]);
      switch (arguments[0]) {
        case "take" -> System.exit(ProcessLock.tryTake(file).isPresent() ? 0 : 1);
        case "hold" -> ProcessLock.tryTake(file).orElseThrow();
        case "scratch" -> fill(Scratch.beside(file));
        case "exit" -> {
          Scratch scratch = Scratch.beside(file);
          scratch.removeAtExit(Duration.ZERO);
          fill(scratch);
          System.exit(3);
        }
        case "replace" -> {
          Scratch scratch = Scratch.beside(file);
          fill(scratch);
          // Two moves are too quick to be killed in between: the second is made to fail late.
          scratch.replace(file, () -> await());
        }
        default -> throw new AssertionError(arguments[0]);
      }
      await();
    }

    private static void fill(Scratch scratch) throws IOException {
      Files.createDirectory(scratch.path());
      Files.writeString(scratch.path().resolve("a"), "new");
    }

    private static void await() {
      System.out.print('!');
      System.out.flush();
      try {
        Thread.sleep(120_000);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
