package dev.muninn.train;

import dev.muninn.kernel.ScalarKernels;
import dev.muninn.weights.AtomicFile;
import dev.muninn.weights.Checkpoint;
import dev.muninn.weights.CheckpointException;
import dev.muninn.weights.Csv;
import dev.muninn.weights.DType;
import dev.muninn.weights.InputFile;
import dev.muninn.weights.ProcessLock;
import dev.muninn.weights.SafetensorsWriter;
import dev.muninn.weights.Scratch;
import dev.muninn.weights.Tensor;
import dev.muninn.weights.Utf8Text;
import java.io.IOException;
import java.io.StringReader;
import java.io.StringWriter;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;

/**
 * The files of a training run: a model in the public format, which generation loads; beside it, in
 * {@value #STATE}, all that training goes on from; and two logs.
 *
 * <p>Each file appears whole or not at all. The state is one file and has the F32 weights itself,
 * so that a run that ends between the model and the state leaves two files that are whole, of which
 * only the state counts for training. It is written last.
 */
public final class TrainingDirectory implements AutoCloseable {
  /** The directory of the state, in which it stands under a checkpoint's usual name. */
  static final String STATE = "training-state";

  /** Every step: step, loss, recurrence, learning rate, gradient norm, tokens a second. */
  public static final String LOG = "log.csv";

  /** Every evaluation: step, validation set, recurrence, loss, accuracy. */
  public static final String VALIDATION_LOG = "validation.csv";

  private static final String LOG_HEADER =
      "step,loss,recurrence,learning_rate,gradient_norm,tokens_per_second\n";
  private static final String VALIDATION_HEADER = "step,set,recurrence,loss,accuracy\n";
  private static final int MOST_BYTES = 100 << 20;
  private static final String STEP = "step";
  private static final String DATA = "data.";
  private static final String SETTING = "setting.";
  private static final String FIRST = "first_moment.";
  private static final String SECOND = "second_moment.";
  private static final List<String> COPIED =
      List.of(
          "generation_config.json",
          "tokenizer.json",
          "tokenizer_config.json",
          "special_tokens_map.json",
          "chat_template.jinja");

  /** The settings of a run, beside its state: they are known before anything is saved. */
  private static final String SETTINGS = "settings.properties";

  /** Held by the run that writes. */
  private static final String LOCK = "lock";

  private final Path path;
  private final Map<String, String> settings;
  private final ProcessLock lock;

  /**
   * The state that training resumes from.
   *
   * @param step steps that were taken
   * @param data state of the training data
   * @param settings what the run was started with
   */
  public record State(
      long step, Map<String, String> data, Map<String, String> settings, Path directory) {

    void restore(Parameters parameters) {
      try (Checkpoint checkpoint = Checkpoint.open(directory)) {
        checkpoint.guard(() -> {
          parameters.read(checkpoint);
          for (Parameter parameter : parameters.all()) {
            read(checkpoint, FIRST, parameter, parameter.firstMoment);
            read(checkpoint, SECOND, parameter, parameter.secondMoment);
          }
          return true;
        });
      }
    }

    private static void read(
        Checkpoint checkpoint, String prefix, Parameter parameter, float[] target) {
      Tensor tensor = checkpoint.tensor(prefix + parameter.name);
      if (!tensor.shape().equals(parameter.shape) || tensor.dtype() != DType.F32) {
        throw new TrainingException(
            tensor.file() + ": " + tensor.name() + " is not F32 of " + parameter.shape);
      }
      parameter.read(tensor, target);
    }
  }

  /**
   * The directory of a run that is about to begin or to go on; it is made if it is not there.
   *
   * @param settings texts to be kept with the state
   * @throws TrainingException if it cannot be written, or if another run is writing there
   */
  public static TrainingDirectory of(Path path, Map<String, String> settings) {
    Path state = path.resolve(STATE);
    try {
      Files.createDirectories(state);
      ProcessLock lock = take(path);
      // A run that was killed may have left files that were not whole.
      Scratch.sweep(path);
      Scratch.sweep(state);
      return new TrainingDirectory(path, Map.copyOf(settings), lock);
    } catch (IOException e) {
      throw failure(path, e);
    }
  }

  private TrainingDirectory(Path path, Map<String, String> settings, ProcessLock lock) {
    this.path = path;
    this.settings = settings;
    this.lock = lock;
  }

  /** Lets another run write there. */
  @Override
  public void close() {
    try {
      lock.close();
    } catch (IOException e) {
      throw failure(path, e);
    }
  }

  /** Where it is. */
  public Path path() {
    return path;
  }

  /** The state of a run, if a directory has one. */
  public static Optional<State> readState(Path path) {
    Path directory = path.resolve(STATE);
    Path file = directory.resolve(Checkpoint.SINGLE_FILE);
    if (!Files.exists(file)) {
      return Optional.empty();
    }
    try {
      return Optional.of(readState(directory, file));
    } catch (CheckpointException e) {
      // Another run that saves meanwhile is the reason, not the file.
      requireNobodyWrites(path);
      throw e;
    }
  }

  /**
   * Checks that no run is writing there now.
   *
   * @throws TrainingException in one line, if one is
   */
  public static void requireNobodyWrites(Path path) {
    try {
      take(path).close();
    } catch (IOException e) {
      throw failure(path, e);
    }
  }

  private static ProcessLock take(Path path) throws IOException {
    return ProcessLock.tryTake(path.resolve(STATE).resolve(LOCK))
        .orElseThrow(() -> new TrainingException(path + ": another run is writing there"));
  }

  private static State readState(Path directory, Path file) {
    try (Checkpoint checkpoint = Checkpoint.open(directory)) {
      Map<String, String> metadata = checkpoint.metadata(file);
      String step = metadata.get(STEP);
      if (step == null || !step.matches("\\d{1,18}")) {
        throw new TrainingException(file + ": no state of a training run; step is " + step);
      }
      return new State(
          Long.parseLong(step), part(metadata, DATA), part(metadata, SETTING), directory);
    }
  }

  private static Map<String, String> part(Map<String, String> metadata, String prefix) {
    Map<String, String> part = new HashMap<>();
    metadata.forEach((key, value) -> {
      if (key.startsWith(prefix)) {
        part.put(key.substring(prefix.length()), value);
      }
    });
    return part;
  }

  /**
   * Begins the files of a new run: everything but weights.
   *
   * @param source a model directory whose tokenizer the new model has
   */
  public void begin(TrainingPlan plan, Path source) {
    try {
      writeSettings();
      for (String name : COPIED) {
        if (Files.exists(source.resolve(name))) {
          AtomicFile.write(
              path.resolve(name),
              InputFile.readRegular(source.resolve(name), MOST_BYTES, "a file of a model"));
        }
      }
      writeConfig(plan);
      AtomicFile.write(path.resolve(LOG), LOG_HEADER.getBytes(StandardCharsets.UTF_8));
      AtomicFile.write(
          path.resolve(VALIDATION_LOG), VALIDATION_HEADER.getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw failure(path, e);
    }
  }

  private void writeSettings() throws IOException {
    Properties properties = new Properties();
    properties.putAll(settings);
    StringWriter text = new StringWriter();
    properties.store(text, null);
    AtomicFile.write(
        path.resolve(STATE).resolve(SETTINGS), text.toString().getBytes(StandardCharsets.UTF_8));
  }

  /** The settings of a run that has begun, whether or not it has saved anything. */
  public static Optional<Map<String, String>> readSettings(Path path) {
    Path file = path.resolve(STATE).resolve(SETTINGS);
    if (!Files.exists(file)) {
      return Optional.empty();
    }
    Properties properties = new Properties();
    try {
      properties.load(new StringReader(text(file)));
    } catch (IOException | IllegalArgumentException e) {
      throw new TrainingException(file + ": no settings of a training run: " + e.getMessage(), e);
    }
    Map<String, String> settings = new HashMap<>();
    properties.forEach((name, value) -> settings.put((String) name, (String) value));
    return Optional.of(settings);
  }

  /** Brings the files of a run in line with the state that it goes on from. */
  public void goOn(TrainingPlan plan, long step) {
    try {
      writeConfig(plan);
      cut(path.resolve(LOG), LOG_HEADER, step);
      cut(path.resolve(VALIDATION_LOG), VALIDATION_HEADER, step);
    } catch (IOException e) {
      throw failure(path, e);
    }
  }

  private static String text(Path file) throws IOException {
    byte[] bytes = InputFile.readRegular(file, MOST_BYTES, "a file of a run");
    return Utf8Text.decode(file.toString(), bytes);
  }

  private void writeConfig(TrainingPlan plan) throws IOException {
    AtomicFile.write(
        path.resolve("config.json"), ConfigJson.of(plan).getBytes(StandardCharsets.UTF_8));
  }

  /** Removes the lines of later steps, and one that was not finished. */
  private static void cut(Path log, String header, long step) throws IOException {
    StringBuilder kept = new StringBuilder(header);
    if (Files.exists(log)) {
      String text = text(log);
      for (String line : text.substring(0, text.lastIndexOf('\n') + 1).split("\n")) {
        int comma = line.indexOf(',');
        if (comma > 0
            && line.substring(0, comma).matches("\\d{1,18}")
            && Long.parseLong(line.substring(0, comma)) <= step) {
          kept.append(line).append('\n');
        }
      }
    }
    AtomicFile.write(log, kept.toString().getBytes(StandardCharsets.UTF_8));
  }

  void log(StepReport report) {
    append(
        LOG,
        report.step()
            + ","
            + report.loss()
            + ","
            + report.recurrence()
            + ","
            + report.learningRate()
            + ","
            + report.gradientNorm()
            + ","
            + Math.round(report.tokensPerSecond())
            + "\n");
  }

  void log(long step, List<Evaluation> evaluations) {
    StringBuilder lines = new StringBuilder();
    for (Evaluation evaluation : evaluations) {
      lines
          .append(step)
          .append(',')
          .append(Csv.cell(evaluation.set()))
          .append(',')
          .append(evaluation.recurrence())
          .append(',')
          .append(evaluation.loss())
          .append(',')
          .append(evaluation.accuracy())
          .append('\n');
    }
    append(VALIDATION_LOG, lines.toString());
  }

  private void append(String name, String lines) {
    try {
      Files.writeString(
          path.resolve(name), lines, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    } catch (IOException e) {
      throw failure(path.resolve(name), e);
    }
  }

  /** Writes the model, then the state. */
  void save(TrainingPlan plan, Parameters parameters, long step, Map<String, String> data) {
    SafetensorsWriter model = new SafetensorsWriter(path.resolve(Checkpoint.SINGLE_FILE));
    model.metadata("format", "pt");
    for (Parameter parameter : parameters.all()) {
      if (plan.saving().dtype() == DType.BF16) {
        model.add(parameter.name, DType.BF16, parameter.shape, () -> bf16(parameter.values));
      } else {
        model.add(parameter.name, DType.F32, parameter.shape, () -> f32(parameter.values));
      }
    }
    model.write();
    Path file = path.resolve(STATE).resolve(Checkpoint.SINGLE_FILE);
    SafetensorsWriter state = new SafetensorsWriter(file);
    state.metadata(STEP, Long.toString(step));
    data.forEach((key, value) -> state.metadata(DATA + key, value));
    settings.forEach((key, value) -> state.metadata(SETTING + key, value));
    for (Parameter parameter : parameters.all()) {
      state.add(parameter.name, DType.F32, parameter.shape, () -> f32(parameter.values));
      state.add(
          FIRST + parameter.name, DType.F32, parameter.shape, () -> f32(parameter.firstMoment));
      state.add(
          SECOND + parameter.name, DType.F32, parameter.shape, () -> f32(parameter.secondMoment));
    }
    state.write();
  }

  private static MemorySegment f32(float[] values) {
    ByteBuffer bytes =
        ByteBuffer.allocate(Float.BYTES * values.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(values);
    return MemorySegment.ofBuffer(bytes);
  }

  private static MemorySegment bf16(float[] values) {
    ByteBuffer bytes =
        ByteBuffer.allocate(Short.BYTES * values.length).order(ByteOrder.LITTLE_ENDIAN);
    for (float value : values) {
      bytes.putShort(ScalarKernels.bf16(value));
    }
    return MemorySegment.ofBuffer(bytes.flip());
  }

  private static TrainingException failure(Path file, IOException e) {
    FileSystemException named =
        e instanceof FileSystemException known && known.getFile() != null
            ? known
            : AtomicFile.named(file, e);
    String reason =
        switch (named) {
          case NoSuchFileException missing -> "no such file or directory";
          case AccessDeniedException denied -> "permission denied";
          default -> named.getReason() == null ? named.toString() : named.getReason();
        };
    return new TrainingException(named.getFile() + ": cannot be written: " + reason, e);
  }
}
