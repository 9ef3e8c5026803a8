package dev.muninn.vector;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;

/** The number of physical cores that this process may use. */
public final class PhysicalCores {
  private static final Path TOPOLOGY = Path.of("/sys/devices/system/cpu");

  private PhysicalCores() {}

  /**
   * Physical cores, at least 1: two hardware threads of one core share its multipliers, so a second
   * computing thread there only gets in the way. The available processors if the system does not
   * say.
   */
  public static int count() {
    int available = Runtime.getRuntime().availableProcessors();
    Set<String> cores = new HashSet<>();
    try (DirectoryStream<Path> processors = Files.newDirectoryStream(TOPOLOGY, "cpu[0-9]*")) {
      for (Path processor : processors) {
        // A processor that is offline has no topology.
        Path siblings = processor.resolve("topology/thread_siblings_list");
        if (Files.isReadable(siblings)) {
          cores.add(Files.readString(siblings, StandardCharsets.US_ASCII).strip());
        }
      }
    } catch (IOException | DirectoryIteratorException e) {
      return available;
    }
    if (cores.isEmpty()) {
      return available;
    }
    // A container may be given a part of the machine's processors.
    return Math.max(1, Math.min(cores.size(), available));
  }
}
