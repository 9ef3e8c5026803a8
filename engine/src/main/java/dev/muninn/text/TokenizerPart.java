package dev.muninn.text;

import static dev.muninn.weights.CheckpointException.quote;

import dev.muninn.weights.CheckpointException;
import dev.muninn.weights.JsonFile;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * One object of a tokenizer.json, such as a normalizer, and its place in the file. Whatever is
 * asked of it and not there ends in one line that names the file and the place.
 */
final class TokenizerPart {
  private static final int MAX_DEPTH = 4;
  private static final int MAX_STEPS = 32;
  private static final int MAX_TEXT = 4_096;

  private final Path file;
  private final String place;
  private final Map<?, ?> members;

  private TokenizerPart(Path file, String place, Map<?, ?> members) {
    this.file = file;
    this.place = place;
    this.members = members;
  }

  /** The whole file. */
  static TokenizerPart root(Path file, Map<String, Object> json) {
    return new TokenizerPart(file, "", json);
  }

  /** The object under a name, or null if there is none or null. */
  TokenizerPart child(String name) {
    Object value = members.get(name);
    return value == null ? null : part(value, inside(name));
  }

  /** The objects of the list under a name; empty if there is none. */
  List<TokenizerPart> children(String name) {
    List<TokenizerPart> children = new ArrayList<>();
    if (members.get(name) == null) {
      return children;
    }
    for (Object element : list(name)) {
      children.add(part(element, inside(name) + '[' + children.size() + ']'));
    }
    return children;
  }

  /**
   * The steps that a part consists of: those of a {@code Sequence} in order, those of sequences
   * within it too, else the part itself.
   *
   * @param name the member that holds a sequence's parts
   */
  List<TokenizerPart> steps(String name) {
    List<TokenizerPart> steps = new ArrayList<>();
    addSteps(name, 0, steps);
    return steps;
  }

  private void addSteps(String name, int depth, List<TokenizerPart> steps) {
    if (!"Sequence".equals(type())) {
      steps.add(this);
    } else if (depth >= MAX_DEPTH) {
      throw refusal("sequences nested deeper than " + MAX_DEPTH);
    } else {
      for (TokenizerPart child : children(name)) {
        child.addSteps(name, depth + 1, steps);
      }
    }
    if (steps.size() > MAX_STEPS) {
      throw refusal("more than " + MAX_STEPS + " steps");
    }
  }

  /** The part's {@code type}. */
  String type() {
    return text("type");
  }

  /** The part's place in the file, such as {@code normalizer.normalizers[1]}. */
  String place() {
    return place;
  }

  boolean has(String name) {
    return members.get(name) != null;
  }

  Object value(String name) {
    return members.get(name);
  }

  /** A list, which must be there. */
  List<?> list(String name) {
    if (members.get(name) instanceof List<?> list) {
      return list;
    }
    throw refusal(name + " is " + shown(name) + ", expected a list");
  }

  /** An object with names from the file, which must be there. */
  Map<?, ?> map(String name) {
    if (members.get(name) instanceof Map<?, ?> map) {
      return map;
    }
    throw refusal(name + " is " + shown(name) + ", expected an object");
  }

  /** A short text, which must be there. */
  String text(String name) {
    if (members.get(name) instanceof String text && text.length() <= MAX_TEXT) {
      return text;
    }
    throw refusal(name + " is " + shown(name) + ", expected a text of at most " + MAX_TEXT);
  }

  boolean flag(String name, boolean otherwise) {
    Object value = members.get(name);
    if (value == null) {
      return otherwise;
    }
    if (value instanceof Boolean flag) {
      return flag;
    }
    throw refusal(name + " is " + shown(name) + ", expected true or false");
  }

  /** An integer from 0 to a limit. */
  int count(String name, int otherwise, int limit) {
    Object value = members.get(name);
    if (value == null) {
      return otherwise;
    }
    if (value instanceof Long count && count >= 0 && count <= limit) {
      return count.intValue();
    }
    throw refusal(name + " is " + shown(name) + ", expected an integer from 0 to " + limit);
  }

  /** Refuses the part unless what is under a name is missing, null or one of these. */
  void require(String name, Object... accepted) {
    Object value = members.get(name);
    if (value == null) {
      return;
    }
    for (Object one : accepted) {
      if (value.equals(one)) {
        return;
      }
    }
    throw refusal(name + " " + shown(name) + " is not supported");
  }

  CheckpointException unknownType(String accepted) {
    return refusal("the type " + quote(type()) + " is not supported, expected one of " + accepted);
  }

  CheckpointException refusal(String problem) {
    return new CheckpointException(file + ": " + (place.isEmpty() ? "" : place + ": ") + problem);
  }

  private TokenizerPart part(Object value, String where) {
    if (value instanceof Map<?, ?> map) {
      return new TokenizerPart(file, where, map);
    }
    throw refusal(where + " is " + JsonFile.shown(value) + ", expected an object");
  }

  private String inside(String name) {
    return place.isEmpty() ? name : place + '.' + name;
  }

  private String shown(String name) {
    return members.containsKey(name) ? JsonFile.shown(members.get(name)) : "missing";
  }
}
