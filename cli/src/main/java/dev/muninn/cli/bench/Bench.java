package dev.muninn.cli.bench;

import dev.muninn.LanguageModel;
import dev.muninn.cache.KeyValueType;
import dev.muninn.cli.inspect.Inspection;
import dev.muninn.model.WeightFormat;
import dev.muninn.vector.MachineLimits;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.stream.Stream;

/**
 * The fields that all results of one call share.
 *
 * @param version of Muninn
 * @param modelName what the model is called
 * @param model what is measured
 * @param limits what the machine reached in this call
 * @param began when
 * @param repetitions of each test
 */
record Bench(
    String version,
    String modelName,
    LanguageModel model,
    MachineLimits limits,
    Instant began,
    int repetitions) {

  Bench {
    began = began.truncatedTo(ChronoUnit.SECONDS);
  }

  /** The format of the recurrent block's weights. */
  static WeightFormat weightType(LanguageModel model) {
    return model.architecture().coreFormat();
  }

  /** How a test's keys and values are stored. */
  KeyValueType keyValueType(Workload workload) {
    return workload.type().orElse(KeyValueType.forWeights(weightType(model)));
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
