package dev.muninn.cli.bench;

import dev.muninn.decode.ExitOptions;
import dev.muninn.decode.Scheduler;
import dev.muninn.measure.ForwardCost;
import dev.muninn.serve.GenerationResult;
import java.util.Arrays;
import java.util.List;

/**
 * The least that a run reads and computes: each call of a part reads its weights, and the keys and
 * values that its rows may see, once; each row is multiplied with every weight and attends to all
 * positions up to its own, but behind the coda's last keys and values only if its logits are
 * wanted. What depth was really spent comes from the result.
 *
 * @param bytes read from memory
 * @param operations multiplications and additions of floats
 */
record WorkCount(double bytes, double operations) {
  private static final WorkCount NONE = new WorkCount(0, 0);

  private WorkCount plus(WorkCount other) {
    return new WorkCount(bytes + other.bytes, operations + other.operations);
  }

  /** Counts runs of a workload on a model. */
  record Counter(ForwardCost cost, Workload workload, boolean exitReadsLogits, int keyValueBytes) {

    /** From the prompt's tokens to the logits behind it. */
    WorkCount prompt(GenerationResult result) {
      int length = workload.depth();
      int chunk = Scheduler.promptRows(length, workload.exit());
      List<Integer> alone = result.promptRecurrences();
      WorkCount count = NONE;
      for (int from = 0; from < length; from += chunk) {
        int to = Math.min(length, from + chunk);
        int[] depths = new int[to - from];
        for (int row = 0; row < depths.length; row++) {
          depths[row] = alone.isEmpty() ? result.recurrences().getFirst() : alone.get(from + row);
        }
        boolean held = workload.exit().prefill() == ExitOptions.Prefill.NONE;
        count = count.plus(forward(from, depths, !alone.isEmpty(), held, to == length));
      }
      return count;
    }

    /** The forwards behind the prompt. */
    WorkCount decoding(GenerationResult result) {
      WorkCount count = NONE;
      for (int i = 1; i <= workload.newTokens(); i++) {
        int[] depth = {result.recurrences().get(i)};
        count = count.plus(forward(workload.depth() + i - 1, depth, false, false, true));
      }
      return count;
    }

    /**
     * Rows of one sequence that begin together.
     *
     * @param from position of the first
     * @param depths recurrences of each
     * @param alone whether they leave one by one
     * @param held whether they are not checked
     * @param head whether the logits behind the last are wanted
     */
    private WorkCount forward(int from, int[] depths, boolean alone, boolean held, boolean head) {
      int deepest = 0;
      for (int depth : depths) {
        deepest = Math.max(deepest, depth);
      }
      int preludeLayers = cost.model().prelude().size();
      int recurrentLayers = cost.model().core().blocks().size();
      WorkCount count =
          call(cost.prelude(), preludeLayers, from, depths, 0)
              .plus(call(cost.injection(), 0, from, depths, 0));
      for (int recurrence = 1; recurrence <= deepest; recurrence++) {
        count = count.plus(call(cost.recurrence(), recurrentLayers, from, depths, recurrence));
        boolean last = recurrence == workload.recurrence();
        if (exitReadsLogits && !held && !last && checks(recurrence)) {
          count = count.plus(coda(from, depths, recurrence, alone ? depths.length : 1));
        }
      }
      boolean seen = exitReadsLogits && !held && !alone && deepest < workload.recurrence();
      return seen ? count : count.plus(coda(from, depths, 0, head ? 1 : 0));
    }

    private boolean checks(int recurrence) {
      ExitOptions exit = workload.exit();
      return recurrence >= exit.minimumRecurrence()
          && (recurrence - exit.minimumRecurrence()) % exit.every() == 0;
    }

    /**
     * C over the rows that have at least so many recurrences.
     *
     * @param read rows at the end whose logits are wanted
     */
    private WorkCount coda(int from, int[] depths, int recurrence, int read) {
      int layers = cost.model().coda().blocks().size();
      WorkCount blocks = call(cost.coda(), Math.max(0, layers - 1), from, depths, recurrence);
      if (read == 0) {
        return blocks;
      }
      int others = depths.length - read;
      int[] last = Arrays.copyOfRange(depths, others, depths.length);
      return blocks
          .plus(call(cost.readOut(), Math.min(1, layers), from + others, last, recurrence))
          .plus(call(cost.head(), 0, from + others, last, recurrence));
    }

    /** A call with the rows that have at least so many recurrences. */
    private WorkCount call(
        ForwardCost.Part part, int layers, int from, int[] depths, int recurrence) {
      int last = 0;
      double operations = part.operations(rows(depths, recurrence));
      for (int row = 0; row < depths.length; row++) {
        if (depths[row] >= recurrence) {
          last = from + row;
          operations += layers * cost.attentionOperations(from + row + 1L);
        }
      }
      return new WorkCount(
          part.bytes() + layers * cost.keyValueBytes(last + 1L, keyValueBytes), operations);
    }

    private static int rows(int[] depths, int recurrence) {
      int rows = 0;
      for (int depth : depths) {
        rows += depth >= recurrence ? 1 : 0;
      }
      return rows;
    }
  }
}
