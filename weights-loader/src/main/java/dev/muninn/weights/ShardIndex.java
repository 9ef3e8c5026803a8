package dev.muninn.weights;

import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The index of a sharded checkpoint: which tensor lies in which file. */
final class ShardIndex {
  /** The longest name that common file systems allow. */
  private static final int MAX_FILE_NAME_LENGTH = 255;

  private final Path file;
  private final Map<String, Path> shardOfTensor;
  private final List<Path> shards;

  private ShardIndex(Path file, Map<String, Path> shardOfTensor, List<Path> shards) {
    this.file = file;
    this.shardOfTensor = shardOfTensor;
    this.shards = shards;
  }

  /**
   * Reads an index and checks that all its shards are there.
   *
   * @param file the index; the shards are looked for in its directory
   * @throws CheckpointException if the index is not sound or a shard is missing
   */
  static ShardIndex read(Path file) {
    Map<String, Object> index = JsonFile.readObject(file);
    if (!(index.getOrDefault("metadata", Map.of()) instanceof Map)) {
      throw CheckpointException.refusal(file, "metadata that is not an object", "an object");
    }
    if (!(index.get("weight_map") instanceof Map<?, ?> weightMap)) {
      throw CheckpointException.refusal(
          file, "no object weight_map", "weight_map with a file name for each tensor");
    }
    Map<String, Path> shardOfTensor = new HashMap<>();
    Map<Path, Integer> tensorsOfShard = new TreeMap<>();
    for (Map.Entry<?, ?> mapped : weightMap.entrySet()) {
      Path shard = shard(file, (String) mapped.getKey(), mapped.getValue());
      shardOfTensor.put((String) mapped.getKey(), shard);
      tensorsOfShard.merge(shard, 1, Integer::sum);
    }
    List<Path> shards = List.copyOf(tensorsOfShard.keySet());
    List<Path> missing = new ArrayList<>();
    for (Path shard : shards) {
      if (Files.notExists(shard)) {
        missing.add(shard);
      }
    }
    if (!missing.isEmpty()) {
      Path first = missing.getFirst();
      int held = tensorsOfShard.get(first);
      throw CheckpointException.refusal(
          first,
          "no such file (" + missing.size() + " of " + shards.size() + " shards are missing)",
          "a shard with "
              + held
              + (held == 1 ? " tensor" : " tensors")
              + ", by "
              + file.getFileName());
    }
    return new ShardIndex(file, shardOfTensor, shards);
  }

  /** The shards, ordered by name. */
  List<Path> shards() {
    return shards;
  }

  /**
   * Checks the tensors of one shard against the index.
   *
   * @throws CheckpointException if the shard holds a tensor that the index does not map to it
   */
  void requireMapped(Path shard, Tensor tensor) {
    Path mapped = shardOfTensor.get(tensor.name());
    if (!shard.equals(mapped)) {
      throw CheckpointException.refusal(
          shard,
          tensor.name(),
          "a tensor that "
              + file.getFileName()
              + (mapped == null ? " does not map" : " maps to " + mapped.getFileName()),
          "only tensors that are mapped to this shard");
    }
  }

  /**
   * Checks that every mapped tensor was found.
   *
   * @param found the tensors of all shards, each of them passed to {@link #requireMapped} before
   * @param aliases second names of tensors, which the index may map as well
   * @throws CheckpointException if one is missing
   */
  void requireAllFound(Map<String, Tensor> found, Map<String, Tensor> aliases) {
    if (found.size() == shardOfTensor.size()) {
      return;
    }
    for (Map.Entry<String, Path> mapped : shardOfTensor.entrySet()) {
      Tensor alias = aliases.get(mapped.getKey());
      if (!found.containsKey(mapped.getKey())
          && (alias == null || !alias.file().equals(mapped.getValue()))) {
        throw CheckpointException.refusal(
            mapped.getValue(),
            mapped.getKey(),
            "no such tensor in the file",
            "it there, by " + file.getFileName());
      }
    }
  }

  private static Path shard(Path index, String tensor, Object value) {
    String expected = "the bare name of a file in the index's directory";
    if (!(value instanceof String name)) {
      throw CheckpointException.refusal(
          index, tensor, "a shard name that is not a string", expected);
    }
    if (isBare(name)) {
      try {
        Path shard = index.resolveSibling(name);
        // Whatever else the system takes for more than a name, such as a drive letter.
        if (shard.getFileName().toString().equals(name)) {
          return shard;
        }
      } catch (InvalidPathException notAName) {
        // Refused below, like every other name that cannot be one.
      }
    }
    throw CheckpointException.refusal(
        index, tensor, "shard " + CheckpointException.quote(name), expected);
  }

  private static boolean isBare(String name) {
    return !name.isEmpty()
        && name.length() <= MAX_FILE_NAME_LENGTH
        && !name.equals(".")
        && !name.equals("..")
        && name.indexOf('/') < 0
        && name.indexOf('\\') < 0;
  }
}
