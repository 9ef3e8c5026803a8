package dev.muninn.cli.models;

import java.util.regex.Pattern;

/**
 * A file of a model as the endpoint lists it.
 *
 * @param name its name, without any folder
 * @param size bytes
 * @param checksum what its content must give
 */
record RemoteFile(String name, long size, Checksum checksum) {
  private static final Pattern NEEDED =
      Pattern.compile(
          "config\\.json|generation_config\\.json|tokenizer[A-Za-z0-9._-]{0,60}\\.json"
              + "|chat_template\\.jinja|special_tokens_map\\.json|added_tokens\\.json|model\\.safetensors\\.index\\.json"
              + "|[A-Za-z0-9_][A-Za-z0-9._-]{0,120}\\.safetensors");
  private static final String WEIGHTS = ".safetensors";
  private static final Pattern OTHER_WEIGHTS =
      Pattern.compile(".*\\.(bin|gguf|ggml|pt|pth|ckpt|h5|msgpack|onnx|npz)");

  /** What an adapter has instead of a model's configuration. */
  static final String ADAPTER = "adapter_config.json";

  /** The weights, where they are one file. */
  static final String SINGLE = "model.safetensors";

  /** Which names the shards, where the weights are several. */
  static final String INDEX = "model.safetensors.index.json";

  /** Without which nothing is a model. */
  static final String CONFIGURATION = "config.json";

  /** Whether a checkpoint may need a file of this name: a plain name, with no folder in it. */
  static boolean isNeeded(String name) {
    return NEEDED.matcher(name).matches();
  }

  /**
   * Whether a file of this name holds weights that are not read here, or says of what it is part.
   */
  static boolean isOther(String name) {
    return name.equals(ADAPTER) || OTHER_WEIGHTS.matcher(name).matches();
  }

  /** Whether the file holds tensors. */
  boolean isWeights() {
    return name.endsWith(WEIGHTS);
  }
}
