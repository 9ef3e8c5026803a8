package dev.muninn.family;

import dev.muninn.weights.CheckpointException;
import dev.muninn.weights.JsonFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Reads a model's config.json by keys. What is wrong is gathered, so that one line names all of it;
 * {@link #requireNoProblems} throws that line. A key whose value is null counts as left out. Keys
 * that nobody asks for are ignored, but for those that {@link #refuseUnread} refuses.
 */
public final class ConfigReader {
  private static final int MAXIMUM = 1 << 24;

  private final Path file;
  private final Map<String, Object> values;

  /** What comes before a key in a message: the outer object's key and a dot. */
  private final String prefix;

  private final List<String> problems;

  /** Keys that were asked for, with their prefix. */
  private final Set<String> read;

  private ConfigReader(
      Path file,
      Map<String, Object> values,
      String prefix,
      List<String> problems,
      Set<String> read) {
    this.file = file;
    this.values = values;
    this.prefix = prefix;
    this.problems = problems;
    this.read = read;
  }

  /**
   * Reads {@code config.json} of a model directory.
   *
   * @throws CheckpointException in one line, if the file is missing or no JSON
   */
  public static ConfigReader of(Path directory) {
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
    return of(file, JsonFile.readObject(file));
  }

  /** Reads values that a file has, or would have. */
  public static ConfigReader of(Path file, Map<String, Object> values) {
    return new ConfigReader(file, values, "", new ArrayList<>(), new HashSet<>());
  }

  /** The file, for messages. */
  public Path file() {
    return file;
  }

  /** All values, by key. */
  public Map<String, Object> values() {
    return values;
  }

  /** Whether a key is there; null says nothing. */
  public boolean has(String name) {
    return value(name) != null;
  }

  /** A value as it stands, or null. */
  public Object value(String name) {
    read.add(prefix + name);
    return values.get(name);
  }

  /** Whether somebody has asked for a key. */
  boolean isRead(String name) {
    return read.contains(prefix + name);
  }

  /** The object behind a key; an empty one if the key is not there. */
  @SuppressWarnings("unchecked")
  public ConfigReader object(String name) {
    Object value = value(name);
    if (value instanceof Map<?, ?> object) {
      return new ConfigReader(
          file, (Map<String, Object>) object, prefix + name + ".", problems, read);
    }
    if (value != null) {
      problems.add(prefix + name + " is " + shown(value) + ", expected an object");
    }
    return new ConfigReader(file, Map.of(), prefix + name + ".", problems, read);
  }

  /**
   * A whole number up to 2^24 that must be there. Of several names the first that is there counts,
   * and the others must agree with it.
   */
  public int integer(String... names) {
    String found = null;
    boolean missing = true;
    int result = 0;
    for (String name : names) {
      Object value = value(name);
      if (value == null) {
        continue;
      }
      missing = false;
      if (!(value instanceof Long number) || number < 0 || number > MAXIMUM) {
        problems.add(
            prefix + name + " is " + shown(value) + ", expected an integer up to " + MAXIMUM);
      } else if (found == null) {
        found = name;
        result = number.intValue();
      } else {
        agree(name, number.intValue(), found, result);
      }
    }
    if (missing) {
      problems.add(prefix + String.join(" or ", names) + " is missing");
    }
    return result;
  }

  /** A whole number that may be left out. */
  public int integerOr(int fallback, String... names) {
    for (String name : names) {
      if (has(name)) {
        return integer(names);
      }
    }
    return fallback;
  }

  /** A number that may be left out. */
  public double number(String name, double fallback) {
    Object value = value(name);
    if (value == null) {
      return fallback;
    }
    if (value instanceof Number number) {
      return number.doubleValue();
    }
    problems.add(prefix + name + " is " + shown(value) + ", expected a number");
    return fallback;
  }

  /** A number greater than nothing that may be left out. */
  public double positive(String name, double fallback) {
    double value = number(name, fallback);
    if (value > 0 && !Double.isInfinite(value)) {
      return value;
    }
    problems.add(prefix + name + " must be positive, not " + value);
    return fallback;
  }

  /** A norm's epsilon, that may be left out. */
  public float epsilon(String name, double fallback) {
    double value = number(name, fallback);
    if (value >= 0 && !Double.isInfinite(value)) {
      return (float) value;
    }
    problems.add(prefix + name + " must not be negative, not " + value);
    return (float) fallback;
  }

  /** True or false, that may be left out. */
  public boolean flag(String name, boolean fallback) {
    Object value = value(name);
    if (value == null) {
      return fallback;
    }
    if (value instanceof Boolean flag) {
      return flag;
    }
    problems.add(prefix + name + " is " + shown(value) + ", expected true or false");
    return fallback;
  }

  /** Whether the head is the embedding; two keys may say it, and must agree. */
  public boolean tied(boolean fallback) {
    boolean tied = flag("tie_embeddings", flag("tie_word_embeddings", fallback));
    if (flag("tie_word_embeddings", tied) != tied) {
      problems.add("tie_embeddings is " + tied + " but tie_word_embeddings is " + !tied);
    }
    return tied;
  }

  /**
   * A key that may be left out must agree with what other keys say; where they say nothing (0),
   * that is named already.
   */
  public void repeats(String name, String otherName, int other) {
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
      problems.add(prefix + name + " is " + value + " but " + otherName + " is " + other);
    }
  }

  /** A key may be left out, but must have one of these values. */
  public void expect(String name, Object... supported) {
    Object value = value(name);
    if (value != null && !List.of(supported).contains(value)) {
      problems.add(
          prefix
              + name
              + " is "
              + shown(value)
              + ", only "
              + Arrays.stream(supported)
                  .map(ConfigReader::shown)
                  .collect(Collectors.joining(" or "))
              + " is supported");
    }
  }

  /** Whether an option with this value is off: left out, false, 0 or empty. */
  static boolean isOff(Object value) {
    return value == null
        || value.equals(false)
        || value instanceof Number number && number.doubleValue() == 0
        || value instanceof CharSequence text && text.isEmpty()
        || value instanceof Collection<?> list && list.isEmpty()
        || value instanceof Map<?, ?> object && object.isEmpty();
  }

  /** Keys of options that would be computed wrongly must be off: left out, false, 0 or empty. */
  public void refuse(String... names) {
    for (String name : names) {
      Object value = value(name);
      if (!isOff(value)) {
        problems.add(prefix + name + " is " + shown(value) + ", which is not supported");
      }
    }
  }

  /** Says of keys that they change nothing in a model whose other keys have been read. */
  public void ignore(String... names) {
    for (String name : names) {
      value(name);
    }
  }

  /**
   * Refuses keys that nobody has asked for and that sound as if they changed the computation. To be
   * called when all others have been read.
   */
  public void refuseUnread() {
    UnreadKeys.refuse(this);
  }

  /** Requires a number of a range. */
  public void require(int value, int least, String name) {
    if (value < least || value > MAXIMUM) {
      problems.add(prefix + name + " must be from " + least + " to " + MAXIMUM + ", not " + value);
    }
  }

  /**
   * One line that says that the model's type is another.
   *
   * @param expected the types that could be read, in words
   */
  public CheckpointException wrongModelType(String expected) {
    return new CheckpointException(
        file + ": model_type is " + shown(value("model_type")) + ", expected " + expected);
  }

  /** Adds what is wrong with a key of this object. */
  void wrong(String name, String text) {
    problems.add(prefix + name + " is " + shown(values.get(name)) + text);
  }

  /** Adds what is wrong, in words. */
  public void problem(String text) {
    problems.add(text);
  }

  /** Whether nothing wrong has been found so far. */
  public boolean sound() {
    return problems.isEmpty();
  }

  /**
   * Ends the reading.
   *
   * @throws CheckpointException one line with the file and all that is wrong
   */
  public void requireNoProblems() {
    if (!problems.isEmpty()) {
      throw new CheckpointException(file + ": " + String.join("; ", problems));
    }
  }

  /** A value for a message, in one line of bounded length. */
  static String shown(Object value) {
    if (value instanceof String text) {
      return '"' + shorten(text.replaceAll("\\p{Cntrl}", "?")) + '"';
    }
    return value == null ? "missing" : shorten(String.valueOf(value).replaceAll("\\p{Cntrl}", "?"));
  }

  private static String shorten(String text) {
    return text.length() <= 120 ? text : text.substring(0, 117) + "...";
  }
}
