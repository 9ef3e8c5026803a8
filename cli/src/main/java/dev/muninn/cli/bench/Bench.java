package dev.muninn.cli.bench;

import dev.muninn.LanguageModel;
import dev.muninn.backend.Backends;
import dev.muninn.backend.DeviceLimits;
import dev.muninn.cache.KeyValueType;
import dev.muninn.cli.inspect.Inspection;
import dev.muninn.cli.output.Units;
import dev.muninn.model.WeightFormat;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * The fields that all results of one call share.
 *
 * @param version of Muninn
 * @param modelName what the model is called
 * @param model what is measured
 * @param limits what the device reached in this call
 * @param threads of the host, where it is the device
 * @param began when
 * @param repetitions of each test
 */
record Bench(
    String version,
    String modelName,
    LanguageModel model,
    DeviceLimits limits,
    int threads,
    Instant began,
    int repetitions) {

  Bench {
    began = began.truncatedTo(ChronoUnit.SECONDS);
  }

  /** Whether the host's processor computes. */
  boolean onHost() {
    return model.device().backend().equals(Backends.VECTOR);
  }

  /** The format of the recurrent block's weights. */
  static WeightFormat weightType(LanguageModel model) {
    return model.architecture().coreFormat();
  }

  /** How a test's keys and values are stored. */
  KeyValueType keyValueType(Workload workload) {
    return workload.type().orElse(KeyValueType.forWeights(weightType(model)));
  }

  /** What all results have in common, in lines for people. */
  List<String> heading() {
    List<String> lines = new ArrayList<>();
    lines.add(
        Units.format(
            "model    %s, %s of %s, %,d parameters",
            modelName,
            Units.bytes(model.checkpoint().mappedBytes()),
            weightType(model).name(),
            parameters()));
    lines.add("backend  " + model.backendName());
    model
        .openingTimes()
        .ifPresent(times ->
            lines.add(
                Units.format(
                    "opening  %.1f s to compile kernels, %.1f s to send weights, in no figure below",
                    times.compileNanos() / 1e9, times.sendNanos() / 1e9)));
    lines.add(
        Units.format(
            onHost()
                ? "limits   %.1f GB/s read, %.0f GFLOP/s multiplied and added, now, on %s"
                : "limits   %.1f GB/s copied, %.0f GFLOP/s in a product, now, on %s",
            limits.bytesPerSecond() / 1e9,
            limits.operationsPerSecond() / 1e9,
            onHost() ? Units.count(threads, "thread") : model.device().id()));
    return lines;
  }

  long parameters() {
    return Inspection.parameters(model.architecture(), model.checkpoint());
  }

  /** The processor's name. */
  static String processor() {
    try (Stream<String> lines = Files.lines(Path.of("/proc/cpuinfo"))) {
      return lines
          .filter(line -> line.startsWith("model name"))
          .findFirst()
          .map(line -> line.substring(line.indexOf(':') + 1).strip())
          .orElse(System.getProperty("os.arch"));
    } catch (IOException e) {
      return System.getProperty("os.arch");
    }
  }
}
