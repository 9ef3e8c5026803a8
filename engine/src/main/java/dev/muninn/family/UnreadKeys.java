package dev.muninn.family;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Keys of config.json that no family asks for. Most say how the model was trained or is to be run
 * elsewhere. One that sounds as if it changed the computation is refused unless its value says what
 * is computed anyway: better a refusal than a wrong answer.
 */
final class UnreadKeys {
  /** Words, between underscores, of what changes the computation. */
  private static final Pattern SUSPECT =
      words(
          "\\w*norm(alize\\w*|ed|s)?|scal\\w*|multipliers?|\\w*caps?|\\w*capping|window\\w*|sliding"
              + "|chunk\\w*|bias\\w*|qkv?\\w*|m?rope\\w*|rotary\\w*|yarn|ntk|\\w*alibi|positions?"
              + "|positional|learned|experts?|moe|router|mla|lora|gat(es?|ed|ing)|glu|sinks?|ssm|mamba\\w*"
              + "|conv\\w*|rwkv|rnn|parallel|residuals?|attn|attention\\w*|act|activation\\w*|eps|epsilon"
              + "|clip\\w*|clamp\\w*|logits?|hyper|mhc|mup|quant\\w*|compress\\w*|hybrid|skip|shared?|sharing|cross|encoder|noise|ngram|causal|bidirectional|sparse|partial"
              + "|interleaved?|loops?|looped|softmax|swiglu|rmsnorm|temperature\\w*");

  /** Words of what is about training, kernels or number formats. */
  private static final Pattern ELSEWHERE =
      words(
          "init\\w*|\\w*dropout|\\w*pdrop|\\w*drop|loss\\w*|coefs?|checkpoint\\w*|fused?|fusion|flash"
              + "|impl|implementation|backend|sdpa|gradients?|grad|lr|optim\\w*|train\\w*|dtype|fp32|float32"
              + "|neftune|entropy|smoothing|unsloth|offload\\w*|tensor|pipeline");

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

  private static final Pattern FACTOR =
      words("scal\\w*|multipliers?|factors?|ratio|pct|percent\\w*|fraction|mup|temperature\\w*");
  private static final Pattern EPSILON = words("eps|epsilon");

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

  private static Pattern words(String words) {
    return Pattern.compile("(^|_)(" + words + ")(_|$)");
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
      } else if (EPSILON.matcher(name).find()) {
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
    return SUSPECT.matcher(name).find()
        && !ELSEWHERE.matcher(name).find()
        && !KNOWN.contains(name)
        && !name.endsWith("token_id")
        && !ConfigReader.isOff(value)
        && !(value instanceof String text && USUAL.contains(text.toLowerCase(Locale.ROOT)))
        && !(value instanceof Number number
            && number.doubleValue() == 1
            && FACTOR.matcher(name).find());
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
