package dev.muninn.backend;

import java.util.Objects;

/**
 * Something that can compute a model.
 *
 * @param backend the backend that computes on it
 * @param id what a user chooses it by, unique among all backends
 * @param name what it is, for people
 * @param kind what sort of device it is
 * @param memoryBytes its memory; 0 where it has the host's
 */
public record ComputeDevice(String backend, String id, String name, Kind kind, long memoryBytes) {

  /** A sort of device. */
  public enum Kind {
    CPU,
    GPU,
    ACCELERATOR
  }

  public ComputeDevice {
    Objects.requireNonNull(backend, "backend");
    Objects.requireNonNull(id, "id");
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(kind, "kind");
    if (memoryBytes < 0) {
      throw new IllegalArgumentException("a device's memory cannot be " + memoryBytes + " bytes");
    }
  }

  /** Its id, its name and its kind. */
  @Override
  public String toString() {
    return id + " (" + name + ", " + kind + ")";
  }
}
