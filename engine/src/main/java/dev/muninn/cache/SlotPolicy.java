package dev.muninn.cache;

/**
 * Which stored slot holds the keys and values of a recurrence (arXiv 2502.05171, section 6.2).
 * Recurrences are counted from 0.
 */
public sealed interface SlotPolicy {

  /** Slots that r recurrences need. */
  int slots(int recurrences);

  /** The slot of a recurrence, from 0. */
  int slot(int recurrence);

  /** A slot of its own for every recurrence. */
  static SlotPolicy full() {
    return Full.INSTANCE;
  }

  /** A slot of its own for every recurrence. */
  enum Full implements SlotPolicy {
    INSTANCE;

    @Override
    public int slots(int recurrences) {
      return recurrences;
    }

    @Override
    public int slot(int recurrence) {
      return recurrence;
    }

    @Override
    public String toString() {
      return "full";
    }
  }

  /** At most {@code size} slots, taken in turn: recurrence mod size. */
  record Budget(int size) implements SlotPolicy {
    public Budget {
      requirePositive("budget", size);
    }

    @Override
    public int slots(int recurrences) {
      return Math.min(size, recurrences);
    }

    @Override
    public int slot(int recurrence) {
      return recurrence % size;
    }

    @Override
    public String toString() {
      return "budget:" + size;
    }
  }

  /** The first {@code size} recurrences keep a slot each; all later ones share one more. */
  record Anchor(int size) implements SlotPolicy {
    public Anchor {
      requirePositive("anchor", size);
    }

    @Override
    public int slots(int recurrences) {
      return Math.min(size + 1, recurrences);
    }

    @Override
    public int slot(int recurrence) {
      return Math.min(recurrence, size);
    }

    @Override
    public String toString() {
      return "anchor:" + size;
    }
  }

  /**
   * Reads {@code full}, {@code budget:N} or {@code anchor:N}.
   *
   * @throws IllegalArgumentException if the text is none of them
   */
  static SlotPolicy parse(String text) {
    String[] parts = text.split(":", 2);
    if (parts.length == 1 && parts[0].equals("full")) {
      return full();
    }
    if (parts.length == 2 && parts[1].matches("[0-9]{1,6}")) {
      int size = Integer.parseInt(parts[1]);
      if (parts[0].equals("budget")) {
        return new Budget(size);
      }
      if (parts[0].equals("anchor")) {
        return new Anchor(size);
      }
    }
    throw new IllegalArgumentException(
        "cache policy \"" + text + "\" is none of full, budget:N, anchor:N");
  }

  private static void requirePositive(String name, int size) {
    if (size < 1) {
      throw new IllegalArgumentException(name + " must be at least 1, not " + size);
    }
  }
}
