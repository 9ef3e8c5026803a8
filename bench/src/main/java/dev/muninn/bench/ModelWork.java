package dev.muninn.bench;

import dev.muninn.measure.ForwardCost;
import dev.muninn.model.RecurrentModel;

/**
 * The least that P, R and C of some rows take: every weight is read once in a call and multiplied
 * with every row, but behind the coda's last attention only with one. R's rows are those of an
 * earlier call, whose embeddings the adapter has seen. Attention, which grows with the context, and
 * all that is done row by row are not counted.
 */
record ModelWork(ForwardCost cost, int rows) {

  ModelWork(RecurrentModel model, int rows) {
    this(ForwardCost.of(model), rows);
  }

  Work prelude() {
    return product(cost.prelude(), rows);
  }

  Work recurrence() {
    return product(cost.recurrence(), rows);
  }

  /** With the logits of one row. */
  Work coda() {
    return product(cost.coda(), rows)
        .plus(product(cost.readOut(), 1))
        .plus(product(cost.head(), 1));
  }

  /** The rows as tokens of one sequence, from the embedding to the logits of the last. */
  Work forward(int recurrence) {
    return prelude()
        .plus(product(cost.injection(), rows))
        .plus(recurrence().times(recurrence))
        .plus(coda())
        .and(Resource.TOKENS, rows);
  }

  private static Work product(ForwardCost.Part part, int rows) {
    return Work.NONE
        .and(Resource.MEMORY, part.bytes())
        .and(Resource.ARITHMETIC, part.operations(rows));
  }
}
