package dev.muninn.cli.bench;

import dev.muninn.cache.KeyValueType;
import dev.muninn.cache.SlotPolicy;
import dev.muninn.cli.help.HelpHeading;
import dev.muninn.cli.options.CacheOptions;
import dev.muninn.cli.options.ExitCheckOptions;
import dev.muninn.cli.options.NumberConverters;
import dev.muninn.cli.options.UsageException;
import dev.muninn.decode.ExitOptions;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;

/** What is measured. Options that take lists are measured in all combinations. */
final class ListOptions {
  private ListOptions() {}

  @HelpHeading("Tests (lists are 1,4,16 or 1-9+2 or 1-16*2; all combinations are run)")
  static final class Tests {
    @Option(
        names = {"-p", "--prompt-tokens"},
        paramLabel = "LIST",
        converter = Counts.class,
        description = "Prompt lengths; 0 for decoding only (default: 128).")
    private final List<Integer> prompts = new ArrayList<>();

    @Option(
        names = {"-n", "--max-tokens"},
        paramLabel = "LIST",
        converter = Counts.class,
        description = "Tokens to decode behind the prompt; 0 for the prompt only (default: 32).")
    private final List<Integer> tokens = new ArrayList<>();

    @Option(
        names = {"-r", "--recurrence"},
        paramLabel = "LIST",
        converter = PositiveCounts.class,
        description = "Recurrences (default: the training's mean).")
    private final List<Integer> recurrences = new ArrayList<>();

    @Option(
        names = "--repetitions",
        paramLabel = "N",
        converter = NumberConverters.Positive.class,
        description = "Runs of each test (default: 5).")
    private int repetitions = 5;

    @Option(names = "--no-warmup", description = "Measure the first run too.")
    private boolean noWarmUp;

    @Option(
        names = {"-s", "--seed"},
        paramLabel = "N",
        converter = NumberConverters.Seed.class,
        description = "Seed of prompt and states (default: 0).")
    private long seed;

    @Option(
        names = "--kernels",
        description = "Time each kernel of a TornadoVM device by itself, and run no tests.")
    private boolean kernels;

    boolean kernels() {
      return kernels;
    }

    List<Integer> prompts() {
      return distinct(prompts, 128);
    }

    List<Integer> tokens() {
      return distinct(tokens, 32);
    }

    List<Integer> recurrences(int fallback) {
      return distinct(recurrences, fallback);
    }

    int repetitions() {
      return repetitions;
    }

    boolean warmUp() {
      return !noWarmUp;
    }

    long seed() {
      return seed;
    }

    private static List<Integer> distinct(List<Integer> given, int fallback) {
      return given.isEmpty() ? List.of(fallback) : given.stream().distinct().toList();
    }
  }

  static final class Exits extends ExitCheckOptions {
    @Option(
        names = "--exit",
        order = -2,
        split = ",",
        hideParamSyntax = true,
        paramLabel = "NAME[:X],...",
        description =
            "Stop a token's recurrences by a criterion and threshold: kl, minp-kl, entropy-diff,"
                + " latent-diff, cosine, argmax-stability, gate, none (default: none).")
    private final List<String> exits = new ArrayList<>();

    /** By name, in the order given. */
    Map<String, ExitOptions> options() {
      if (exits.stream().allMatch(NONE::equals)) {
        requireNoChecks();
      }
      Map<String, ExitOptions> options = new LinkedHashMap<>();
      for (String exit : exits.isEmpty() ? List.of(NONE) : exits) {
        options.put(exit, exitOptions(exit));
      }
      return options;
    }
  }

  @HelpHeading("Key-value cache")
  static final class Caches {
    @Option(
        names = "--kv",
        split = ",",
        hideParamSyntax = true,
        paramLabel = "POLICY,...",
        converter = CacheOptions.PolicyConverter.class,
        description = "Recurrences that are kept: full, budget:N, anchor:N (default: full).")
    private final List<SlotPolicy> policies = new ArrayList<>();

    @Option(
        names = "--kv-type",
        paramLabel = "f32|bf16|q8",
        converter = CacheOptions.TypeConverter.class,
        description = "How they are stored (default: f32 for F32 and F16 weights, else bf16).")
    private KeyValueType type;

    List<SlotPolicy> policies() {
      return policies.isEmpty()
          ? List.of(SlotPolicy.full())
          : policies.stream().distinct().toList();
    }

    Optional<KeyValueType> type() {
      return Optional.ofNullable(type);
    }
  }

  /** Reads a list of counts from 1. */
  static final class PositiveCounts extends Counts {
    PositiveCounts() {
      super(1);
    }
  }

  /**
   * Reads a list of counts: numbers and ranges, separated by commas. Picocli adds the elements of
   * the collection that a converter returns.
   */
  static class Counts implements ITypeConverter<List<Integer>> {
    private static final int MOST = 1000;

    private final int least;

    Counts() {
      this(0);
    }

    private Counts(int least) {
      this.least = least;
    }

    @Override
    public List<Integer> convert(String value) {
      List<Integer> counts = new ArrayList<>();
      for (String part : value.split(",", -1)) {
        addRange(part.strip(), value, counts);
      }
      return counts;
    }

    private void addRange(String range, String all, List<Integer> counts) {
      String[] ends = range.split("-", -1);
      if (ends.length == 1) {
        counts.add(number(ends[0], least, all));
        return;
      }
      if (ends.length != 2) {
        throw refusal(all);
      }
      String[] steps = ends[1].split("[+*]", -1);
      if (steps.length > 2) {
        throw refusal(all);
      }
      long first = number(ends[0], least, all);
      long last = number(steps[0], least, all);
      boolean factor = ends[1].contains("*");
      long step = steps.length == 1 ? 1 : number(steps[1], factor ? 2 : 1, all);
      if (first > last || (factor && first == 0)) {
        throw refusal(all);
      }
      for (long count = first; count <= last; count = factor ? count * step : count + step) {
        if (counts.size() == MOST) {
          throw NumberConverters.expected("at most " + MOST + " numbers", all);
        }
        counts.add((int) count);
      }
    }

    private int number(String text, int smallest, String all) {
      try {
        int number = Integer.parseInt(text);
        if (number >= smallest && !text.startsWith("+")) {
          return number;
        }
      } catch (NumberFormatException e) {
        // Refused below, with an example.
      }
      throw refusal(all);
    }

    private RuntimeException refusal(String all) {
      return NumberConverters.expected(
          "whole numbers from " + least + ", such as 4 or 1,4,16 or 1-9+2 or 1-16*2", all);
    }
  }

  /** Refuses tests that this model has no room for, before any is run. */
  static void requireRoom(List<Integer> prompts, List<Integer> tokens, int contextLength) {
    for (int prompt : prompts) {
      for (int count : tokens) {
        if (prompt == 0 && count == 0) {
          throw new UsageException("-p 0 and -n 0 leave nothing to measure");
        }
        if (Math.max(1, prompt) + (long) count > contextLength) {
          throw new UsageException(
              "-p "
                  + prompt
                  + " and -n "
                  + count
                  + " are more than the model's context of "
                  + contextLength);
        }
      }
    }
  }
}
