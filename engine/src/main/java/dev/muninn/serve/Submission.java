package dev.muninn.serve;

import java.util.function.Supplier;

/** A request that was submitted. Thread-safe. */
public final class Submission<T> {
  private final Owner owner;
  private final Job job;
  private final Supplier<Outcome<T>> outcome;

  Submission(Owner owner, Job job, Supplier<Outcome<T>> outcome) {
    this.owner = owner;
    this.job = job;
    this.outcome = outcome;
  }

  /** Ends the request: at once if it waits, else between two forwards. */
  public void cancel() {
    owner.cancel(job);
  }

  /**
   * Does something when nothing more happens to the request: now, or on the thread that computes,
   * which must not be held up.
   */
  public void whenDone(Runnable action) {
    job.whenComplete(action);
  }

  /** Whether nothing more happens to it. */
  public boolean isDone() {
    return job.isComplete();
  }

  /**
   * Waits for its end.
   *
   * @return what became of it; empty if it was cancelled before it began
   * @throws IllegalStateException if a listener of the model's own calls it
   */
  public Outcome<T> await() throws InterruptedException {
    owner.requireOutside();
    job.await();
    return outcome.get();
  }
}
