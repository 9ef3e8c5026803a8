package dev.muninn.backend;

/** A model, or the keys and values of its sequences, that a device has no room for. */
public final class DeviceMemoryException extends BackendException {
  private static final long serialVersionUID = 1;

  public DeviceMemoryException(String message) {
    super(message);
  }
}
