package dev.muninn.cli.inspect;

import dev.muninn.cache.KeyValueLayout;
import dev.muninn.cache.KeyValueType;
import dev.muninn.cache.SlotPolicy;
import dev.muninn.cli.output.Json;
import dev.muninn.cli.output.Units;
import dev.muninn.cli.terminal.Printable;
import dev.muninn.family.ConfigReader;
import dev.muninn.family.PanelTensor;
import dev.muninn.family.PreparedTensors;
import dev.muninn.model.Attention;
import dev.muninn.model.Block;
import dev.muninn.model.BranchNorms;
import dev.muninn.model.RecurrentModel;
import dev.muninn.model.StartState;
import dev.muninn.weights.Checkpoint;
import dev.muninn.weights.Tensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.NavigableSet;
import java.util.TreeMap;
import java.util.TreeSet;
import tools.jackson.core.JsonGenerator;

/** The contents of a checkpoint and the memory it needs, for people and for programs. */
public final class Inspection {
  private static final List<Integer> RECURRENCES = List.of(1, 4, 8, 16, 32, 64);
  private static final int MOST_CONTEXTS = 5;
  private static final List<SlotPolicy> POLICIES =
      List.of(
          SlotPolicy.full(),
          new SlotPolicy.Budget(1),
          new SlotPolicy.Budget(4),
          new SlotPolicy.Anchor(8));

  private final RecurrentModel model;
  private final Checkpoint checkpoint;
  private final Map<String, Object> architecture = new LinkedHashMap<>();
  private final PreparedTensors prepared;
  private final Map<String, Share> shares = new TreeMap<>();
  private final NavigableSet<Integer> recurrences = new TreeSet<>(RECURRENCES);
  private final NavigableSet<Integer> contexts = new TreeSet<>();
  private final KeyValueType keyValueType;
  private final long parameters;

  /** What the tensors of one type come to. */
  private record Share(long tensors, long elements, long bytes) {
    Share plus(Share other) {
      return new Share(tensors + other.tensors, elements + other.elements, bytes + other.bytes);
    }
  }

  Inspection(RecurrentModel model, Checkpoint checkpoint) {
    this.model = model;
    this.checkpoint = checkpoint;
    this.prepared = PreparedTensors.read(ConfigReader.of(checkpoint.directory()));
    describe(model);
    for (Tensor tensor : checkpoint.tensors().values()) {
      shares.merge(
          type(tensor), new Share(1, elements(tensor, prepared), tensor.byteSize()), Share::plus);
    }
    parameters = parameters(model, checkpoint, prepared);
    keyValueType = KeyValueType.forWeights(model.coreFormat());
    recurrences.add(model.defaultRecurrence());
    contexts.add(model.contextLength());
    int power = Integer.highestOneBit(model.contextLength());
    for (; power > 0 && contexts.size() < MOST_CONTEXTS; power /= 2) {
      contexts.add(power);
    }
  }

  private void describe(RecurrentModel model) {
    Block block = model.core().blocks().getFirst();
    Attention attention = block.attention();
    architecture.put("family", model.family());
    architecture.put("embedding_size", model.width());
    architecture.put("heads", attention.heads());
    architecture.put("key_value_heads", attention.keyValueHeads());
    architecture.put("head_size", attention.headSize());
    architecture.put("intermediate_size", block.mlp().width());
    architecture.put("prelude_layers", model.prelude().size());
    architecture.put("recurrent_layers", model.core().blocks().size());
    architecture.put("coda_layers", model.coda().blocks().size());
    architecture.put("mean_recurrence", model.defaultRecurrence());
    architecture.put("vocabulary_size", model.vocabularySize());
    architecture.put("context_length", model.contextLength());
    architecture.put(
        "start", model.core().start() instanceof StartState.Random ? "noise" : "the embedding");
    architecture.put("injection", model.injects());
    architecture.put("block_norms", norms(block.attentionNorms()));
    architecture.put("norm_every_loop", model.core().norm().isPresent());
    architecture.put("norm_before_coda", model.coda().before().isPresent());
    architecture.put("norm_before_head", model.coda().beforeHead().isPresent());
    architecture.put("rope", attention.rotary().layout().name().toLowerCase(Locale.ROOT));
    architecture.put("rope_base", attention.rotary().base());
    architecture.put("rope_stretch", attention.rotary().stretch());
    architecture.put("qk_bias", attention.query().bias().isPresent());
    architecture.put("qk_norm", attention.query().norm().isPresent());
    architecture.put(
        "exit_gate", model.gate().map(gate -> "threshold " + gate.threshold()).orElse("none"));
    architecture.put("tied_embeddings", model.tied());
  }

  /** Where the norms of a branch stand, such as "before, output". */
  private static String norms(BranchNorms norms) {
    List<String> places = new ArrayList<>();
    norms.before().ifPresent(norm -> places.add("before"));
    norms.output().ifPresent(norm -> places.add("output"));
    norms.stream().ifPresent(norm -> places.add("stream"));
    return String.join(", ", places);
  }

  /** Numbers that were learned. */
  public static long parameters(RecurrentModel model, Checkpoint checkpoint) {
    return parameters(
        model, checkpoint, PreparedTensors.read(ConfigReader.of(checkpoint.directory())));
  }

  private static long parameters(
      RecurrentModel model, Checkpoint checkpoint, PreparedTensors prepared) {
    long parameters = 0;
    for (Tensor tensor : checkpoint.tensors().values()) {
      if (isParameter(model, tensor)) {
        parameters += elements(tensor, prepared);
      }
    }
    return parameters;
  }

  /** Numbers of a tensor. In panels there are bytes instead, scales and padding. */
  private static long elements(Tensor tensor, PreparedTensors prepared) {
    PanelTensor panels = prepared.tensors().get(tensor.name());
    return panels == null ? tensor.elements() : (long) panels.rows() * panels.inputs();
  }

  /** A tensor's type: that of its numbers, or the format of its panels. */
  private String type(Tensor tensor) {
    PanelTensor panels = prepared.tensors().get(tensor.name());
    return panels == null ? tensor.dtype().name() : panels.format().text();
  }

  /** The shape of the matrix, however it lies. */
  private List<Long> shape(Tensor tensor) {
    PanelTensor panels = prepared.tensors().get(tensor.name());
    return panels == null ? tensor.shape() : List.of((long) panels.rows(), (long) panels.inputs());
  }

  /** Public files may hold a table that is not a parameter, and a tied head a second time. */
  private static boolean isParameter(RecurrentModel model, Tensor tensor) {
    return switch (tensor.name()) {
      case "freqs_cis" -> false;
      case "lm_head.weight" -> !model.tied();
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
    shares.forEach((type, share) ->
        append(
            text,
            "  %-18s %s, %s in %s\n",
            type,
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
    int types = shares.keySet().stream().mapToInt(String::length).max().orElse(1);
    for (Tensor tensor : checkpoint.tensors().values()) {
      append(
          text,
          "  %-" + width + "s  %-" + Math.max(5, types) + "s %-14s %s\n",
          Printable.line(tensor.name()),
          type(tensor),
          shape(tensor),
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
      append(text, "  %6d %7d", recurrence, model.effectiveDepth(recurrence));
      for (int context : contexts) {
        append(text, " %9s", Units.bytes(keyValueBytes(recurrence, context)));
      }
      text.append(recurrence == model.defaultRecurrence() ? "  mean of training\n" : "\n");
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
    shares.forEach((type, share) -> {
      generator.writeObjectPropertyStart(type);
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
      if (prepared.tensors().containsKey(tensor.name())) {
        generator.writeStringProperty("layout", type(tensor));
        Json.integers(generator, "matrix", shape(tensor));
      }
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
      generator.writeNumberProperty("effective_depth", model.effectiveDepth(recurrence));
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
    return new KeyValueLayout(model, policy, recurrence, context, keyValueType).bytes();
  }

  private static String shard(Tensor tensor) {
    return tensor.file().getFileName().toString();
  }
}
