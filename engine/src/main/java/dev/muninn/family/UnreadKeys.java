package dev.muninn.family;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * Keys of config.json that no family asks for. Most say how the model was trained or is to be run
 * elsewhere. One that sounds as if it changed the computation is refused unless its value says what
 * is computed anyway: better a refusal than a wrong answer.
 */
final class UnreadKeys {
  /** Words, between underscores, of what changes the computation. No patterns: starts are cold. */
  private static final Set<String> SUSPECT =
      Set.of(
          ("multiplier multipliers sliding qk qkv yarn ntk position positions positional learned"
                  + " expert experts moe router mla lora gate gates gated gating glu sink sinks ssm"
                  + " rwkv rnn parallel residual residuals attn act eps epsilon logit logits hyper"
                  + " mhc mup hybrid skip share shared sharing cross encoder noise ngram causal"
                  + " bidirectional sparse partial interleave interleaved loop loops looped softmax"
                  + " swiglu")
              .split(" "));

  private static final List<String> SUSPECT_BEGINNINGS =
      List.of(
          "norm",
          "scal",
          "window",
          "chunk",
          "bias",
          "rope",
          "mrope",
          "rotary",
          "mamba",
          "conv",
          "attention",
          "activation",
          "clip",
          "clamp",
          "quant",
          "compress",
          "temperature");

  private static final List<String> SUSPECT_ENDS =
      List.of("norm", "norms", "cap", "caps", "capping", "alibi");

  /** Words of what is about training, kernels or number formats. */
  private static final Set<String> ELSEWHERE =
      Set.of(
          ("coef coefs fused fuse fusion flash impl implementation backend sdpa gradient gradients"
                  + " grad lr dtype fp32 float32 neftune entropy smoothing unsloth tensor pipeline")
              .split(" "));

  private static final List<String> ELSEWHERE_BEGINNINGS =
      List.of("init", "loss", "checkpoint", "optim", "train", "offload");

  private static final List<String> ELSEWHERE_ENDS = List.of("drop", "dropout");

  /** Suspect words, but the keys say nothing about the model's arithmetic. */
  private static final Set<String> KNOWN =
      Set.of(
          "chunk_size_feed_forward",
          "encoder_no_repeat_ngram_size",
          "logits_to_keep",
          "max_position_embeddings",
          "max_window_layers",
          "n_positions",
          "no_repeat_ngram_size",
          "num_logits_to_keep",
          "original_max_position_embeddings",
          "output_attentions",
          "skip_special_tokens",
          "temperature",
          "test_time_noise_type");

  /** Keys that must be true if they are there: false would leave out what every model here has. */
  private static final Set<String> ALWAYS =
      Set.of(
          "causal",
          "gated_mlp",
          "glu",
          "is_causal",
          "rms_norm",
          "rmsnorm",
          "rope",
          "scale_attention",
          "scale_attn",
          "scale_attn_weights",
          "swiglu",
          "use_causal_mask",
          "use_gated_mlp",
          "use_glu",
          "use_rms_norm",
          "use_rmsnorm",
          "use_rope",
          "use_rotary",
          "use_rotary_embedding",
          "use_rotary_embeddings",
          "use_rotary_position_embeddings",
          "use_swiglu");

  private static final Set<String> EPSILON = Set.of("eps", "epsilon");

  /** Words of numbers that change nothing where they are 1. */
  private static final List<String> FACTOR_BEGINNINGS =
      List.of("scal", "multiplier", "factor", "ratio", "pct", "percent", "fraction", "mup");

  /** Values that name what is computed anyway. */
  private static final Set<String> USUAL =
      Set.of(
          "silu",
          "swish",
          "swiglu",
          "rope",
          "rotary",
          "rmsnorm",
          "rms_norm",
          "default",
          "full",
          "full_attention",
          "global",
          "causal",
          "none");

  /** What rotary positions of the default kind leave unused. */
  private static final Set<String> ROTARY_EXTRAS =
      Set.of("factor", "low_freq_factor", "high_freq_factor", "original_max_position_embeddings");

  private UnreadKeys() {}

  private static boolean has(
      String name, Set<String> words, List<String> beginnings, List<String> ends) {
    for (String word : name.split("_")) {
      if (words.contains(word) || beginsWithOne(word, beginnings) || endsWithOne(word, ends)) {
        return true;
      }
    }
    return false;
  }

  private static boolean beginsWithOne(String word, List<String> beginnings) {
    for (String beginning : beginnings) {
      if (word.startsWith(beginning)) {
        return true;
      }
    }
    return false;
  }

  private static boolean endsWithOne(String word, List<String> ends) {
    for (String end : ends) {
      if (word.endsWith(end)) {
        return true;
      }
    }
    return false;
  }

  static void refuse(ConfigReader config) {
    for (Map.Entry<String, Object> entry : config.values().entrySet()) {
      String key = entry.getKey();
      Object value = entry.getValue();
      if (value == null || config.isRead(key)) {
        continue;
      }
      String name = key.toLowerCase(Locale.ROOT);
      if (ALWAYS.contains(name)) {
        if (!value.equals(true)) {
          config.wrong(key, ", only true is supported");
        }
      } else if (has(name, EPSILON, List.of(), List.of())) {
        refuseOtherEpsilon(config, key, value);
      } else if (changes(name, value)) {
        config.wrong(key, ", which is not supported");
      }
    }
    for (String name : List.of("rope_scaling", "rope_parameters")) {
      refuseRotary(config.object(name));
    }
  }

  private static boolean changes(String name, Object value) {
    return !ConfigReader.isOff(value)
        && has(name, SUSPECT, SUSPECT_BEGINNINGS, SUSPECT_ENDS)
        && !has(name, ELSEWHERE, ELSEWHERE_BEGINNINGS, ELSEWHERE_ENDS)
        && !KNOWN.contains(name)
        && !name.endsWith("token_id")
        && !(value instanceof String text && USUAL.contains(text.toLowerCase(Locale.ROOT)))
        && !(value instanceof Number number
            && number.doubleValue() == 1
            && has(name, Set.of(), FACTOR_BEGINNINGS, List.of()));
  }

  /** There is one epsilon for all norms. */
  private static void refuseOtherEpsilon(ConfigReader config, String key, Object value) {
    Object used = config.values().get(config.isRead("norm_eps") ? "norm_eps" : "rms_norm_eps");
    boolean same =
        used instanceof Number one
            && value instanceof Number other
            && one.doubleValue() == other.doubleValue();
    if (!same) {
      config.wrong(key, ", which is not supported");
    }
  }

  /** Every key in these objects is about the computation. */
  private static void refuseRotary(ConfigReader rotary) {
    boolean llama3 = rotary.values().containsValue("llama3");
    for (Map.Entry<String, Object> entry : rotary.values().entrySet()) {
      String key = entry.getKey();
      Object value = entry.getValue();
      boolean used =
          rotary.isRead(key)
              || !llama3 && ROTARY_EXTRAS.contains(key)
              || key.equals("type") && value != null && value.equals(rotary.value("rope_type"));
      if (!used && !ConfigReader.isOff(value)) {
        rotary.wrong(key, ", which is not supported");
      }
    }
  }
}
