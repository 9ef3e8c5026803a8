package dev.muninn.model;

import dev.muninn.weights.CheckpointException;
import dev.muninn.weights.JsonFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The shape of a recurrent-depth model (arXiv 2502.05171, section 3), as its config.json tells it.
 *
 * @param embeddingSize width h of the latent state ({@code n_embd})
 * @param heads attention heads ({@code n_heads} or {@code num_attention_heads})
 * @param intermediateSize width of the gated MLP ({@code intermediate_size})
 * @param preludeLayers sandwich blocks of the prelude, l_P
 * @param recurrentLayers sandwich blocks of the recurrent block, l_R
 * @param codaLayers sandwich blocks of the coda, l_C
 * @param meanRecurrence mean number of recurrences in training, the default when running
 * @param vocabularySize rows of the embedding, padding included ({@code padded_vocab_size} or
 *     {@code vocab_size})
 * @param contextLength positions the model was made for ({@code block_size})
 * @param ropeBase base of the rotary position embedding
 * @param normEpsilon epsilon of RMSNorm
 * @param qkBias whether queries and keys have a bias
 * @param tiedEmbeddings whether the head is the embedding matrix
 */
public record RavenConfig(
    int embeddingSize,
    int heads,
    int intermediateSize,
    int preludeLayers,
    int recurrentLayers,
    int codaLayers,
    int meanRecurrence,
    int vocabularySize,
    int contextLength,
    double ropeBase,
    double normEpsilon,
    boolean qkBias,
    boolean tiedEmbeddings) {

  /** {@code model_type} of the family. */
  public static final String MODEL_TYPE = "huginn_raven";

  private static final int MAXIMUM = 1 << 24;

  /**
   * @throws IllegalArgumentException if a size is out of range or two contradict each other
   */
  public RavenConfig {
    require(embeddingSize, 1, "n_embd");
    require(heads, 1, "n_heads");
    require(intermediateSize, 1, "intermediate_size");
    require(preludeLayers, 1, "n_layers_in_prelude");
    require(recurrentLayers, 1, "n_layers_in_recurrent_block");
    require(codaLayers, 1, "n_layers_in_coda");
    require(meanRecurrence, 1, "mean_recurrence");
    require(vocabularySize, 1, "vocab_size");
    require(contextLength, 1, "block_size");
    if (embeddingSize % heads != 0) {
      throw new IllegalArgumentException(
          "n_embd " + embeddingSize + " is not a multiple of n_heads " + heads);
    }
    if (embeddingSize / heads % 2 != 0) {
      throw new IllegalArgumentException(
          "the head size n_embd / n_heads must be even for RoPE, not " + embeddingSize / heads);
    }
    if (!(ropeBase > 0) || Double.isInfinite(ropeBase)) {
      throw new IllegalArgumentException("rope_base must be positive, not " + ropeBase);
    }
    if (!(normEpsilon >= 0) || Double.isInfinite(normEpsilon)) {
      throw new IllegalArgumentException("norm_eps must not be negative, not " + normEpsilon);
    }
  }

  private static void require(int value, int least, String name) {
    if (value < least || value > MAXIMUM) {
      throw new IllegalArgumentException(
          name + " must be from " + least + " to " + MAXIMUM + ", not " + value);
    }
  }

  /** Width of one attention head. */
  public int headSize() {
    return embeddingSize / heads;
  }

  /** Sandwich blocks that a token passes at r recurrences: l_P + r l_R + l_C. */
  public long effectiveDepth(int recurrence) {
    return preludeLayers + (long) recurrence * recurrentLayers + codaLayers;
  }

  /** Standard deviation sigma = sqrt(2 / (5 h)) of the initial state and of Takase's init. */
  public double standardDeviation() {
    return Math.sqrt(2.0 / (5.0 * embeddingSize));
  }

  /**
   * Reads {@code config.json} of a model directory. Keys it does not know are ignored.
   *
   * @throws CheckpointException in one line, if the file is missing or no JSON, is of another model
   *     type, or has keys that are missing, of the wrong type, out of range or contradictory
   */
  public static RavenConfig load(Path directory) {
    if (!Files.exists(directory)) {
      throw new CheckpointException(directory + ": no such directory");
    }
    if (!Files.isDirectory(directory)) {
      throw new CheckpointException(directory + ": not a directory; expected a model directory");
    }
    Path file = directory.resolve("config.json");
    if (!Files.exists(file)) {
      throw new CheckpointException(
          directory + ": no config.json; expected a model directory with config.json");
    }
    return new Reader(file, JsonFile.readObject(file)).read();
  }

  private static final class Reader {
    private final Path file;
    private final Map<String, Object> values;
    private final List<String> problems = new ArrayList<>();

    Reader(Path file, Map<String, Object> values) {
      this.file = file;
      this.values = values;
    }

    RavenConfig read() {
      Object type = values.get("model_type");
      if (!MODEL_TYPE.equals(type)) {
        throw new CheckpointException(
            file + ": model_type is " + shown(type) + ", expected \"" + MODEL_TYPE + "\"");
      }
      expect("norm_class_name", "RMSNorm_llama");
      expect("block_class_name", "SandwichBlock");
      expect("mlp_class_name", "GatedMLP");
      expect("nonlin_name", "SiLU");
      expect("injection_type", "linear");
      expect("bias", false);
      final int embeddingSize = integer("n_embd");
      final int heads = integer("n_heads", "num_attention_heads");
      final int vocabularySize = vocabularySize();
      repeats("num_key_value_heads", "n_heads", heads);
      repeats("head_dim", "n_embd / n_heads", heads > 0 ? embeddingSize / heads : 0);
      final int intermediateSize = integer("intermediate_size");
      final int prelude = integer("n_layers_in_prelude");
      final int recurrent = integer("n_layers_in_recurrent_block");
      final int coda = integer("n_layers_in_coda");
      boolean allParts = prelude > 0 && recurrent > 0 && coda > 0;
      repeats("n_layers", "the sum of its parts", allParts ? prelude + recurrent + coda : 0);
      final int meanRecurrence = integer("mean_recurrence");
      final int contextLength = integer("block_size");
      final double ropeBase = number("rope_base", 50_000);
      final double normEpsilon = number("norm_eps", 1e-6);
      final boolean qkBias = flag("qk_bias", true);
      final boolean tied = flag("tie_embeddings", flag("tie_word_embeddings", true));
      if (flag("tie_word_embeddings", tied) != tied) {
        problems.add("tie_embeddings is " + tied + " but tie_word_embeddings is " + !tied);
      }
      if (problems.isEmpty()) {
        try {
          return new RavenConfig(
              embeddingSize,
              heads,
              intermediateSize,
              prelude,
              recurrent,
              coda,
              meanRecurrence,
              vocabularySize,
              contextLength,
              ropeBase,
              normEpsilon,
              qkBias,
              tied);
        } catch (IllegalArgumentException e) {
          problems.add(e.getMessage());
        }
      }
      throw new CheckpointException(file + ": " + String.join("; ", problems));
    }

    /** The weights have {@code padded_vocab_size} rows where that is told, else vocab_size. */
    private int vocabularySize() {
      if (!has("padded_vocab_size")) {
        return integer("vocab_size");
      }
      int padded = integer("padded_vocab_size");
      int unpadded = has("vocab_size") ? integer("vocab_size") : 0;
      if (padded > 0 && unpadded > padded) {
        problems.add("vocab_size " + unpadded + " exceeds padded_vocab_size " + padded);
      }
      return padded;
    }

    /** Whether a key is there; null says nothing. */
    private boolean has(String name) {
      return values.get(name) != null;
    }

    /** The first name that is there counts; the others must agree with it. */
    private int integer(String... names) {
      String found = null;
      boolean missing = true;
      int result = 0;
      for (String name : names) {
        Object value = values.get(name);
        if (value == null) {
          continue;
        }
        missing = false;
        if (!(value instanceof Long number) || number < 0 || number > MAXIMUM) {
          problems.add(name + " is " + shown(value) + ", expected an integer up to " + MAXIMUM);
        } else if (found == null) {
          found = name;
          result = number.intValue();
        } else {
          agree(name, number.intValue(), found, result);
        }
      }
      if (missing) {
        problems.add(String.join(" or ", names) + " is missing");
      }
      return result;
    }

    private double number(String name, double fallback) {
      Object value = values.get(name);
      if (value == null) {
        return fallback;
      }
      if (value instanceof Number number) {
        return number.doubleValue();
      }
      problems.add(name + " is " + shown(value) + ", expected a number");
      return fallback;
    }

    private boolean flag(String name, boolean fallback) {
      Object value = values.get(name);
      if (value == null) {
        return fallback;
      }
      if (value instanceof Boolean flag) {
        return flag;
      }
      problems.add(name + " is " + shown(value) + ", expected true or false");
      return fallback;
    }

    /**
     * A key that may be left out must agree with what other keys say; where they say nothing (0),
     * that is named already.
     */
    private void repeats(String name, String otherName, int other) {
      if (has(name) && other > 0) {
        int named = problems.size();
        int value = integer(name);
        if (problems.size() == named) {
          agree(name, value, otherName, other);
        }
      }
    }

    private void agree(String name, int value, String otherName, int other) {
      if (value != other) {
        problems.add(name + " is " + value + " but " + otherName + " is " + other);
      }
    }

    private void expect(String name, Object only) {
      Object value = values.get(name);
      if (value != null && !only.equals(value)) {
        problems.add(name + " is " + shown(value) + ", only " + shown(only) + " is supported");
      }
    }

    private static String shown(Object value) {
      if (value instanceof String text) {
        return '"' + text.replaceAll("\\p{Cntrl}", "?") + '"';
      }
      return value == null ? "missing" : String.valueOf(value);
    }
  }
}
