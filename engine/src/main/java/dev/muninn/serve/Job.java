package dev.muninn.serve;

import dev.muninn.backend.Backend;
import dev.muninn.decode.SequenceTask;
import dev.muninn.decode.TokenSink;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.function.BooleanSupplier;

/**
 * A request for the scheduler, from when it is made until nothing more happens to it. Its sink's
 * methods run on the thread that computes; a job that waits in the queue may end on any thread.
 */
abstract class Job implements TokenSink {
  private final CompletableFuture<Void> completed = new CompletableFuture<>();
  private BooleanSupplier unwanted = () -> false;
  private volatile boolean cancelled;
  private volatile Throwable failure;
  private int mostBeside;
  private boolean over;

  /** What is to be computed. */
  abstract SequenceTask task();

  /** Gets ready to begin, on the thread that computes. */
  void prepare(Backend backend, PrefixStore prefixes) {}

  /** Gives back what {@link #prepare} took, on the thread that computes. */
  void release(PrefixStore prefixes) {}

  /** Bytes to reserve for its keys and values. */
  final long bytes() {
    return task().layout().bytes();
  }

  /** Makes it end as soon as something is true, which is asked between forwards. */
  final void cancelWhen(BooleanSupplier condition) {
    unwanted = condition;
  }

  /** Makes it end between two forwards, if it is computed. */
  final void cancel() {
    cancelled = true;
  }

  final boolean isCancelled() {
    return cancelled || unwanted.getAsBoolean();
  }

  /** Does something when nothing more happens to it: now, or on the thread that ends it. */
  final void whenComplete(Runnable action) {
    var _ = completed.thenRun(action);
  }

  /** Says how many sequences may be in flight, this one among them, if that is more than usual. */
  final void setMostBeside(int sequences) {
    mostBeside = sequences;
  }

  final int mostBeside() {
    return mostBeside;
  }

  @Override
  public void ended() {
    over = true;
  }

  @Override
  public void cancelled() {
    over = true;
  }

  @Override
  public void failed(Throwable reason) {
    over = true;
    fail(reason);
  }

  /** Notes what went wrong, unless something did before. */
  final void fail(Throwable reason) {
    if (failure == null) {
      failure = reason;
    }
  }

  /** Whether the scheduler is done with it. */
  final boolean isOver() {
    return over;
  }

  /** What ended it, or null. */
  final Throwable failure() {
    return failure;
  }

  /** Nothing more happens to it. */
  final void complete() {
    completed.complete(null);
  }

  final boolean isComplete() {
    return completed.isDone();
  }

  final void await() throws InterruptedException {
    try {
      completed.get();
    } catch (ExecutionException e) {
      throw new AssertionError(e);
    }
  }
}
