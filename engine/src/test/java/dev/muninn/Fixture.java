package dev.muninn;

import dev.muninn.backend.Backend;
import dev.muninn.backend.BackendProvider;
import dev.muninn.family.ModelFamilies;
import dev.muninn.model.RecurrentModel;
import dev.muninn.weights.Checkpoint;
import dev.muninn.weights.JsonFile;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** A small checkpoint and what an independent implementation computed from it. */
public final class Fixture implements AutoCloseable {
  /** All of them. */
  public static final List<String> NAMES =
      List.of("raven-2-4-2-f32", "raven-1-4-1-bf16", "raven-1-2-1-untied");

  /** Those of the other families, by folder. */
  public static final List<String> FAMILIES =
      List.of(
          "families/ouro-f32",
          "families/ouro-bf16",
          "families/nanbeige-f32",
          "families/nanbeige-skip-bf16",
          "families/retrofit-llama-f32",
          "families/retrofit-tinyllama-bf16",
          "families/retrofit-olmo-f32");

  private final Checkpoint checkpoint;
  private final RecurrentModel model;
  private final Map<String, Object> expected;

  public Fixture(String name) {
    Path directory = directory(name);
    checkpoint = Checkpoint.open(directory);
    model = ModelFamilies.load(directory, checkpoint);
    expected = JsonFile.readObject(directory.resolve("expected.json"));
  }

  public static Path directory(String name) {
    try {
      return Path.of(Fixture.class.getResource("/dev/muninn/fixtures/" + name).toURI());
    } catch (URISyntaxException e) {
      throw new AssertionError(e);
    }
  }

  public RecurrentModel model() {
    return model;
  }

  public Checkpoint checkpoint() {
    return checkpoint;
  }

  public Backend open(BackendProvider provider, int threads) {
    return provider.open(model, checkpoint, threads);
  }

  public int[] tokens() {
    return ints(expected, "tokens");
  }

  public float[] initialState() {
    return floats(expected, "initial_state");
  }

  public Map<String, Object> expected() {
    return expected;
  }

  /** A list of objects in expected.json. */
  @SuppressWarnings("unchecked")
  public List<Map<String, Object>> cases(String key) {
    return (List<Map<String, Object>>) expected.get(key);
  }

  public static int[] ints(Map<String, Object> object, String key) {
    List<?> list = (List<?>) object.get(key);
    int[] values = new int[list.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = ((Number) list.get(i)).intValue();
    }
    return values;
  }

  public static float[] floats(Map<String, Object> object, String key) {
    List<?> list = (List<?>) object.get(key);
    float[] values = new float[list.size()];
    for (int i = 0; i < values.length; i++) {
      // JSON knows no NaN; the copies of the files here have null for it.
      values[i] = list.get(i) == null ? Float.NaN : ((Number) list.get(i)).floatValue();
    }
    return values;
  }

  public static int integer(Map<String, Object> object, String key) {
    return ((Number) object.get(key)).intValue();
  }

  @Override
  public void close() {
    checkpoint.close();
  }
}
