package dev.muninn.cli.eval;

import dev.muninn.cli.output.Json;
import dev.muninn.eval.Problem;
import dev.muninn.eval.ProblemResult;
import dev.muninn.eval.Task;
import dev.muninn.weights.AtomicFile;
import dev.muninn.weights.CheckpointException;
import dev.muninn.weights.JsonFile;
import dev.muninn.weights.ProcessLock;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import tools.jackson.core.JsonGenerator;

/**
 * Results of problems, which may be kept in a file: one JSON object a line, behind a header that
 * says what made them. A run that was interrupted goes on behind its last whole line.
 */
public final class Results implements AutoCloseable {
  private static final String FORMAT = "muninn_results";
  private static final long VERSION = 1;

  private final Path path;
  private final ProcessLock lock;
  private final FileChannel channel;
  private final Map<Cell.Key, TreeMap<Integer, ProblemResult>> results = new HashMap<>();

  /**
   * Opens results to be gone on with, or begins them.
   *
   * @param path null for results in no file
   * @param header what makes results: names with texts
   * @throws IOException in one line, if the file cannot be written, is in use, is no results or was
   *     made by something else
   */
  public static Results open(Path path, Map<String, String> header, List<Task> tasks)
      throws IOException {
    if (path == null) {
      return new Results();
    }
    Map<String, List<Problem>> problems = new HashMap<>();
    for (Task task : tasks) {
      problems.put(task.name(), task.problems());
    }
    return new Results(path, header, problems::get);
  }

  /** Results in no file. */
  Results() {
    path = null;
    lock = null;
    channel = null;
  }

  /**
   * Opens results to be gone on with, or begins them.
   *
   * @param header what makes results: names with texts
   * @param tasks gives a task's problems by its name; null if it is not evaluated
   * @throws IOException in one line, if the file cannot be written, is in use, is no results or was
   *     made by something else
   */
  Results(Path path, Map<String, String> header, Function<String, List<Problem>> tasks)
      throws IOException {
    this.path = path;
    Path file = AtomicFile.destination(path);
    if (Files.exists(file) && !Files.isRegularFile(file)) {
      throw new FileSystemException(
          path.toString(),
          null,
          Files.isDirectory(file)
              ? "is a directory"
              : "is not a file that a run can continue from");
    }
    lock = lock(file);
    FileChannel opened = null;
    try {
      opened =
          FileChannel.open(
              file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
      channel = opened;
      read(header, tasks);
    } catch (IOException | RuntimeException e) {
      if (opened != null) {
        opened.close();
      }
      lock.remove();
      throw e;
    }
  }

  /** The results cannot be locked themselves: the system lets go when they are read elsewhere. */
  private ProcessLock lock(Path file) throws IOException {
    try {
      return ProcessLock.tryTake(file.resolveSibling("." + file.getFileName() + ".lock"))
          .orElseThrow(
              () -> new FileSystemException(path.toString(), null, "another run is writing to it"));
    } catch (NoSuchFileException e) {
      throw AtomicFile.named(path, e);
    }
  }

  private void read(Map<String, String> header, Function<String, List<Problem>> tasks)
      throws IOException {
    byte[] bytes = Channels.newInputStream(channel).readAllBytes();
    int end = bytes.length;
    while (end > 0 && bytes[end - 1] != '\n') {
      end--;
    }
    List<String> lines = new String(bytes, 0, end, StandardCharsets.UTF_8).lines().toList();
    if (lines.isEmpty()) {
      requireTornHeader(new String(bytes, StandardCharsets.UTF_8));
    } else {
      requireSame(header, object(lines.getFirst(), 1));
    }
    // Only now is it known to be ours: a line that was not written whole is cut off.
    channel.truncate(end);
    channel.position(end);
    if (lines.isEmpty()) {
      write(headerLine(header));
    }
    for (int i = 1; i < lines.size(); i++) {
      Map<String, Object> object = object(lines.get(i), i + 1);
      try {
        take(object, tasks);
      } catch (ClassCastException
          | NullPointerException
          | IndexOutOfBoundsException
          | ArithmeticException e) {
        throw new IOException(where(i + 1) + " is not a result of this evaluation", e);
      }
    }
  }

  /** Refuses a file without a whole line, unless it is empty or the beginning of a header. */
  private void requireTornHeader(String text) throws IOException {
    String beginning = "{\"" + FORMAT + '"';
    int length = Math.min(text.length(), beginning.length());
    if (!text.substring(0, length).equals(beginning.substring(0, length))) {
      throw noResults();
    }
  }

  private IOException noResults() {
    return new IOException(path + " holds no results of muninn eval; give another file");
  }

  private String where(int line) {
    return path + ", line " + line;
  }

  private Map<String, Object> object(String line, int number) throws IOException {
    try {
      return JsonFile.readObject(where(number), line);
    } catch (CheckpointException e) {
      throw new IOException(e.getMessage(), e);
    }
  }

  private static String headerLine(Map<String, String> header) {
    return Json.object(generator -> {
      generator.writeNumberProperty(FORMAT, VERSION);
      header.forEach(generator::writeStringProperty);
    });
  }

  private void requireSame(Map<String, String> header, Map<String, Object> found)
      throws IOException {
    if (!Long.valueOf(VERSION).equals(found.get(FORMAT))) {
      throw noResults();
    }
    Map<String, Object> others = new LinkedHashMap<>(found);
    others.remove(FORMAT);
    for (Map.Entry<String, String> entry : header.entrySet()) {
      Object other = others.remove(entry.getKey());
      if (!entry.getValue().equals(other)) {
        throw new IOException(
            path
                + " belongs to another evaluation: its "
                + entry.getKey()
                + " is "
                + other
                + ", not "
                + entry.getValue());
      }
    }
    if (!others.isEmpty()) {
      throw new IOException(path + " is of another evaluation, which had also " + others.keySet());
    }
  }

  private void take(Map<String, Object> object, Function<String, List<Problem>> tasks)
      throws IOException {
    String task = (String) object.get("task");
    List<Problem> problems = tasks.apply(task);
    int number = Math.toIntExact((long) object.get("number") - 1);
    if (problems == null || number >= problems.size()) {
      // Of a run with more problems.
      return;
    }
    Cell.Key key =
        new Cell.Key(
            task,
            Math.toIntExact((long) object.get("shots")),
            Math.toIntExact((long) object.get("r")));
    ProblemResult.Depth depth =
        new ProblemResult.Depth((long) object.get("forwards"), (long) object.get("recurrences"));
    ProblemResult result =
        switch (problems.get(number)) {
          case Problem.Choice choice -> {
            List<?> values = (List<?>) object.get("log_likelihoods");
            List<Double> logLikelihoods = new ArrayList<>();
            for (int i = 0; i < choice.choices().size(); i++) {
              logLikelihoods.add(number(values.get(i)));
            }
            yield new ProblemResult.Choice(number, depth, logLikelihoods);
          }
          case Problem.Answer answer -> {
            List<String> answers = new ArrayList<>();
            for (Object value : (List<?>) object.get("answers")) {
              answers.add((String) value);
            }
            yield new ProblemResult.Answer(number, depth, answers);
          }
          case Problem.Text text ->
              new ProblemResult.Text(
                  number,
                  depth,
                  number(object.get("log_likelihood")),
                  Math.toIntExact((long) object.get("tokens")),
                  (long) object.get("bytes"));
        };
    results.computeIfAbsent(key, k -> new TreeMap<>()).put(number, result);
  }

  /** A number; JSON has null for what is impossible, whose logarithm is infinite. */
  private static double number(Object value) {
    return value == null ? Double.NEGATIVE_INFINITY : ((Number) value).doubleValue();
  }

  /** The results of a cell so far, by the problems' numbers. */
  public TreeMap<Integer, ProblemResult> of(Cell cell) {
    return results.computeIfAbsent(cell.key(), key -> new TreeMap<>());
  }

  /** Adds a result, also to the file. */
  public void add(Cell cell, ProblemResult result) throws IOException {
    of(cell).put(result.number(), result);
    if (channel == null) {
      return;
    }
    Problem problem = cell.task().problems().get(result.number());
    write(
        Json.object(generator -> {
          generator.writeStringProperty("task", cell.task().name());
          generator.writeNumberProperty("number", result.number() + 1);
          generator.writeStringProperty("id", problem.id());
          generator.writeNumberProperty("shots", cell.shots());
          generator.writeNumberProperty("r", cell.recurrence());
          generator.writeNumberProperty("forwards", result.depth().forwards());
          generator.writeNumberProperty("recurrences", result.depth().recurrences());
          write(generator, problem, result);
        }));
  }

  private static void write(JsonGenerator generator, Problem problem, ProblemResult result) {
    switch (result) {
      case ProblemResult.Choice choice -> {
        Problem.Choice asked = (Problem.Choice) problem;
        generator.writeArrayPropertyStart("log_likelihoods");
        for (double value : choice.logLikelihoods()) {
          Json.number(generator, value);
        }
        generator.writeEndArray();
        generator.writeNumberProperty("answer", asked.answer());
        generator.writeNumberProperty("likeliest", choice.likeliest());
        generator.writeNumberProperty("likeliest_by_length", choice.likeliestByLength(asked));
      }
      case ProblemResult.Answer answer -> {
        generator.writeArrayPropertyStart("answers");
        answer.answers().forEach(generator::writeString);
        generator.writeEndArray();
        generator.writeArrayPropertyStart("right");
        for (String each : answer.answers()) {
          generator.writeBoolean(((Problem.Answer) problem).isRight(each));
        }
        generator.writeEndArray();
      }
      case ProblemResult.Text text -> {
        Json.number(generator, "log_likelihood", text.logLikelihood());
        generator.writeNumberProperty("tokens", text.tokens());
        generator.writeNumberProperty("bytes", text.bytes());
      }
    }
  }

  private void write(String line) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap(line.getBytes(StandardCharsets.UTF_8));
    try {
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
    } catch (IOException e) {
      throw AtomicFile.named(path, e);
    }
  }

  /** Makes sure of what was added, and lets another run go on. */
  @Override
  public void close() throws IOException {
    if (channel == null) {
      return;
    }
    try (channel) {
      channel.force(true);
    } catch (IOException e) {
      throw AtomicFile.named(path, e);
    } finally {
      lock.remove();
    }
  }
}
