package dev.muninn.spark;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.function.Function;

/** Computes what an iterator gives some at a time, when it is asked for. */
final class Windows<T, R> implements Iterator<R> {
  private final Iterator<T> source;
  private final int size;
  private final Function<List<T>, List<R>> compute;
  private Iterator<R> ready = List.<R>of().iterator();

  /**
   * Creates an iterator.
   *
   * @param size most elements computed together, at least 1
   * @param compute gives as many results as it gets elements
   */
  Windows(Iterator<T> source, int size, Function<List<T>, List<R>> compute) {
    this.source = source;
    this.size = size;
    this.compute = compute;
  }

  @Override
  public boolean hasNext() {
    return ready.hasNext() || source.hasNext();
  }

  @Override
  public R next() {
    if (!ready.hasNext()) {
      List<T> window = new ArrayList<>();
      while (window.size() < size && source.hasNext()) {
        window.add(source.next());
      }
      if (window.isEmpty()) {
        throw new NoSuchElementException();
      }
      ready = compute.apply(window).iterator();
    }
    return ready.next();
  }
}
