package dev.muninn.bench;

import dev.muninn.model.WeightFormat;
import java.util.Collections;
import java.util.EnumMap;
import java.util.Map;

/**
 * The least work of one operation of a benchmark.
 *
 * @param amounts bytes, floating-point operations or tokens
 */
public record Work(Map<Resource, Double> amounts) {
  /** Nothing that a rate would say something about: only the time counts. */
  public static final Work NONE = new Work(Map.of());

  public Work {
    amounts = Collections.unmodifiableMap(copy(amounts));
  }

  /**
   * Weights times rows.
   *
   * @param place where the weights are read from
   */
  public static Work ofProduct(Resource place, WeightFormat format, double weights, int rows) {
    double elements = format.inPanels() ? 32.0 * format.blockInputs() : 1;
    return NONE.and(place, weights * format.bytes(1) / elements)
        .and(Resource.ARITHMETIC, 2 * weights * rows);
  }

  /** This work and so much more of a resource. */
  public Work and(Resource resource, double amount) {
    Map<Resource, Double> sum = copy(amounts);
    sum.merge(resource, amount, Double::sum);
    return new Work(sum);
  }

  /** This work so many times. */
  public Work times(int count) {
    Map<Resource, Double> product = copy(amounts);
    product.replaceAll((resource, amount) -> amount * count);
    return new Work(product);
  }

  /** This work and another. */
  public Work plus(Work other) {
    Work sum = this;
    for (Map.Entry<Resource, Double> entry : other.amounts.entrySet()) {
      sum = sum.and(entry.getKey(), entry.getValue());
    }
    return sum;
  }

  private static Map<Resource, Double> copy(Map<Resource, Double> amounts) {
    Map<Resource, Double> copy = new EnumMap<>(Resource.class);
    copy.putAll(amounts);
    return copy;
  }
}
