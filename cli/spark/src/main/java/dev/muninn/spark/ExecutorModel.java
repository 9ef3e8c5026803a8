package dev.muninn.spark;

import dev.muninn.LanguageModel;
import dev.muninn.decode.Cancellation;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The model of this JVM: opened when a task first needs it, shared by all later tasks, closed when
 * the JVM ends or a task needs another model. A stage whose steps need two models has both open.
 */
final class ExecutorModel {
  private static final Map<Key, ExecutorModel> OPEN = new HashMap<>();
  private static boolean closesAtEnd;

  private final LanguageModel model;
  private final List<Cancellation> users = new ArrayList<>();

  private record Key(ModelSource source, int threads) {}

  private ExecutorModel(LanguageModel model) {
    this.model = model;
  }

  /**
   * A task's hold on the model: it stays open until {@link #close}.
   *
   * @param opened whether it was opened for this task
   * @param cancellation ends what the task computes; cancelled also when the JVM ends
   */
  record Lease(LanguageModel model, boolean opened, Cancellation cancellation)
      implements AutoCloseable {
    @Override
    public void close() {
      synchronized (OPEN) {
        OPEN.values().forEach(open -> open.users.remove(cancellation));
      }
    }
  }

  /**
   * Gets the model, opening it if need be.
   *
   * @param threads that compute
   */
  static Lease acquire(ModelSource source, int threads) throws IOException {
    synchronized (OPEN) {
      Key key = new Key(source, threads);
      ExecutorModel open = OPEN.get(key);
      boolean opened = open == null;
      if (opened) {
        closeUnused();
        open = new ExecutorModel(source.open(threads));
        OPEN.put(key, open);
        closeAtEnd();
      }
      Cancellation cancellation = new Cancellation();
      open.users.add(cancellation);
      return new Lease(open.model, opened, cancellation);
    }
  }

  private static void closeUnused() {
    OPEN.values()
        .removeIf(open -> {
          if (open.users.isEmpty()) {
            open.model.close();
          }
          return open.users.isEmpty();
        });
  }

  private static void closeAtEnd() {
    if (!closesAtEnd) {
      closesAtEnd = true;
      Runtime.getRuntime()
          .addShutdownHook(new Thread(ExecutorModel::closeAll, "muninn-close-model"));
    }
  }

  /** Cancels what is computed and closes all models of this JVM. */
  static void closeAll() {
    synchronized (OPEN) {
      for (ExecutorModel open : OPEN.values()) {
        open.users.forEach(Cancellation::cancel);
      }
      OPEN.values().forEach(open -> open.model.close());
      OPEN.clear();
    }
  }

  /** How many models are open in this JVM. */
  static int count() {
    synchronized (OPEN) {
      return OPEN.size();
    }
  }
}
