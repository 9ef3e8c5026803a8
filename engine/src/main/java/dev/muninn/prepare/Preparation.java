package dev.muninn.prepare;

import dev.muninn.family.ConfigReader;
import dev.muninn.family.ModelFamilies;
import dev.muninn.family.PanelTensor;
import dev.muninn.family.PreparedTensors;
import dev.muninn.weights.AtomicFile;
import dev.muninn.weights.Checkpoint;
import dev.muninn.weights.CheckpointException;
import dev.muninn.weights.JsonFile;
import dev.muninn.weights.SafetensorsOutput;
import dev.muninn.weights.SafetensorsWriter;
import dev.muninn.weights.Tensor;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.LongConsumer;

/**
 * Prepares a checkpoint: writes the same model with its matrices in panels, which many rows read
 * faster, and of fewer bits, which every row reads faster.
 *
 * <pre>{@code
 * Preparation.prepare(Path.of("huginn-0125"), Path.of("huginn-q4"), Recipe.of("q4"), bytes -> {});
 * }</pre>
 *
 * <p>A preparation knows a model by its configuration and the names of its tensors, so that shards
 * can be prepared one by one, before all of them are there. Of the weights, it holds some panels at
 * a time.
 */
public final class Preparation {
  private final Map<String, Object> config;
  private final Set<String> used;
  private final Map<String, PanelTensor> panels;
  private final Recipe recipe;

  /** Null if nothing is known of the matrices' inputs. */
  private Calibration calibration;

  private final Map<String, String> shardOfTensor = new TreeMap<>();
  private final Set<String> leftOut = new LinkedHashSet<>();
  private long writtenBytes;

  private Preparation(
      Map<String, Object> config,
      Set<String> used,
      Map<String, PanelTensor> panels,
      Recipe recipe) {
    this.config = config;
    this.used = used;
    this.panels = panels;
    this.recipe = recipe;
  }

  /**
   * Plans the preparation of a model.
   *
   * @param config its config.json
   * @param tensors the names of all its tensors
   * @throws CheckpointException in one line, if the model is of no known family or was prepared or
   *     quantized before, or if its tensors are not those that its configuration asks for
   */
  public static Preparation of(ConfigReader config, Set<String> tensors, Recipe recipe) {
    requireAsItCame(config);
    BoundTensors bound = new BoundTensors(tensors);
    bound.observe(
        ModelFamilies.bind(ModelFamilies.choose(config, tensors::contains), config, bound));
    if (!bound.problems().isEmpty()) {
      throw new CheckpointException(
          config.file().toAbsolutePath().getParent()
              + ": the tensors do not fit config.json: "
              + String.join(
                  "; ", bound.problems().subList(0, Math.min(8, bound.problems().size()))));
    }
    Map<String, PanelTensor> panels = new LinkedHashMap<>();
    for (BoundTensors.Matrix matrix : bound.matrices().values()) {
      recipe
          .format(matrix.part())
          .ifPresent(format ->
              panels.put(
                  matrix.name, new PanelTensor(format, matrix.rowParts(), matrix.inputParts())));
    }
    if (panels.isEmpty()) {
      throw new IllegalArgumentException("nothing is to be prepared: every part is kept");
    }
    return new Preparation(config.values(), bound.used(), panels, recipe);
  }

  /** Refuses a checkpoint that is prepared already. */
  static void requireAsItCame(ConfigReader config) {
    if (PreparedTensors.read(config).isPrepared()) {
      throw new CheckpointException(
          config.file() + ": the model is prepared already; expected a checkpoint as it came");
    }
  }

  /**
   * Prepares the checkpoint of a directory.
   *
   * @param source config.json, and model.safetensors or its shards
   * @param target an empty directory: gets config.json, the weights in files of the same names, and
   *     their index if they have one. It is the caller's to copy what else belongs to the model
   * @param recipe the format of each part
   * @param progress is told how many bytes of the source have been read
   * @return what was done
   * @throws CheckpointException in one line, if the source cannot be read or prepared, or the
   *     target cannot be written
   * @throws IOException if config.json or the index cannot be written
   */
  public static Preparation prepare(Path source, Path target, Recipe recipe, LongConsumer progress)
      throws IOException {
    return prepare(source, target, recipe, null, progress);
  }

  /**
   * Prepares the checkpoint of a directory, and rounds with an eye to what its matrices are
   * multiplied with.
   *
   * @param source as above
   * @param target as above
   * @param recipe the format of each part
   * @param calibration what was seen of the same checkpoint, or null
   * @param progress is told how many bytes of the source have been read
   * @return what was done
   * @throws CheckpointException as above
   * @throws IOException as above
   */
  public static Preparation prepare(
      Path source, Path target, Recipe recipe, Calibration calibration, LongConsumer progress)
      throws IOException {
    ConfigReader config = ConfigReader.of(source);
    ModelFamilies.requireKnown(config);
    try (Checkpoint checkpoint = Checkpoint.open(source)) {
      Preparation preparation = of(config, names(checkpoint), recipe);
      preparation.calibration = calibration;
      long before = 0;
      for (Path file : checkpoint.files()) {
        long begin = before;
        String name = file.getFileName().toString();
        preparation.prepareFile(
            checkpoint, file, target.resolve(name), name, done -> progress.accept(begin + done));
        for (Tensor tensor : checkpoint.tensors().values()) {
          before += tensor.file().equals(file) ? tensor.byteSize() : 0;
        }
        progress.accept(before);
      }
      checkpoint.verifyUnchanged();
      preparation.finish(target);
      return preparation;
    }
  }

  /** The names of a checkpoint's tensors, second ones too. */
  public static Set<String> names(Checkpoint checkpoint) {
    Set<String> names = new LinkedHashSet<>(checkpoint.tensors().keySet());
    for (Path file : checkpoint.files()) {
      checkpoint.metadata(file).keySet().stream().filter(checkpoint::contains).forEach(names::add);
    }
    return names;
  }

  /**
   * Takes over a file that an equal preparation wrote earlier.
   *
   * @param prepared the file
   * @param name what the file will be called in the model's directory
   */
  public void take(Checkpoint prepared, String name) {
    for (Tensor tensor : prepared.tensors().values()) {
      shardOfTensor.put(tensor.name(), name);
      writtenBytes += tensor.byteSize();
    }
  }

  /**
   * Prepares one file of weights.
   *
   * @param source the file
   * @param target the file to be written
   * @param name what the file will be called in the model's directory
   * @param progress is told how many bytes of its tensors have been read
   */
  public void prepareFile(Path source, Path target, String name, LongConsumer progress) {
    try (Checkpoint checkpoint = Checkpoint.openFile(source)) {
      prepareFile(checkpoint, source, target, name, progress);
      checkpoint.verifyUnchanged();
    }
  }

  private void prepareFile(
      Checkpoint checkpoint, Path file, Path target, String name, LongConsumer progress) {
    checkpoint.guard(() -> {
      writeFile(checkpoint, file, target, name, progress);
      return true;
    });
  }

  private void writeFile(
      Checkpoint checkpoint, Path file, Path target, String name, LongConsumer progress) {
    SafetensorsWriter writer = new SafetensorsWriter(target);
    Map<String, Tensor> inPanels = new LinkedHashMap<>();
    Map<String, String> metadata = checkpoint.metadata(file);
    metadata.forEach((key, value) -> {
      if (!checkpoint.contains(key)) {
        writer.metadata(key, value);
      }
    });
    for (Tensor tensor : checkpoint.tensors().values()) {
      if (!tensor.file().equals(file)) {
        continue;
      }
      boolean taken = false;
      for (String bound : namesOf(tensor, metadata)) {
        if (!used.contains(bound)) {
          continue;
        }
        taken = true;
        shardOfTensor.put(bound, name);
        PanelTensor layout = panels.get(bound);
        if (layout == null) {
          writer.add(bound, tensor.dtype(), tensor.shape(), tensor.data());
          writtenBytes += tensor.byteSize();
        } else {
          requireMatrix(tensor, layout);
          writer.reserve(bound, layout.dtype(), layout.shape());
          inPanels.put(bound, tensor);
          writtenBytes += layout.panels() * layout.panelBytes();
        }
      }
      if (!taken) {
        leftOut.add(tensor.name());
      }
    }
    try (SafetensorsOutput output = writer.open()) {
      long done = 0;
      for (Map.Entry<String, Tensor> entry : inPanels.entrySet()) {
        long begin = done;
        PanelTensor layout = panels.get(entry.getKey());
        ErrorFeedback feedback =
            calibration == null || layout.format().blockInputs() == 1
                ? null
                : calibration.feedback(entry.getValue(), layout);
        new PanelWriter(entry.getKey(), entry.getValue(), layout, feedback)
            .write(output, bytes -> progress.accept(begin + bytes));
        done += entry.getValue().byteSize();
      }
      output.commit();
    }
  }

  /** A tensor's names: its own, and those that the metadata gives it too. */
  private static List<String> namesOf(Tensor tensor, Map<String, String> metadata) {
    List<String> names = new ArrayList<>(List.of(tensor.name()));
    metadata.forEach((name, other) -> {
      if (other.equals(tensor.name()) && !name.equals(other)) {
        names.add(name);
      }
    });
    return names;
  }

  private static void requireMatrix(Tensor tensor, PanelTensor layout) {
    List<Long> expected = List.of((long) layout.rows(), (long) layout.inputs());
    if (!tensor.shape().equals(expected)) {
      throw new CheckpointException(
          "%s: tensor \"%s\": found shape %s, expected %s by config.json"
              .formatted(tensor.file(), tensor.name(), tensor.shape(), expected));
    }
    tensor.requireReadable();
  }

  /**
   * Writes what belongs to the weights, when all files of them are prepared: config.json, and the
   * index if there is more than one file or the only one has another name.
   *
   * @param target their directory
   * @throws CheckpointException if a tensor of the model was in none of the files
   * @throws IOException if one cannot be written
   */
  public void finish(Path target) throws IOException {
    for (String name : panels.keySet()) {
      if (!shardOfTensor.containsKey(name)) {
        throw new CheckpointException(target + ": " + name + " is in none of the files");
      }
    }
    write(target.resolve("config.json"), config());
    if (needsIndex()) {
      Map<String, Object> index = new LinkedHashMap<>();
      index.put("metadata", Map.of("total_size", writtenBytes));
      index.put("weight_map", shardOfTensor);
      write(target.resolve(Checkpoint.INDEX_FILE), index);
    }
  }

  /** Whether the files need an index. */
  public boolean needsIndex() {
    return !shardOfTensor.values().stream().allMatch(Checkpoint.SINGLE_FILE::equals);
  }

  private static void write(Path file, Map<String, Object> json) throws IOException {
    AtomicFile.write(file, JsonFile.text(json).getBytes(StandardCharsets.UTF_8));
  }

  private Map<String, Object> config() {
    Map<String, Object> written = new LinkedHashMap<>(config);
    written.put(PreparedTensors.KEY, new PreparedTensors(recipe.text(), panels).config());
    return written;
  }

  /** The tensors that lie in panels now, by name. */
  public Map<String, PanelTensor> panels() {
    return panels;
  }

  /** Bytes of all tensors that were written. */
  public long writtenBytes() {
    return writtenBytes;
  }

  /** Tensors of the files that the model does not use, which were not written. */
  public Set<String> leftOut() {
    return leftOut;
  }
}
