package dev.muninn.family;

import dev.muninn.model.Rotary;
import dev.muninn.model.Rotary.Layout;

/**
 * Reads what config.json says of rotary positions: {@code rope_theta}, beside it {@code
 * rope_scaling}, or both in the newer {@code rope_parameters}. Kinds of scaling that are not known
 * are refused by name.
 */
public final class RotaryConfig {
  private RotaryConfig() {}

  /**
   * The rotary embedding that a configuration asks for.
   *
   * @param headSize even
   * @param base where the configuration names none
   */
  public static Rotary read(ConfigReader config, Layout layout, int headSize, double base) {
    ConfigReader parameters = config.object("rope_parameters");
    double theta = config.positive("rope_theta", parameters.positive("rope_theta", base));
    if (parameters.has("rope_theta") && parameters.number("rope_theta", theta) != theta) {
      config.problem("rope_theta contradicts rope_parameters.rope_theta");
    }
    refusePartial(config, parameters);
    if (headSize < 2 || headSize % 2 != 0) {
      config.problem("the head size must be even for RoPE, not " + headSize);
      return Rotary.of(layout, 2, base);
    }
    Rotary rotary = Rotary.of(layout, headSize, theta);
    ConfigReader scaling = config.object("rope_scaling");
    return scale(config, scale(config, rotary, scaling), parameters);
  }

  /** Refuses rotary positions of a part of each head, wherever they are asked for. */
  public static void refusePartial(ConfigReader config, ConfigReader parameters) {
    for (ConfigReader outer : new ConfigReader[] {config, parameters}) {
      if (outer.number("partial_rotary_factor", 1) != 1) {
        config.problem("partial_rotary_factor other than 1 is not supported");
      }
    }
  }

  private static Rotary scale(ConfigReader config, Rotary rotary, ConfigReader scaling) {
    String key = scaling.has("rope_type") ? "rope_type" : "type";
    scaling.expect(key, "default", "llama3");
    if (!"llama3".equals(scaling.value(key))) {
      if (!scaling.has(key) && scaling.has("factor")) {
        config.problem("rope_scaling names no rope_type");
      }
      return rotary;
    }
    for (String name :
        new String[] {
          "factor", "low_freq_factor", "high_freq_factor", "original_max_position_embeddings"
        }) {
      if (!scaling.has(name)) {
        config.problem("rope_scaling of type llama3 has no " + name);
        return rotary;
      }
    }
    double low = scaling.positive("low_freq_factor", 1);
    double high = scaling.positive("high_freq_factor", 4);
    if (high <= low) {
      config.problem(
          "rope_scaling.high_freq_factor must exceed low_freq_factor, not " + high + " and " + low);
      return rotary;
    }
    return rotary.stretched(
        scaling.positive("factor", 1),
        low,
        high,
        scaling.positive("original_max_position_embeddings", 1));
  }
}
