package dev.muninn.cli.inspect;

import dev.muninn.cache.KeyValueLayout;
import dev.muninn.cache.KeyValueType;
import dev.muninn.cache.SlotPolicy;
import dev.muninn.cli.output.Json;
import dev.muninn.cli.output.Units;
import dev.muninn.cli.terminal.Printable;
import dev.muninn.model.RavenConfig;
import dev.muninn.weights.Checkpoint;
import dev.muninn.weights.DType;
import dev.muninn.weights.Tensor;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.TreeSet;
import tools.jackson.core.JsonGenerator;

/** What a checkpoint holds and what it would need, for people and for programs. */
public final class Inspection {
  private static final List<Integer> RECURRENCES = List.of(1, 4, 8, 16, 32, 64);
  private static final int MOST_CONTEXTS = 5;
  private static final List<SlotPolicy> POLICIES =
      List.of(
          SlotPolicy.full(),
          new SlotPolicy.Budget(1),
          new SlotPolicy.Budget(4),
          new SlotPolicy.Anchor(8));

  private final RavenConfig config;
  private final Checkpoint checkpoint;
  private final Map<String, Object> architecture = new LinkedHashMap<>();
  private final Map<DType, Share> shares = new EnumMap<>(DType.class);
  private final NavigableSet<Integer> recurrences = new TreeSet<>(RECURRENCES);
  private final NavigableSet<Integer> contexts = new TreeSet<>();
  private final KeyValueType keyValueType;
  private final long parameters;

  /** What the tensors of one type come to. */
  private record Share(long tensors, long elements, long bytes) {
    static Share of(Tensor tensor) {
      return new Share(1, tensor.elements(), tensor.byteSize());
    }

    Share plus(Share other) {
      return new Share(tensors + other.tensors, elements + other.elements, bytes + other.bytes);
    }
  }

  Inspection(RavenConfig config, Checkpoint checkpoint) {
    this.config = config;
    this.checkpoint = checkpoint;
    architecture.put("embedding_size", config.embeddingSize());
    architecture.put("heads", config.heads());
    architecture.put("head_size", config.headSize());
    architecture.put("intermediate_size", config.intermediateSize());
    architecture.put("prelude_layers", config.preludeLayers());
    architecture.put("recurrent_layers", config.recurrentLayers());
    architecture.put("coda_layers", config.codaLayers());
    architecture.put("mean_recurrence", config.meanRecurrence());
    architecture.put("vocabulary_size", config.vocabularySize());
    architecture.put("context_length", config.contextLength());
    architecture.put("rope_base", config.ropeBase());
    architecture.put("norm_epsilon", config.normEpsilon());
    architecture.put("qk_bias", config.qkBias());
    architecture.put("tied_embeddings", config.tiedEmbeddings());
    for (Tensor tensor : checkpoint.tensors().values()) {
      shares.merge(tensor.dtype(), Share.of(tensor), Share::plus);
    }
    parameters = parameters(config, checkpoint);
    keyValueType = KeyValueType.forWeights(mostlyOf());
    recurrences.add(config.meanRecurrence());
    contexts.add(config.contextLength());
    int power = Integer.highestOneBit(config.contextLength());
    for (; power > 0 && contexts.size() < MOST_CONTEXTS; power /= 2) {
      contexts.add(power);
    }
  }

  /** The type of the most bytes. */
  private DType mostlyOf() {
    return shares.entrySet().stream()
        .max(Comparator.comparingLong(share -> share.getValue().bytes))
        .map(Map.Entry::getKey)
        .orElse(DType.F32);
  }

  /** Numbers that were learned. */
  public static long parameters(RavenConfig config, Checkpoint checkpoint) {
    long parameters = 0;
    for (Tensor tensor : checkpoint.tensors().values()) {
      if (isParameter(config, tensor)) {
        parameters += tensor.elements();
      }
    }
    return parameters;
  }

  /** Public files may hold a table that nobody learned, and a tied head a second time. */
  private static boolean isParameter(RavenConfig config, Tensor tensor) {
    return switch (tensor.name()) {
      case "freqs_cis" -> false;
      case "lm_head.weight" -> !config.tiedEmbeddings();
      default -> true;
    };
  }

  String text() {
    StringBuilder text = new StringBuilder();
    text.append("Architecture\n");
    architecture.forEach(
        (name, value) -> append(text, "  %-18s %s\n", name.replace('_', ' '), value));
    appendWeights(text);
    appendTensors(text);
    appendDepths(text);
    appendPolicies(text);
    return text.toString();
  }

  private void appendWeights(StringBuilder text) {
    text.append("\nWeights\n");
    append(text, "  %-18s %,d\n", "parameters", parameters);
    append(
        text,
        "  %-18s %s in %s\n",
        "memory mapped",
        Units.bytes(checkpoint.mappedBytes()),
        Units.count(checkpoint.files().size(), "file"));
    shares.forEach((dtype, share) ->
        append(
            text,
            "  %-18s %s, %s in %s\n",
            dtype,
            Units.bytes(share.bytes),
            Units.count(share.elements, "element"),
            Units.count(share.tensors, "tensor")));
  }

  private void appendTensors(StringBuilder text) {
    text.append("\nTensors\n");
    int width =
        checkpoint.tensors().keySet().stream()
            .mapToInt(name -> Printable.line(name).length())
            .max()
            .orElse(1);
    for (Tensor tensor : checkpoint.tensors().values()) {
      append(
          text,
          "  %-" + width + "s  %-5s %-14s %s\n",
          Printable.line(tensor.name()),
          tensor.dtype(),
          tensor.shape(),
          shard(tensor));
    }
  }

  private void appendDepths(StringBuilder text) {
    append(
        text, "\nEffective depth, and memory for keys and values (%s) by context\n", keyValueType);
    append(text, "  %6s %7s", "r", "depth");
    contexts.forEach(context -> append(text, " %9d", context));
    text.append('\n');
    for (int recurrence : recurrences) {
      append(text, "  %6d %7d", recurrence, config.effectiveDepth(recurrence));
      for (int context : contexts) {
        append(text, " %9s", Units.bytes(keyValueBytes(recurrence, context)));
      }
      text.append(recurrence == config.meanRecurrence() ? "  mean of training\n" : "\n");
    }
  }

  private void appendPolicies(StringBuilder text) {
    append(text, "\nKeys and values of one token (%s) by cache policy\n", keyValueType);
    append(text, "  %6s", "r");
    POLICIES.forEach(policy -> append(text, " %9s", policy));
    text.append('\n');
    for (int recurrence : recurrences) {
      append(text, "  %6d", recurrence);
      for (SlotPolicy policy : POLICIES) {
        append(text, " %9s", Units.bytes(keyValueBytes(policy, recurrence, 1)));
      }
      text.append('\n');
    }
  }

  private static void append(StringBuilder text, String pattern, Object... values) {
    text.append(Units.format(pattern, values));
  }

  String json() {
    return Json.object(generator -> {
      generator.writeObjectPropertyStart("architecture");
      architecture.forEach((name, value) -> Json.scalar(generator, name, value));
      generator.writeEndObject();
      writeWeights(generator);
      writeTensors(generator);
      writeDepths(generator);
    });
  }

  private void writeWeights(JsonGenerator generator) {
    generator.writeNumberProperty("parameters", parameters);
    generator.writeNumberProperty("mapped_bytes", checkpoint.mappedBytes());
    generator.writeArrayPropertyStart("files");
    for (Path file : checkpoint.files()) {
      generator.writeString(file.getFileName().toString());
    }
    generator.writeEndArray();
    generator.writeObjectPropertyStart("dtypes");
    shares.forEach((dtype, share) -> {
      generator.writeObjectPropertyStart(dtype.name());
      generator.writeNumberProperty("tensors", share.tensors);
      generator.writeNumberProperty("elements", share.elements);
      generator.writeNumberProperty("bytes", share.bytes);
      generator.writeEndObject();
    });
    generator.writeEndObject();
  }

  private void writeTensors(JsonGenerator generator) {
    generator.writeArrayPropertyStart("tensors");
    for (Tensor tensor : checkpoint.tensors().values()) {
      generator.writeStartObject();
      generator.writeStringProperty("name", tensor.name());
      generator.writeStringProperty("dtype", tensor.dtype().name());
      Json.integers(generator, "shape", tensor.shape());
      generator.writeNumberProperty("bytes", tensor.byteSize());
      generator.writeStringProperty("file", shard(tensor));
      generator.writeEndObject();
    }
    generator.writeEndArray();
  }

  private void writeDepths(JsonGenerator generator) {
    generator.writeStringProperty("key_value_type", keyValueType.name());
    generator.writeArrayPropertyStart("depths");
    for (int recurrence : recurrences) {
      generator.writeStartObject();
      generator.writeNumberProperty("recurrence", recurrence);
      generator.writeNumberProperty("effective_depth", config.effectiveDepth(recurrence));
      generator.writeArrayPropertyStart("key_value_bytes");
      for (int context : contexts) {
        generator.writeStartObject();
        generator.writeNumberProperty("context", context);
        generator.writeNumberProperty("bytes", keyValueBytes(recurrence, context));
        generator.writeEndObject();
      }
      generator.writeEndArray();
      generator.writeObjectPropertyStart("key_value_bytes_per_token");
      for (SlotPolicy policy : POLICIES) {
        generator.writeNumberProperty(policy.toString(), keyValueBytes(policy, recurrence, 1));
      }
      generator.writeEndObject();
      generator.writeEndObject();
    }
    generator.writeEndArray();
  }

  private long keyValueBytes(int recurrence, int context) {
    return keyValueBytes(SlotPolicy.full(), recurrence, context);
  }

  private long keyValueBytes(SlotPolicy policy, int recurrence, int context) {
    return new KeyValueLayout(config, policy, recurrence, context, keyValueType).bytes();
  }

  private static String shard(Tensor tensor) {
    return tensor.file().getFileName().toString();
  }
}
