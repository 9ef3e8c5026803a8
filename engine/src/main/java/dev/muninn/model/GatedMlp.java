package dev.muninn.model;

/**
 * {@code down (silu(gate x) * up x)}.
 *
 * @param gate [i, h]
 * @param up [i, h]
 * @param down [h, i]
 */
public record GatedMlp(WeightMatrix gate, WeightMatrix up, WeightMatrix down) {
  public GatedMlp {
    if (gate.rows() != up.rows()
        || gate.columns() != up.columns()
        || down.rows() != gate.columns()
        || down.columns() != gate.rows()) {
      throw new IllegalArgumentException(
          "an MLP of gate %d x %d, up %d x %d and down %d x %d does not fit together"
              .formatted(
                  gate.rows(),
                  gate.columns(),
                  up.rows(),
                  up.columns(),
                  down.rows(),
                  down.columns()));
    }
  }

  /** Width i between the products. */
  public int width() {
    return gate.rows();
  }
}
