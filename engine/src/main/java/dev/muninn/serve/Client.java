package dev.muninn.serve;

import dev.muninn.decode.TokenProbability;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * A caller who waits for requests of its own. If nothing else is computed, it computes itself,
 * which saves the way from thread to thread; otherwise the owner computes and sends what listeners
 * are to hear, so that they run on the caller's thread in either case. Closing it ends what it
 * still waits for. For one thread.
 */
final class Client implements AutoCloseable {
  /** How often a caller that waits looks whether it is cancelled, in milliseconds. */
  private static final long LOOK_MILLIS = 10;

  private final Owner owner;
  private final BooleanSupplier stopped;
  private final boolean leads;
  private final List<Job> pending = new ArrayList<>();
  private final BlockingQueue<Runnable> mail = new LinkedBlockingQueue<>();
  private boolean interrupted;

  /**
   * A caller on its own thread.
   *
   * @param stopped whether it no longer wants anything
   */
  Client(Owner owner, BooleanSupplier stopped) {
    this.owner = owner;
    this.stopped = stopped;
    this.leads = owner.tryLead();
  }

  /** What a job is to tell in place of a listener. */
  GenerationListener listener(GenerationListener listener, Supplier<? extends Job> job) {
    return leads || listener == GenerationListener.NONE
        ? listener
        : new Sender(listener, action -> post(action, job));
  }

  /** What a job is to tell in place of a consumer of its result. */
  <T> Consumer<T> consumer(Consumer<T> consumer, Supplier<? extends Job> job) {
    return leads ? consumer : value -> post(() -> consumer.accept(value), job);
  }

  private void post(Runnable action, Supplier<? extends Job> supplier) {
    Job job = supplier.get();
    mail.add(() -> {
      if (job.failure() != null) {
        return;
      }
      try {
        owner.callBack(action);
      } catch (RuntimeException | Error e) {
        job.fail(e);
        owner.cancel(job);
      }
    });
  }

  /** Whether the caller no longer wants anything. */
  boolean isStopped() {
    return interrupted || stopped.getAsBoolean();
  }

  /** Requests that have not ended. */
  int pending() {
    return pending.size();
  }

  /** Asks for something. */
  void submit(Job job) {
    job.cancelWhen(stopped);
    job.whenComplete(() -> mail.add(() -> pending.remove(job)));
    owner.enqueue(job, false, leads);
    pending.add(job);
  }

  /** Computes or waits for a moment. */
  void await() {
    if (leads) {
      owner.step();
    }
    try {
      Runnable next = leads ? mail.poll() : mail.poll(LOOK_MILLIS, TimeUnit.MILLISECONDS);
      while (next != null) {
        next.run();
        next = mail.poll();
      }
    } catch (InterruptedException e) {
      interrupted = true;
    }
    if (isStopped()) {
      List.copyOf(pending).forEach(owner::cancel);
    }
  }

  @Override
  public void close() {
    while (!pending.isEmpty()) {
      List.copyOf(pending).forEach(owner::cancel);
      await();
    }
    if (leads) {
      owner.endLead();
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** Sends what it hears. */
  private record Sender(GenerationListener listener, Consumer<Runnable> post)
      implements GenerationListener {
    @Override
    public void onPrompt(int[] promptTokens) {
      post.accept(() -> listener.onPrompt(promptTokens));
    }

    @Override
    public void onProbabilities(
        int token, double logProbability, List<TokenProbability> alternatives) {
      post.accept(() -> listener.onProbabilities(token, logProbability, alternatives));
    }

    @Override
    public void onToken(int token, int recurrences) {
      post.accept(() -> listener.onToken(token, recurrences));
    }

    @Override
    public void onText(String text) {
      post.accept(() -> listener.onText(text));
    }
  }
}
