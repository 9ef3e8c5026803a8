package uk.ac.manchester.tornado.api.enums;

/** When an array travels. */
public class DataTransferMode {
  /** With a graph's first execution. */
  public static final int FIRST_EXECUTION = 0;

  /** With every execution. */
  public static final int EVERY_EXECUTION = 1;

  /** Only when asked for. */
  public static final int UNDER_DEMAND = 2;

  private DataTransferMode() {}
}
