package dev.muninn.family;

import dev.muninn.model.RecurrentModel;
import dev.muninn.weights.Checkpoint;
import dev.muninn.weights.CheckpointException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.ServiceLoader;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/** The families that are known, and the choice among them. */
public final class ModelFamilies {
  /** Finds families one by one: to find those behind the first ones, all jars are opened. */
  private static final ServiceLoader<ModelFamily> FOUND =
      ServiceLoader.load(ModelFamily.class, ModelFamilies.class.getClassLoader());

  private ModelFamilies() {}

  /** All that were found. */
  public static List<ModelFamily> all() {
    synchronized (FOUND) {
      List<ModelFamily> families = new ArrayList<>();
      FOUND.forEach(families::add);
      return families;
    }
  }

  /** The first that fits, or null. */
  private static ModelFamily first(Predicate<ModelFamily> fits) {
    synchronized (FOUND) {
      for (ModelFamily family : FOUND) {
        if (fits.test(family)) {
          return family;
        }
      }
    }
    return null;
  }

  /**
   * Reads a model's configuration and binds its tensors, which stay in the mapped files.
   *
   * @param directory has config.json
   * @param checkpoint the directory's
   * @throws CheckpointException in one line, if the model is of no known family, if an option in
   *     its configuration would be computed wrongly, or if its tensors do not fit
   */
  public static RecurrentModel load(Path directory, Checkpoint checkpoint) {
    ConfigReader config = ConfigReader.of(directory);
    return load(config, checkpoint);
  }

  /** The same with a configuration that has been read. */
  public static RecurrentModel load(ConfigReader config, Checkpoint checkpoint) {
    return load(choose(config, checkpoint::contains), config, checkpoint);
  }

  /** The same for a family that has been chosen. */
  public static RecurrentModel load(
      ModelFamily family, ConfigReader config, Checkpoint checkpoint) {
    CheckpointTensors tensors = new CheckpointTensors(checkpoint, PreparedTensors.read(config));
    RecurrentModel model = bind(family, config, tensors);
    tensors.requireNoProblems();
    return model;
  }

  /** Binds a family's tensors from any source. */
  public static RecurrentModel bind(ModelFamily family, ConfigReader config, TensorSource tensors) {
    try {
      RecurrentModel model = family.bind(config, tensors);
      config.refuseUnread();
      config.requireNoProblems();
      return model;
    } catch (IllegalArgumentException e) {
      throw new CheckpointException(config.file() + ": " + e.getMessage(), e);
    }
  }

  /**
   * Refuses a model of a type that no family has, before anything else of it is opened.
   *
   * @throws CheckpointException in one line
   */
  public static void requireKnown(ConfigReader config) {
    require(config, family -> true);
  }

  /**
   * The family of a configuration and the tensors beside it.
   *
   * @throws CheckpointException in one line, if there is none
   */
  public static ModelFamily choose(ConfigReader config, Predicate<String> hasTensor) {
    return require(config, family -> family.recognises(hasTensor));
  }

  private static ModelFamily require(ConfigReader config, Predicate<ModelFamily> fits) {
    Object type = config.value("model_type");
    ModelFamily found = first(family -> family.modelType().equals(type) && fits.test(family));
    if (found == null) {
      throw config.wrongModelType(
          all().stream()
              .map(family -> '"' + family.modelType() + '"')
              .distinct()
              .sorted()
              .collect(Collectors.joining(" or ")));
    }
    return found;
  }
}
