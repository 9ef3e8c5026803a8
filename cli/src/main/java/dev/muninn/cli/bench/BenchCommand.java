package dev.muninn.cli.bench;

import dev.muninn.LanguageModel;
import dev.muninn.backend.Backends;
import dev.muninn.cache.KeyValueType;
import dev.muninn.cache.SlotPolicy;
import dev.muninn.cli.help.CommandSection;
import dev.muninn.cli.help.HelpHeading;
import dev.muninn.cli.options.BasicOptions;
import dev.muninn.cli.options.DepthWarning;
import dev.muninn.cli.options.ModelOptions;
import dev.muninn.cli.options.NumberConverters;
import dev.muninn.cli.options.RecipeName;
import dev.muninn.cli.options.UsageException;
import dev.muninn.cli.plot.ChartFile;
import dev.muninn.cli.process.ExitCode;
import dev.muninn.cli.process.ShutdownCancellation;
import dev.muninn.cli.terminal.Progress;
import dev.muninn.cli.terminal.StandardStreams;
import dev.muninn.cli.terminal.Terminal;
import dev.muninn.decode.ExitOptions;
import dev.muninn.prepare.Recipe;
import dev.muninn.weights.AtomicFile;
import dev.muninn.weights.DType;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Measures what tokens cost. */
@Command(
    name = "bench",
    description = {
      "Measures prefill and decoding by recurrence.",
      "Prompt tests are called pp, decoding tests tg, as in llama-bench. Rates appear beside what"
          + " the machine reached in reading and in arithmetic at the beginning of the same run.",
      "Where -m names no directory, tiny, small, medium, huginn, ouro-1.4b, nanbeige-3b and"
          + " tinyllama-retrofit are shapes of random weights, written to a temporary directory."
    },
    customSynopsis = "muninn bench [OPTION]...")
@CommandSection.In(CommandSection.MEASURE)
public final class BenchCommand implements Callable<Integer> {
  /** Options that say what {@code --kernels} times and prints. */
  private static final Set<String> KERNEL_OPTIONS =
      Set.of(
          "--kernels",
          "--model",
          "--backend",
          "--device",
          "--dtype",
          "--quantize",
          "--output",
          BasicOptions.VERBOSE);

  private final StandardStreams streams;
  private final Map<String, String> environment;

  @Spec private CommandSpec spec;

  @Mixin private final ModelOptions modelOptions = new ModelOptions();

  @Mixin private final RandomModelOptions randomModelOptions = new RandomModelOptions();

  @Mixin private final ListOptions.Tests tests = new ListOptions.Tests();

  @Mixin private final ListOptions.Exits exits = new ListOptions.Exits();

  @Mixin private final ListOptions.Caches caches = new ListOptions.Caches();

  @Mixin private final ReportOptions reportOptions = new ReportOptions();

  /** A command that reports to these streams. */
  public BenchCommand(StandardStreams streams, Map<String, String> environment) {
    this.streams = streams;
    this.environment = environment;
  }

  @HelpHeading("Model")
  private static final class RandomModelOptions {
    @Option(
        names = "--dtype",
        paramLabel = "bf16|f16|f32",
        converter = TypeConverter.class,
        description = "Type of random weights (default: bf16).")
    private DType type;

    @Option(
        names = "--quantize",
        paramLabel = "TYPE",
        converter = RecipeName.class,
        description =
            "Prepare random weights first, as 'muninn quantize' does: bf16, q8, q4 or mixed.")
    private Recipe recipe;

    private static final class TypeConverter implements ITypeConverter<DType> {
      @Override
      public DType convert(String value) {
        return switch (value) {
          case "bf16" -> DType.BF16;
          case "f16" -> DType.F16;
          case "f32" -> DType.F32;
          default -> throw NumberConverters.expected("bf16, f16 or f32", value);
        };
      }
    }
  }

  private static final class ReportOptions extends BasicOptions {
    @Option(
        names = {"-o", "--output"},
        paramLabel = "md|csv|json|jsonl",
        converter = Report.FormatConverter.class,
        description = "How results are printed (default: md).")
    private Report.Format format = Report.Format.MD;

    @Option(
        names = "--save",
        paramLabel = "FILE",
        description = "Write the results as JSON to a file too.")
    private Path save;

    @Option(
        names = "--compare",
        paramLabel = "FILE",
        description = "Print ratios against an earlier --save.")
    private Path compare;

    @Option(
        names = "--plot",
        paramLabel = "FILE",
        description = "Draw latency by recurrence and context: .svg or .png.")
    private Path plot;
  }

  @Override
  public Integer call() throws IOException {
    if (tests.kernels()) {
      requireKernelsAlone();
    }
    if (reportOptions.plot != null) {
      ChartFile.requireWritable(reportOptions.plot);
      if (tests.tokens().stream().allMatch(count -> count == 0)) {
        throw new UsageException("--plot draws decoding, so -n must not be 0");
      }
    }
    if (reportOptions.save != null) {
      AtomicFile.requireWritable(reportOptions.save);
    }
    Optional<Baseline> baseline =
        reportOptions.compare == null
            ? Optional.empty()
            : Optional.of(Baseline.read(reportOptions.compare));
    Map<String, ExitOptions> exitOptions = exits.options();
    try (ShutdownCancellation shutdown = new ShutdownCancellation();
        BenchModel chosen =
            BenchModel.open(
                modelOptions,
                Optional.ofNullable(randomModelOptions.type),
                Optional.ofNullable(randomModelOptions.recipe),
                environment,
                streams)) {
      LanguageModel model = chosen.model();
      if (tests.kernels()) {
        return timeKernels(chosen);
      }
      ListOptions.requireRoom(
          tests.prompts(), tests.tokens(), model.architecture().contextLength());
      DepthWarning.check(
          streams,
          model.architecture(),
          tests.recurrences(model.architecture().defaultRecurrence()));
      List<List<Workload>> groups = groups(model, exitOptions);
      Bench bench = bench(chosen);
      Report report = new Report(streams.out(), reportOptions.format, bench, baseline);
      report.begin();
      boolean whole = measure(model, groups, report, shutdown);
      report.end();
      if (!report.groups().isEmpty()) {
        write(report, bench);
      }
      return whole ? ExitCode.OK : ExitCode.INTERRUPTED;
    }
  }

  private Bench bench(BenchModel chosen) {
    return new Bench(
        spec.root().version()[0],
        chosen.name(),
        chosen.model(),
        chosen.model().measureLimits(),
        modelOptions.loadOptions().threads(),
        Instant.now(),
        tests.repetitions());
  }

  private void requireKernelsAlone() {
    for (OptionSpec option : spec.commandLine().getParseResult().matchedOptions()) {
      if (!KERNEL_OPTIONS.contains(option.longestName())) {
        throw new UsageException("--kernels runs no tests: leave out " + option.longestName());
      }
    }
  }

  private int timeKernels(BenchModel chosen) throws IOException {
    if (chosen.model().device().backend().equals(Backends.VECTOR)) {
      throw new UsageException(
          "--kernels times the kernels of a TornadoVM device, as --backend tornado takes one");
    }
    Bench bench = bench(chosen);
    KernelReport.write(
        streams.out(),
        reportOptions.format,
        bench,
        chosen.model().measureKernels(KernelReport.ROWS));
    return ExitCode.OK;
  }

  /** Every group is in all recurrences. */
  private List<List<Workload>> groups(LanguageModel model, Map<String, ExitOptions> exitOptions) {
    List<Integer> recurrences = tests.recurrences(model.architecture().defaultRecurrence());
    List<List<Workload>> groups = new ArrayList<>();
    for (SlotPolicy policy : caches.policies()) {
      for (Map.Entry<String, ExitOptions> exit : exitOptions.entrySet()) {
        for (int prompt : tests.prompts()) {
          for (int count : tests.tokens()) {
            List<Workload> group = new ArrayList<>();
            for (int recurrence : recurrences) {
              group.add(
                  new Workload(
                      prompt,
                      count,
                      recurrence,
                      policy,
                      caches.type(),
                      exit.getKey(),
                      exit.getValue(),
                      tests.seed()));
            }
            groups.add(group);
          }
        }
      }
    }
    return groups;
  }

  /** Returns false if it was cancelled: the groups that were whole are reported. */
  private boolean measure(
      LanguageModel model,
      List<List<Workload>> groups,
      Report report,
      ShutdownCancellation shutdown)
      throws IOException {
    int rounds = tests.repetitions() + (tests.warmUp() ? 1 : 0);
    int runs = groups.stream().mapToInt(List::size).sum() * rounds;
    try (Progress progress = new Progress(Terminal.showsProgress(), "runs", runs)) {
      Suite suite =
          new Suite(
              model,
              KeyValueType.forWeights(Bench.weightType(model)),
              shutdown.cancellation(),
              progress::step);
      if (tests.warmUp() && !suite.warmUp(groups.getFirst().getFirst())) {
        return false;
      }
      for (List<Workload> group : groups) {
        Optional<TestGroup> results = suite.measure(group, tests.repetitions(), tests.warmUp());
        if (results.isEmpty()) {
          return false;
        }
        report.add(results.get());
      }
      return true;
    }
  }

  private void write(Report report, Bench bench) throws IOException {
    if (reportOptions.save != null) {
      AtomicFile.write(reportOptions.save, report.array().getBytes(StandardCharsets.UTF_8));
    }
    if (reportOptions.plot != null) {
      LatencyPlot.write(reportOptions.plot, bench, report.groups());
    }
  }
}
