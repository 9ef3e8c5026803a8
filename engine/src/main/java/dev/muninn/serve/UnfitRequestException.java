package dev.muninn.serve;

/** One of many requests does not fit the model. The message is one line. */
public final class UnfitRequestException extends IllegalArgumentException {
  private static final long serialVersionUID = 1L;

  private final int index;

  /**
   * Says of which request.
   *
   * @param what what the request is, such as "prompt"
   * @param index from 0
   * @param reason what does not fit
   */
  public UnfitRequestException(String what, int index, IllegalArgumentException reason) {
    super(what + " " + (index + 1) + ": " + reason.getMessage(), reason);
    this.index = index;
  }

  /** The request's index, from 0. */
  public int index() {
    return index;
  }

  /** The reason, without the request's index. */
  public String reason() {
    return getCause().getMessage();
  }
}
