package dev.muninn.text;

import com.hubspot.jinjava.Jinjava;
import com.hubspot.jinjava.JinjavaConfig;
import com.hubspot.jinjava.LegacyOverrides;
import com.hubspot.jinjava.el.JinjavaProcessors;
import com.hubspot.jinjava.interpret.Context;
import com.hubspot.jinjava.interpret.InterpretException;
import com.hubspot.jinjava.interpret.JinjavaInterpreter;
import com.hubspot.jinjava.interpret.RenderResult;
import com.hubspot.jinjava.interpret.TemplateError;
import com.hubspot.jinjava.lib.filter.Filter;
import com.hubspot.jinjava.lib.fn.ELFunctionDefinition;
import com.hubspot.jinjava.lib.tag.Tag;
import com.hubspot.jinjava.tree.Node;
import com.hubspot.jinjava.tree.TagNode;
import dev.muninn.weights.CheckpointException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.lang.reflect.Method;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.LongSupplier;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Renders one Jinja template by Jinjava, within bounds: templates come from strangers. Steps, work,
 * output, strings, ranges and macros are bounded. Of Jinjava's filters, functions and tags only
 * those are in reach that Jinja has and that make little of much, and no Java object is.
 *
 * <p>Not thread-safe.
 */
final class JinjaRenderer {
  private static final int MAX_STEPS = 1_000_000;

  /** Of this thread alone: on a busy machine a good template may take any time by the clock. */
  private static final long MAX_CPU_NANOS = 5_000_000_000L;

  private static final int STEPS_BETWEEN_LOOKS = 16;
  private static final int MAX_OUTPUT = 2 << 20;
  private static final int MAX_RANGE = 10_000;
  private static final int MAX_DEPTH = 32;

  private static final Set<String> FILTERS =
      Set.of(
          "abs",
          "bool",
          "capitalize",
          "count",
          "d",
          "default",
          "dictsort",
          "e",
          "escape",
          "first",
          "float",
          "int",
          "join",
          "last",
          "length",
          "list",
          "lower",
          "map",
          "reject",
          "rejectattr",
          "replace",
          "reverse",
          "safe",
          "select",
          "selectattr",
          "sort",
          "string",
          "sum",
          "title",
          "tojson",
          "trim",
          "union",
          "unique",
          "upper",
          "wordcount",
          PythonText.FILTER);

  private static final Set<String> FUNCTIONS =
      Set.of(":range", ":namespace", ":raise_exception", ":strftime_now");

  private static final Set<String> TAGS =
      Set.of(
          "break",
          "call",
          "continue",
          "do",
          "elif",
          "else",
          "endcall",
          "enddo",
          "endfor",
          "endif",
          "endmacro",
          "endraw",
          "endset",
          "for",
          "if",
          "macro",
          "raw",
          "set",
          "generation",
          "endgeneration");

  /** What the rewriting put around a printed expression. */
  private static final Pattern WRITTEN =
      Pattern.compile("\\(\\((.*?)\\)\\|" + PythonText.FILTER + "\\)", Pattern.DOTALL);

  private final String name;
  private final String template;
  private final Jinjava jinjava;
  private final LongSupplier cpuClock;
  private int steps;
  private long lastNanos;

  /**
   * Takes a template; it is first looked at when it is rendered.
   *
   * @param name where it is from, for messages
   */
  JinjaRenderer(String name, String template) {
    this(name, template, cpuClock());
  }

  /** For tests, with another clock. */
  JinjaRenderer(String name, String template, LongSupplier cpuClock) {
    this.name = name;
    this.cpuClock = cpuClock;
    JinjaExpressions expressions;
    try {
      expressions = JinjaExpressions.of(template);
    } catch (InterpretException problem) {
      throw failure(problem.getLineNumber(), problem);
    } catch (StackOverflowError problem) {
      throw failure(0, problem);
    }
    this.template = expressions.rewritten();
    this.jinjava = new Jinjava(config(Map.of()));
    Context context = jinjava.getGlobalContext();
    context.registerFilter(new PythonText.Written());
    context.registerFilter(new PythonText.ToJson());
    context.registerFilter(new PythonText.Replace());
    for (String filter : expressions.filters()) {
      if (!FILTERS.contains(filter)) {
        context.registerFilter(new Unsupported(filter));
      }
    }
    context.registerTag(new Generation());
    context.registerFunction(function("raise_exception", Object.class));
    context.registerFunction(function("strftime_now", String.class));
    context.registerFunction(function("range", Object.class, Object[].class));
  }

  /** What this thread alone has computed, in nanoseconds; by the clock where no JVM tells. */
  static LongSupplier cpuClock() {
    ThreadMXBean threads = ManagementFactory.getThreadMXBean();
    return threads.isCurrentThreadCpuTimeSupported() && threads.isThreadCpuTimeEnabled()
        ? threads::getCurrentThreadCpuTime
        : System::nanoTime;
  }

  private JinjavaConfig config(Map<Context.Library, Set<String>> disabled) {
    return JinjavaConfig.newBuilder()
        .withDisabled(disabled)
        .withElResolver(new PythonMethods())
        .withNestedInterpretationEnabled(false)
        .withMaxOutputSize(MAX_OUTPUT)
        .withMaxStringLength(MAX_OUTPUT)
        .withMaxListSize(100_000)
        .withMaxMapSize(10_000)
        .withRangeLimit(MAX_RANGE)
        .withMaxRenderDepth(MAX_DEPTH)
        .withEnableRecursiveMacroCalls(true)
        .withMaxMacroRecursionDepth(MAX_DEPTH)
        .withProcessors(JinjavaProcessors.newBuilder().withNodePreProcessor(this::step).build())
        .withLegacyOverrides(
            LegacyOverrides.newBuilder()
                .withEvaluateMapKeys(true)
                .withIterateOverMapKeys(true)
                .withUsePyishObjectMapper(true)
                .withUseNaturalOperatorPrecedence(true)
                .withParseWhitespaceControlStrictly(true)
                .withAllowAdjacentTextNodes(true)
                .withUseTrimmingForNotesAndExpressions(true)
                .withKeepNullableLoopValues(true)
                .build())
        .build();
  }

  /** What is in reach by default and must not be. */
  private Map<Context.Library, Set<String>> disabled() {
    Context context = jinjava.getGlobalContext();
    return Map.of(
        Context.Library.FILTER,
        context.getAllFilters().stream()
            .map(filter -> filter.getName())
            .filter(filter -> !FILTERS.contains(filter))
            .collect(Collectors.toSet()),
        Context.Library.FUNCTION,
        context.getAllFunctions().stream()
            .map(function -> function.getName())
            .filter(function -> !FUNCTIONS.contains(function))
            .collect(Collectors.toSet()),
        Context.Library.TAG,
        context.getAllTags().stream()
            .map(tag -> tag.getName())
            .filter(tag -> !TAGS.contains(tag))
            .collect(Collectors.toSet()));
  }

  /**
   * Renders the template.
   *
   * @param values by name: strings, booleans, numbers, lists and maps of such, or null
   * @throws CheckpointException in one line with the template's name and line, if the template is
   *     broken or beyond its bounds
   * @throws IllegalArgumentException in one line, if the template itself refuses the messages
   */
  String render(Map<String, Object> values) {
    steps = 0;
    lastNanos = cpuClock.getAsLong() + MAX_CPU_NANOS;
    RenderResult result;
    try {
      Map<String, Object> all = new HashMap<>(values);
      // To Jinja functions are values, which a template may ask for.
      all.put("strftime_now", "strftime_now");
      all.put("raise_exception", "raise_exception");
      result = jinjava.renderForResult(template, all, config(disabled()));
    } catch (InterpretException | StackOverflowError problem) {
      throw failure(0, problem);
    }
    for (TemplateError error : result.getErrors()) {
      throw failure(error.getLineno(), error.getException(), error.getMessage());
    }
    return result.getOutput();
  }

  private void step(Node node, JinjavaInterpreter interpreter) {
    if (++steps > MAX_STEPS) {
      throw new Beyond("it takes more than " + MAX_STEPS + " steps");
    }
    if (steps % STEPS_BETWEEN_LOOKS == 0 && cpuClock.getAsLong() > lastNanos) {
      throw new Beyond("it takes more than 5 s of processor time");
    }
  }

  private RuntimeException failure(int line, Throwable problem) {
    return failure(line, problem, String.valueOf(problem.getMessage()));
  }

  private RuntimeException failure(int line, Throwable problem, String message) {
    for (Throwable cause = problem; cause != null; cause = cause.getCause()) {
      if (cause instanceof Refusal) {
        return new IllegalArgumentException(
            name
                + " refuses the messages: "
                + CheckpointException.quote(cause.getMessage().replaceAll("\\p{Cntrl}+", " ")));
      }
      if (cause instanceof InterpretException && cause.getCause() == null) {
        message = cause.getMessage();
      } else if (cause instanceof StackOverflowError) {
        message = "it is nested too deep";
      }
    }
    return new CheckpointException(
        name
            + (line > 0 ? " line " + line : "")
            + ": the template does not render: "
            + WRITTEN.matcher(String.valueOf(message)).replaceAll("$1"),
        problem);
  }

  private static ELFunctionDefinition function(String name, Class<?>... arguments) {
    try {
      Method method = JinjaRenderer.class.getDeclaredMethod(name, arguments);
      method.setAccessible(true);
      return new ELFunctionDefinition("", name, method);
    } catch (NoSuchMethodException impossible) {
      throw new AssertionError(impossible);
    }
  }

  /** The template's own way to say that it does not take what it is given. */
  static Object raise_exception(Object message) {
    throw new Refusal(String.valueOf(message));
  }

  /** Python's {@code range}; Jinjava's own ends without a word where it would be too long. */
  static List<Long> range(Object first, Object... more) {
    long start = more.length == 0 ? 0 : whole(first);
    long stop = whole(more.length == 0 ? first : more[0]);
    long step = more.length < 2 ? 1 : whole(more[1]);
    if (step == 0) {
      throw new Beyond("range has a step of 0");
    }
    List<Long> numbers = new ArrayList<>();
    for (long number = start; step > 0 ? number < stop : number > stop; number += step) {
      if (numbers.size() == MAX_RANGE) {
        throw new Beyond("range has more than " + MAX_RANGE + " numbers");
      }
      numbers.add(number);
    }
    return numbers;
  }

  private static long whole(Object number) {
    if (number instanceof Long || number instanceof Integer) {
      return ((Number) number).longValue();
    }
    throw new Beyond("range takes whole numbers");
  }

  /** Today, in the form that Python's {@code strftime} is told. */
  static String strftime_now(String format) {
    ZonedDateTime now = ZonedDateTime.now();
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < format.length(); i++) {
      char character = format.charAt(i);
      if (character != '%' || i + 1 == format.length()) {
        text.append(character);
        continue;
      }
      char kind = format.charAt(++i);
      boolean unpadded = kind == '-' && i + 1 < format.length();
      if (unpadded) {
        kind = format.charAt(++i);
      }
      String pattern = pattern(kind);
      if (kind == '%') {
        text.append('%');
      } else if (pattern == null) {
        throw new InterpretException("strftime_now does not know %" + kind);
      } else {
        pattern = unpadded ? pattern.substring(1) : pattern;
        text.append(now.format(DateTimeFormatter.ofPattern(pattern, Locale.ENGLISH)));
      }
    }
    return text.toString();
  }

  private static String pattern(char kind) {
    return switch (kind) {
      case 'Y' -> "yyyy";
      case 'y' -> "yy";
      case 'm' -> "MM";
      case 'd' -> "dd";
      case 'H' -> "HH";
      case 'I' -> "hh";
      case 'M' -> "mm";
      case 'S' -> "ss";
      case 'p' -> "a";
      case 'B' -> "MMMM";
      case 'b' -> "MMM";
      case 'A' -> "EEEE";
      case 'a' -> "EEE";
      case 'j' -> "DDD";
      case 'Z' -> "zzz";
      default -> null;
    };
  }

  /** A filter that is not in reach. Jinjava ignores those that it does not know. */
  private record Unsupported(String getName) implements Filter {
    @Override
    public Object filter(Object value, JinjavaInterpreter interpreter, String... arguments) {
      throw new InterpretException(
          "the filter " + CheckpointException.quote(getName) + " is not supported");
    }
  }

  /** Marks what a model is trained to say; to the reader it is nothing. */
  private static final class Generation implements Tag {
    private static final long serialVersionUID = 1L;

    @Override
    public String getName() {
      return "generation";
    }

    @Override
    public String interpret(TagNode tag, JinjavaInterpreter interpreter) {
      StringBuilder text = new StringBuilder();
      tag.getChildren().forEach(child -> text.append(child.render(interpreter).getValue()));
      return text.toString();
    }
  }

  /** The template said {@code raise_exception}. */
  private static final class Refusal extends InterpretException {
    private static final long serialVersionUID = 1L;

    Refusal(String message) {
      super(message);
    }
  }

  /** The template went beyond its bounds. */
  private static final class Beyond extends InterpretException {
    private static final long serialVersionUID = 1L;

    Beyond(String message) {
      super(message);
    }
  }
}
