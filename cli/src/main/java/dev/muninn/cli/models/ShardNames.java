package dev.muninn.cli.models;

import dev.muninn.weights.JsonFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** What an index of shards names. */
final class ShardNames {
  private ShardNames() {}

  /** The files of weights. */
  static Set<String> shards(Path index) throws IOException {
    Set<String> shards = new TreeSet<>();
    map(index).values().forEach(shard -> shards.add(String.valueOf(shard)));
    return shards;
  }

  /** The tensors. */
  static Set<String> tensors(Path index) throws IOException {
    Set<String> tensors = new TreeSet<>();
    map(index).keySet().forEach(tensor -> tensors.add(String.valueOf(tensor)));
    return tensors;
  }

  private static Map<?, ?> map(Path index) throws IOException {
    if (JsonFile.readObject(index).get("weight_map") instanceof Map<?, ?> map && !map.isEmpty()) {
      return map;
    }
    throw new IOException(RemoteFile.INDEX + " names no files of weights");
  }
}
