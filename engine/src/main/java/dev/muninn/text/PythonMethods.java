package dev.muninn.text;

import com.hubspot.jinjava.el.ext.JinjavaBeanELResolver;
import com.hubspot.jinjava.interpret.InterpretException;
import com.hubspot.jinjava.lib.exptest.ExpTest;
import com.hubspot.jinjava.lib.filter.Filter;
import com.hubspot.jinjava.util.ForLoop;
import java.beans.FeatureDescriptor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Predicate;
import jinjava.javax.el.ELContext;
import jinjava.javax.el.ELResolver;

/**
 * What a template may do with a value: read members of maps and lists, and call the methods that
 * Python's strings, lists and dictionaries have. No method or property of a Java object is in
 * reach: templates come from strangers.
 */
final class PythonMethods extends ELResolver {
  /** The method that slices are rewritten to. */
  static final String SLICE = "slice__";

  private static final int MAX_ELEMENTS = 100_000;
  private static final int MAX_TEXT = 4 << 20;

  /** Calls Jinjava's own filters and tests, and nothing else. */
  private final ELResolver own = new JinjavaBeanELResolver();

  @Override
  public Object getValue(ELContext context, Object base, Object property) {
    if (base == null) {
      return null;
    }
    context.setPropertyResolved(true);
    return switch (base) {
      case Map<?, ?> map ->
          map.get(property instanceof Number ? property : String.valueOf(property));
      case List<?> list -> element(list, property);
      case CharSequence text -> character(text.toString(), property);
      case ForLoop loop -> loop(loop, String.valueOf(property));
      default -> null;
    };
  }

  private static Object element(List<?> list, Object property) {
    int index = index(property, list.size());
    return index >= 0 ? list.get(index) : null;
  }

  private static Object character(String text, Object property) {
    int index = index(property, text.codePointCount(0, text.length()));
    return index >= 0
        ? Character.toString(text.codePointAt(text.offsetByCodePoints(0, index)))
        : null;
  }

  /** The index that a number or its digits name, from the end if it is negative; -1 if none. */
  private static int index(Object property, int size) {
    int index;
    try {
      index = Integer.parseInt(String.valueOf(property));
    } catch (NumberFormatException name) {
      return -1;
    }
    index += index < 0 ? size : 0;
    return index < size ? Math.max(index, -1) : -1;
  }

  private static Object loop(ForLoop loop, String property) {
    return switch (property) {
      case "index" -> (long) loop.getIndex() + 1 - firstIndex(loop);
      case "index0" -> (long) loop.getIndex() - firstIndex(loop);
      case "first" -> loop.isFirst();
      case "last" -> loop.isLast();
      case "length" -> (long) loop.getLength();
      case "revindex" -> (long) loop.getRevindex();
      case "revindex0" -> (long) loop.getRevindex() - 1;
      case "depth" -> (long) loop.getDepth();
      case "depth0" -> (long) loop.getDepth() - 1;
      default -> throw new InterpretException("loop." + property + " is not supported");
    };
  }

  private static long firstIndex(ForLoop loop) {
    return (long) loop.getIndex() - loop.getIndex0();
  }

  @Override
  public Object invoke(
      ELContext context, Object base, Object method, Class<?>[] types, Object[] arguments) {
    if (base instanceof Filter || base instanceof ExpTest) {
      return own.invoke(context, base, method, types, arguments);
    }
    context.setPropertyResolved(true);
    String name = String.valueOf(method);
    Object[] values = arguments == null ? new Object[0] : arguments;
    return switch (base) {
      case CharSequence text -> text(text.toString(), name, values);
      case Map<?, ?> map -> map(map, name, values);
      case List<?> list -> list(list, name, values);
      case null -> throw new InterpretException("undefined has no method " + name);
      default -> throw new InterpretException("the value has no method " + name);
    };
  }

  private static Object text(String text, String name, Object[] arguments) {
    return switch (name) {
      case SLICE -> slice(text, arguments);
      case "strip" -> strip(text, characters(arguments), true, true);
      case "lstrip" -> strip(text, characters(arguments), true, false);
      case "rstrip" -> strip(text, characters(arguments), false, true);
      case "startswith" -> any(arguments, text::startsWith);
      case "endswith" -> any(arguments, text::endsWith);
      case "upper" -> text.toUpperCase(Locale.ROOT);
      case "lower" -> text.toLowerCase(Locale.ROOT);
      case "capitalize" -> capitalize(text);
      case "title" -> title(text);
      case "split" -> split(text, arguments);
      case "rsplit" -> rsplit(text, arguments);
      case "splitlines" -> new ArrayList<Object>(text.lines().toList());
      case "replace" -> replace(text, arguments);
      case "find" -> (long) text.indexOf(string(arguments, 0));
      case "rfind" -> (long) text.lastIndexOf(string(arguments, 0));
      case "index" -> found(text.indexOf(string(arguments, 0)));
      case "count" -> count(text, string(arguments, 0));
      case "join" -> join(text, arguments);
      case "removeprefix" ->
          text.startsWith(string(arguments, 0))
              ? text.substring(string(arguments, 0).length())
              : text;
      case "removesuffix" ->
          text.endsWith(string(arguments, 0))
              ? text.substring(0, text.length() - string(arguments, 0).length())
              : text;
      case "isdigit" -> !text.isEmpty() && text.codePoints().allMatch(Character::isDigit);
      case "isspace" ->
          !text.isEmpty() && text.chars().allMatch(c -> ChatFormat.isPythonSpace((char) c));
      case "isupper" ->
          text.codePoints().anyMatch(Character::isUpperCase)
              && text.codePoints().noneMatch(Character::isLowerCase);
      case "islower" ->
          text.codePoints().anyMatch(Character::isLowerCase)
              && text.codePoints().noneMatch(Character::isUpperCase);
      default -> throw new InterpretException("a string has no method " + name);
    };
  }

  private static Object map(Map<?, ?> map, String name, Object[] arguments) {
    return switch (name) {
      case "get" -> {
        Object value = map.get(arguments.length > 0 ? arguments[0] : null);
        yield value == null && arguments.length > 1 ? arguments[1] : value;
      }
      case "keys" -> new ArrayList<Object>(map.keySet());
      case "values" -> new ArrayList<Object>(map.values());
      case "items" -> {
        List<Object> items = new ArrayList<>();
        map.forEach((key, value) -> items.add(new ArrayList<>(Arrays.asList(key, value))));
        yield items;
      }
      default -> throw new InterpretException("a mapping has no method " + name);
    };
  }

  private static Object list(List<?> list, String name, Object[] arguments) {
    return switch (name) {
      case SLICE -> slice(list, arguments);
      case "index" -> found(list.indexOf(arguments[0]));
      case "count" -> (long) Collections.frequency(list, arguments[0]);
      case "append" -> {
        requireFew(list.size());
        @SuppressWarnings("unchecked")
        List<Object> open = (List<Object>) list;
        open.add(arguments[0]);
        yield null;
      }
      case "pop" -> {
        if (list.isEmpty()) {
          throw new InterpretException("pop from an empty list");
        }
        yield list.remove(arguments.length == 0 ? list.size() - 1 : whole(arguments[0]));
      }
      default -> throw new InterpretException("a list has no method " + name);
    };
  }

  /** What Python's {@code [begin:end:step]} takes. */
  private static <T> List<T> slice(List<T> list, Object[] bounds) {
    int step = bounds[2] == null ? 1 : whole(bounds[2]);
    if (step == 0) {
      throw new InterpretException("the step of a slice is 0");
    }
    int size = list.size();
    int lowest = step > 0 ? 0 : -1;
    int highest = step > 0 ? size : size - 1;
    int begin = bound(bounds[0], step > 0 ? lowest : highest, size, lowest, highest);
    int end = bound(bounds[1], step > 0 ? highest : lowest, size, lowest, highest);
    List<T> taken = new ArrayList<>();
    for (long i = begin; step > 0 ? i < end : i > end; i += step) {
      taken.add(list.get((int) i));
    }
    return taken;
  }

  private static String slice(String text, Object[] bounds) {
    int size = text.codePointCount(0, text.length());
    if (bounds[2] == null) {
      int begin = bound(bounds[0], 0, size, 0, size);
      int end = Math.max(begin, bound(bounds[1], size, size, 0, size));
      return text.substring(text.offsetByCodePoints(0, begin), text.offsetByCodePoints(0, end));
    }
    requireFew(size);
    return String.join("", slice(text.codePoints().mapToObj(Character::toString).toList(), bounds));
  }

  private static void requireFew(int elements) {
    if (elements >= MAX_ELEMENTS) {
      throw new InterpretException("a list has more than " + MAX_ELEMENTS + " elements");
    }
  }

  private static int bound(Object value, int otherwise, int size, int lowest, int highest) {
    if (value == null) {
      return otherwise;
    }
    int index = whole(value);
    return Math.clamp(index < 0 ? (long) index + size : index, lowest, highest);
  }

  private static int whole(Object value) {
    if (value instanceof Number number) {
      return number.intValue();
    }
    throw new InterpretException("an index is no number");
  }

  private static String characters(Object[] arguments) {
    return arguments.length == 0 || arguments[0] == null ? null : arguments[0].toString();
  }

  /** Without characters of a set at the ends; null stands for white space. */
  private static String strip(String text, String set, boolean left, boolean right) {
    int begin = 0;
    int end = text.length();
    while (left && begin < end && isIn(text.charAt(begin), set)) {
      begin++;
    }
    while (right && end > begin && isIn(text.charAt(end - 1), set)) {
      end--;
    }
    return text.substring(begin, end);
  }

  private static boolean isIn(char character, String set) {
    return set == null ? ChatFormat.isPythonSpace(character) : set.indexOf(character) >= 0;
  }

  private static boolean any(Object[] arguments, Predicate<String> test) {
    if (arguments.length > 0 && arguments[0] instanceof Iterable<?> several) {
      for (Object one : several) {
        if (test.test(String.valueOf(one))) {
          return true;
        }
      }
      return false;
    }
    return test.test(string(arguments, 0));
  }

  private static String string(Object[] arguments, int index) {
    if (index < arguments.length && arguments[index] instanceof CharSequence text) {
      return text.toString();
    }
    throw new InterpretException("an argument is missing or no string");
  }

  private static int limit(Object[] arguments) {
    return arguments.length > 1 && arguments[1] != null ? whole(arguments[1]) : -1;
  }

  private static List<Object> split(String text, Object[] arguments) {
    List<Object> parts = new ArrayList<>();
    int limit = limit(arguments);
    int begin = 0;
    if (characters(arguments) == null) {
      String rest = strip(text, null, true, false);
      while (!rest.isEmpty()) {
        int end = 0;
        while (end < rest.length() && !ChatFormat.isPythonSpace(rest.charAt(end))) {
          end++;
        }
        if (parts.size() == limit) {
          end = strip(rest, null, false, true).length();
        }
        requireFew(parts.size());
        parts.add(rest.substring(0, end));
        rest = strip(rest.substring(end), null, true, false);
      }
      return parts;
    }
    String separator = separator(arguments);
    for (int at = text.indexOf(separator);
        at >= 0 && parts.size() != limit;
        at = text.indexOf(separator, begin)) {
      requireFew(parts.size());
      parts.add(text.substring(begin, at));
      begin = at + separator.length();
    }
    parts.add(text.substring(begin));
    return parts;
  }

  private static List<Object> rsplit(String text, Object[] arguments) {
    int limit = limit(arguments);
    if (limit < 0) {
      return split(text, arguments);
    }
    String separator = separator(arguments);
    List<Object> parts = new ArrayList<>();
    int end = text.length();
    for (int at = text.lastIndexOf(separator);
        at >= 0 && parts.size() < limit;
        at = text.lastIndexOf(separator, at - separator.length())) {
      parts.addFirst(text.substring(at + separator.length(), end));
      end = at;
      if (at == 0) {
        break;
      }
    }
    parts.addFirst(text.substring(0, end));
    return parts;
  }

  private static String separator(Object[] arguments) {
    String separator = string(arguments, 0);
    if (separator.isEmpty()) {
      throw new InterpretException("split at an empty string");
    }
    return separator;
  }

  /** What Python's {@code replace} gives, of bounded length. */
  static String replace(String text, Object[] arguments) {
    String old = string(arguments, 0);
    String other = string(arguments, 1);
    long growth = Math.max(0, other.length() - old.length());
    if (text.length() + (text.length() + 1) * growth > MAX_TEXT) {
      throw new InterpretException("replace could make a string too long");
    }
    if (arguments.length < 3) {
      return text.replace(old, other);
    }
    String result = text;
    int from = 0;
    for (int i = whole(arguments[2]); i > 0 && result.indexOf(old, from) >= 0; i--) {
      int at = result.indexOf(old, from);
      result = result.substring(0, at) + other + result.substring(at + old.length());
      from = at + other.length();
    }
    return result;
  }

  private static long found(int index) {
    if (index < 0) {
      throw new InterpretException("index: not found");
    }
    return index;
  }

  private static long count(String text, String part) {
    if (part.isEmpty()) {
      return text.length() + 1L;
    }
    return ((long) text.length() - text.replace(part, "").length()) / part.length();
  }

  private static String join(String separator, Object[] arguments) {
    if (arguments.length == 0 || !(arguments[0] instanceof Iterable<?> parts)) {
      throw new InterpretException("join needs a list");
    }
    StringBuilder joined = new StringBuilder();
    String between = "";
    for (Object part : parts) {
      joined.append(between).append(part);
      between = separator;
      if (joined.length() > MAX_TEXT) {
        throw new InterpretException("join makes a string too long");
      }
    }
    return joined.toString();
  }

  private static String capitalize(String text) {
    if (text.isEmpty()) {
      return text;
    }
    int end = text.offsetByCodePoints(0, 1);
    return text.substring(0, end).toUpperCase(Locale.ROOT)
        + text.substring(end).toLowerCase(Locale.ROOT);
  }

  private static String title(String text) {
    StringBuilder titled = new StringBuilder();
    boolean inWord = false;
    for (int codePoint : text.codePoints().toArray()) {
      titled.appendCodePoint(
          inWord ? Character.toLowerCase(codePoint) : Character.toTitleCase(codePoint));
      inWord = Character.isLetter(codePoint);
    }
    return titled.toString();
  }

  @Override
  public void setValue(ELContext context, Object base, Object property, Object value) {
    throw new InterpretException("a template must not change what it is given");
  }

  @Override
  public boolean isReadOnly(ELContext context, Object base, Object property) {
    return true;
  }

  @Override
  public Class<?> getType(ELContext context, Object base, Object property) {
    return null;
  }

  @Override
  public Class<?> getCommonPropertyType(ELContext context, Object base) {
    return Object.class;
  }

  @Override
  public Iterator<FeatureDescriptor> getFeatureDescriptors(ELContext context, Object base) {
    return Collections.emptyIterator();
  }
}
