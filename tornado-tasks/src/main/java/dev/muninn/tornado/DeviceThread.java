package dev.muninn.tornado;

import dev.muninn.backend.BackendException;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * The thread that talks to a device. The runtime keeps a command queue for each thread that ever
 * called it, and queues do not wait for each other.
 */
final class DeviceThread implements AutoCloseable {
  private final String device;
  private final ExecutorService executor =
      Executors.newSingleThreadExecutor(Thread.ofPlatform().daemon().name("device").factory());

  DeviceThread(String device) {
    this.device = device;
  }

  /**
   * Runs something on the device's thread and waits for it.
   *
   * @throws BackendException if the device fails
   */
  <T> T call(Callable<T> action) {
    Future<T> future = executor.submit(action);
    boolean interrupted = false;
    try {
      while (true) {
        try {
          return future.get();
        } catch (InterruptedException e) {
          // The device cannot be stopped halfway.
          interrupted = true;
        }
      }
    } catch (ExecutionException e) {
      throw translate(e.getCause());
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /** The same without a result. */
  void run(Runnable action) {
    call(() -> {
      action.run();
      return null;
    });
  }

  private RuntimeException translate(Throwable cause) {
    return switch (cause) {
      case BackendException known -> known;
      case IllegalArgumentException argument -> argument;
      case IllegalStateException state -> state;
      // The runtime has errors of its own for what it cannot compile.
      case VirtualMachineError error -> throw error;
      case AssertionError error -> throw error;
      default ->
          new BackendException(
              "the device "
                  + device
                  + " failed: "
                  + firstLine(cause)
                  + "; --backend vector computes on the CPU",
              cause);
    };
  }

  /** What went wrong, in one line. */
  static String firstLine(Throwable cause) {
    String message = cause.getMessage() == null ? cause.toString() : cause.getMessage();
    return message.strip().lines().findFirst().orElse(cause.toString());
  }

  @Override
  public void close() {
    executor.close();
  }
}
