package dev.muninn.decode;

import dev.muninn.backend.LatentComparison;
import dev.muninn.backend.LatentRows;
import dev.muninn.backend.LogitComparison;
import dev.muninn.backend.RowBatch;
import dev.muninn.model.RecurrentModel;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Which rows of a sequence's forward have left it, and the criteria that let them go. The rows of a
 * forward leave together, or, in a prompt whose options say so, one by one. Not thread-safe.
 */
final class ExitChecks {
  private final ExitOptions options;
  private final boolean present;
  private final RecurrentModel model;
  private final int width;
  private final List<ExitCriterion> criteria = new ArrayList<>();
  private final boolean[] left;

  /** s at the last check of the forward's rows, [rows, h], where the states are read. */
  private float[] latents = new float[0];

  /** What the device sums of rows, where it compares their states or logits. */
  private float[] sums = new float[0];

  private final int[] comparedSlots;

  /** Where the device keeps distributions of this forward, and how many; -1 if it compares none. */
  private int firstPlace = -1;

  private int places;

  /** Recurrences of each position of a prompt whose rows leave one by one. */
  private final int[] promptDepths;

  private int position;
  private int count;
  private int leftCount;
  private boolean held;
  private boolean rowByRow;

  /**
   * Checks of one sequence.
   *
   * @param width of a latent state
   * @param mostRows most rows of a forward
   */
  ExitChecks(ExitOptions options, RecurrentModel model, int width, int promptLength, int mostRows) {
    this.options = options;
    this.present = options.criterion().isPresent();
    this.model = model;
    this.width = width;
    this.left = new boolean[mostRows];
    this.comparedSlots = new int[mostRows];
    this.promptDepths = new int[promptLength];
  }

  /** Begins a forward of {@code count} rows from a position on. */
  void begin(int position, int count, boolean inPrompt) {
    this.position = position;
    this.count = count;
    this.leftCount = 0;
    this.held = inPrompt && options.prefill() == ExitOptions.Prefill.NONE;
    this.rowByRow = present && inPrompt && options.prefill() == ExitOptions.Prefill.ROW;
    for (int row = 0; row < count; row++) {
      left[row] = false;
    }
  }

  /** Whether the criteria need no more of the states than sums that the device takes. */
  private boolean summed(LatentRows rows) {
    return !readLogits()
        && rows.comparison().isPresent()
        && criterion(0) instanceof SummedCriterion;
  }

  /** Whether they need no more of the logits, and the device has room for what they compare. */
  private boolean logitsSummed() {
    return firstPlace >= 0;
  }

  /** Has the device compare logits in this forward, if it can and there is room. */
  void takePlaces(LatentRows rows) {
    if (present && !held && readLogits() && criterion(0) instanceof SummedCriterion) {
      places = rowByRow ? count : 1;
      Optional<LogitComparison> device = rows.logitComparison();
      firstPlace = device.isPresent() ? device.get().take(places) : -1;
    }
  }

  /** Gives back what the forward has taken of the device; to be called whenever one ends. */
  void givePlaces(LatentRows rows) {
    if (firstPlace >= 0) {
      rows.logitComparison().orElseThrow().give(firstPlace, places);
      firstPlace = -1;
    }
  }

  /** Has the coda compare a row, the batch's last, if the device does that in this forward. */
  void compare(RowBatch coda, int row) {
    if (logitsSummed()) {
      int place = rowByRow ? row : 0;
      SummedCriterion criterion = summedCriterion(rowByRow ? row : 0);
      coda.setCompared(coda.size() - 1, firstPlace + place, criterion.likelyOnly());
    }
  }

  /** Takes the start state of a row. */
  void start(DepthLoop loop, int row) {
    if (!present || logitsSummed() || summed(loop.rows())) {
      return;
    }
    if (latents.length == 0) {
      latents = new float[Math.multiplyExact(left.length, width)];
    }
    System.arraycopy(loop.latent(), 0, latents, row * width, width);
  }

  /** Shows the criteria all start states. */
  void started(DepthLoop loop, int[] slots) {
    if (!present) {
      return;
    }
    if (summed(loop.rows())) {
      if (!held) {
        loop.rows().comparison().orElseThrow().keep(slots, count);
        startSums(LatentComparison.SUMS);
      }
      return;
    }
    if (logitsSummed()) {
      startSums(LogitComparison.SUMS);
      return;
    }
    float[] latent = loop.latent();
    if (!rowByRow) {
      criterion(0).begin(latents, count, width);
      return;
    }
    for (int row = 0; row < count; row++) {
      System.arraycopy(latents, row * width, latent, 0, width);
      criterion(row).begin(latent, 1, width);
    }
  }

  private void startSums(int perRow) {
    if (sums.length == 0) {
      sums = new float[Math.multiplyExact(left.length, perRow)];
    }
    if (!rowByRow) {
      summedCriterion(0).begin(count);
      return;
    }
    for (int row = 0; row < count; row++) {
      summedCriterion(row).begin(1);
    }
  }

  /** Copies what is kept of a slot to the same slot of another workspace, through its state. */
  void copyKept(LatentRows from, LatentRows to, int slot, float[] values) {
    if (present && !held && summed(from)) {
      from.comparison().orElseThrow().readKept(slot, values);
      to.writeLatent(slot, values);
      comparedSlots[0] = slot;
      to.comparison().orElseThrow().keep(comparedSlots, 1);
    }
  }

  private SummedCriterion summedCriterion(int index) {
    return (SummedCriterion) criterion(index);
  }

  private ExitCriterion criterion(int index) {
    while (criteria.size() <= index) {
      criteria.add(options.criterion().get().create(model));
    }
    return criteria.get(index);
  }

  /** Whether a row is still computed. */
  boolean thinks(int row) {
    return !left[row];
  }

  /** Rows that are still computed. */
  int thinking() {
    return count - leftCount;
  }

  /** Whether rows leave one by one in this forward. */
  boolean rowByRow() {
    return rowByRow;
  }

  /** Whether the criteria look at the rows after a number of recurrences. */
  boolean due(int recurrences) {
    return present
        && !held
        && (options.checks(recurrences) || criterion(0).measuresEveryRecurrence());
  }

  /** Whether they look at logits. */
  boolean readLogits() {
    return criterion(0).readsLogits();
  }

  /** Looks at the latents alone; whether all rows have left. */
  boolean leaveByLatents(DepthLoop loop, int[] slots, int recurrences, float[] unread) {
    if (summed(loop.rows())) {
      return leaveBySums(loop.rows(), slots, recurrences);
    }
    if (!rowByRow) {
      return leaveTogether(loop, slots, recurrences, unread);
    }
    for (int row = 0; row < count; row++) {
      if (!left[row]) {
        measureRow(row, loop, slots, recurrences, unread);
      }
    }
    return leftCount == count;
  }

  private boolean leaveBySums(LatentRows rows, int[] slots, int recurrences) {
    int compared = 0;
    for (int row = 0; row < count; row++) {
      if (!left[row]) {
        comparedSlots[compared++] = slots[row];
      }
    }
    rows.comparison().orElseThrow().compare(comparedSlots, compared, sums);
    if (!rowByRow) {
      SummedCriterion criterion = summedCriterion(0);
      return leaves(criterion, criterion.measure(sums, 0, count), recurrences);
    }
    int next = 0;
    for (int row = 0; row < count; row++) {
      if (!left[row]) {
        SummedCriterion criterion = summedCriterion(row);
        if (leaves(criterion, criterion.measure(sums, next++, 1), recurrences)) {
          leave(row, recurrences);
        }
      }
    }
    return leftCount == count;
  }

  /**
   * Looks at the logits of the last coda; whether all rows have left.
   *
   * @param index the coda's row of the first row that thinks
   * @param logits gets logits, [vocabulary]; those of the last row where all leave together
   */
  boolean leaveByLogits(DepthLoop loop, int[] slots, int recurrences, int index, float[] logits) {
    if (logitsSummed()) {
      return leaveByLogitSums(loop.rows(), recurrences, index, logits);
    }
    if (!rowByRow) {
      loop.rows().readLogits(index + count - 1, logits);
      return leaveTogether(loop, slots, recurrences, logits);
    }
    int next = index;
    for (int row = 0; row < count; row++) {
      if (!left[row]) {
        loop.rows().readLogits(next++, logits);
        measureRow(row, loop, slots, recurrences, logits);
      }
    }
    return leftCount == count;
  }

  private boolean leaveByLogitSums(LatentRows rows, int recurrences, int index, float[] logits) {
    LogitComparison device = rows.logitComparison().orElseThrow();
    if (!rowByRow) {
      device.read(index + count - 1, sums, 0);
      SummedCriterion criterion = summedCriterion(0);
      boolean leave = leaves(criterion, criterion.measure(sums, 0, 1), recurrences);
      if (leave) {
        rows.readLogits(index + count - 1, logits);
      }
      return leave;
    }
    int next = index;
    for (int row = 0; row < count; row++) {
      if (!left[row]) {
        device.read(next++, sums, 0);
        SummedCriterion criterion = summedCriterion(row);
        if (leaves(criterion, criterion.measure(sums, 0, 1), recurrences)) {
          leave(row, recurrences);
        }
      }
    }
    return leftCount == count;
  }

  private boolean leaveTogether(DepthLoop loop, int[] slots, int recurrences, float[] logits) {
    float[] latent = loop.latent();
    for (int row = 0; row < count; row++) {
      loop.rows().readLatent(slots[row], latent);
      System.arraycopy(latent, 0, latents, row * width, width);
    }
    return leaves(criterion(0), criterion(0).measure(latents, count, width, logits), recurrences);
  }

  private void measureRow(int row, DepthLoop loop, int[] slots, int recurrences, float[] logits) {
    float[] latent = loop.latent();
    loop.rows().readLatent(slots[row], latent);
    ExitCriterion criterion = criterion(row);
    if (leaves(criterion, criterion.measure(latent, 1, width, logits), recurrences)) {
      leave(row, recurrences);
    }
  }

  private void leave(int row, int recurrences) {
    left[row] = true;
    leftCount++;
    promptDepths[position + row] = recurrences;
  }

  private boolean leaves(ExitCriterion criterion, double value, int recurrences) {
    return options.checks(recurrences) && criterion.satisfied(value);
  }

  /** Ends the forward; returns the recurrences of its last row. */
  int end(int recurrences) {
    if (!rowByRow) {
      return recurrences;
    }
    for (int row = 0; row < count; row++) {
      if (!left[row]) {
        promptDepths[position + row] = recurrences;
      }
    }
    return promptDepths[position + count - 1];
  }

  /** Recurrences of each position of the prompt; of use where they leave one by one. */
  int[] promptDepths() {
    return promptDepths;
  }
}
