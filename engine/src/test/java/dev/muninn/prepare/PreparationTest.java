package dev.muninn.prepare;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.Fixture;
import dev.muninn.ModelFiles;
import dev.muninn.family.ConfigReader;
import dev.muninn.family.PanelTensor;
import dev.muninn.family.PreparedTensors;
import dev.muninn.model.WeightFormat;
import dev.muninn.prepare.Verification.Divergence;
import dev.muninn.prepare.Verification.TensorError;
import dev.muninn.weights.Checkpoint;
import dev.muninn.weights.CheckpointException;
import dev.muninn.weights.DType;
import dev.muninn.weights.JsonFile;
import dev.muninn.weights.SafetensorsWriter;
import dev.muninn.weights.Tensor;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class PreparationTest {
  private static final String UNTIED = "raven-1-2-1-untied";
  private static final String CORE = "transformer.core_block.0.mlp.fc.weight";

  @TempDir private Path temporary;

  static Stream<String> models() {
    return Stream.concat(Fixture.NAMES.stream(), Fixture.FAMILIES.stream());
  }

  private Path prepared(String model, Recipe recipe) throws IOException {
    return ExpandedModel.prepare(
        Fixture.directory(model), temporary.resolve(recipe.text()), recipe);
  }

  private static PreparedTensors tensors(Path directory) {
    return PreparedTensors.read(ConfigReader.of(directory));
  }

  /** BF16 weights are only moved; all others are what the panels give, and close. */
  @ParameterizedTest
  @MethodSource("models")
  void weightsAreThoseOfTheOriginal(String model) throws IOException {
    for (String recipe : Recipe.NAMES) {
      Path directory = prepared(model, Recipe.of(recipe));
      try (Verification verification = Verification.open(Fixture.directory(model), directory)) {
        List<TensorError> errors = verification.errors();
        assertFalse(errors.isEmpty());
        for (TensorError error : errors) {
          double most =
              switch (error.format()) {
                case "bf16" -> model.contains("bf16") ? 0 : 0.002;
                case "q8" -> 0.008;
                default -> 0.11;
              };
          assertTrue(error.relative() <= most, () -> recipe + ": " + error);
        }
      }
    }
  }

  /** All but the embedding, and what is kept is kept to the last bit. */
  @ParameterizedTest
  @MethodSource("models")
  void everyMatrixIsInPanelsAndAllElseIsKept(String model) throws IOException {
    Path directory = prepared(model, Recipe.of("q8"));
    Map<String, PanelTensor> panels = tensors(directory).tensors();
    try (Checkpoint before = Checkpoint.open(Fixture.directory(model));
        Checkpoint after = Checkpoint.open(directory)) {
      for (Tensor tensor : before.tensors().values()) {
        boolean matrix = tensor.shape().size() == 2 && tensor.shape().getFirst() > 1;
        if (panels.containsKey(tensor.name())) {
          assertTrue(matrix, tensor.name());
        } else if (after.contains(tensor.name())) {
          assertTrue(!matrix || tensor.name().matches(".*(wte|embed_tokens).*"), tensor.name());
          assertEquals(-1, tensor.data().mismatch(after.tensor(tensor.name()).data()));
        }
      }
    }
  }

  @Test
  void partsBeginOnPanelsAndBlocks() throws IOException {
    Map<String, PanelTensor> panels =
        tensors(prepared("families/retrofit-llama-f32", Recipe.of("q4"))).tensors();
    PanelTensor stacked = panels.get("transformer.core_block.0.attn.Wqkv.weight");
    assertEquals(List.of(64, 32, 32), stacked.rowParts());
    PanelTensor gateUp = panels.get("transformer.core_block.0.mlp.fc.weight");
    assertEquals(List.of(104, 104), gateUp.rowParts());
    assertEquals(8, gateUp.panels());
    PanelTensor adapter =
        tensors(prepared(UNTIED, Recipe.of("q8"))).tensors().get("transformer.adapter.weight");
    assertEquals(List.of(48, 48), adapter.inputParts());
    assertEquals(List.of(2L, 4L, 1088L), adapter.shape());
    assertEquals(64 + 48, adapter.paddedInputs());
  }

  @Test
  void eachPartMayHaveAnotherFormat() throws IOException {
    Recipe recipe =
        Recipe.of("mixed")
            .with(Part.HEAD, Optional.of(WeightFormat.BF16_PANELS))
            .with(Part.EMBEDDING, Optional.of(WeightFormat.Q8))
            .with(Part.CODA, Optional.empty());
    assertEquals("mixed embedding=q8 coda=keep head=bf16", recipe.text());
    Map<String, PanelTensor> panels = tensors(prepared(UNTIED, recipe)).tensors();
    assertEquals(WeightFormat.Q4, panels.get(CORE).format());
    assertEquals(WeightFormat.Q8, panels.get("transformer.wte.weight").format());
    assertEquals(WeightFormat.BF16_PANELS, panels.get("lm_head.weight").format());
    assertEquals(WeightFormat.Q8, panels.get("transformer.adapter.weight").format());
    assertEquals(WeightFormat.Q8, panels.get("transformer.prelude.0.mlp.fc.weight").format());
    assertFalse(panels.containsKey("transformer.coda.0.mlp.fc.weight"));
  }

  @Test
  void aTiedHeadIsTheEmbedding() throws IOException {
    Map<String, PanelTensor> panels =
        tensors(prepared("raven-1-4-1-bf16", Recipe.of("mixed"))).tensors();
    assertEquals(WeightFormat.Q8, panels.get("transformer.wte.weight").format());
  }

  @Test
  void theBytesAreThoseOfTheFormat() throws IOException {
    PanelTensor q4 = new PanelTensor(WeightFormat.Q4, List.of(2), List.of(5));
    float[][] weights = {{-8, 1, 2, 3, 4}, {0.5f, -0.25f, 0, 0, -4}};
    ByteBuffer bytes = ByteBuffer.allocate(576).order(ByteOrder.LITTLE_ENDIAN);
    new PanelEncoder(q4, null).encode(weights, 2, bytes);
    // Rows 0 and 16 come first, then 1 and 17.
    assertEquals((short) 0xBA90, bytes.getShort(0));
    assertEquals((short) 0x8888, bytes.getShort(2));
    assertEquals((short) 0x888C, bytes.getShort(64));
    assertEquals(1f, Float.intBitsToFloat(bytes.getShort(512) << 16));
    assertEquals(0, bytes.getShort(514));
    assertEquals(0.5f, Float.intBitsToFloat(bytes.getShort(516) << 16), 0.1f);

    PanelTensor q8 = new PanelTensor(WeightFormat.Q8, List.of(2), List.of(5));
    bytes = ByteBuffer.allocate(1088).order(ByteOrder.LITTLE_ENDIAN);
    new PanelEncoder(q8, null)
        .encode(new float[][] {{127, 1, 2, 3, -4}, {0, 0, 0, 0, 0}}, 2, bytes);
    assertEquals((byte) 255, bytes.get(0));
    assertEquals((byte) 129, bytes.get(1));
    assertEquals((byte) 124, bytes.get(4 * 32));
    assertEquals((byte) 128, bytes.get(4));
    assertEquals((byte) 128, bytes.get(1023));
    assertEquals(1f, Float.intBitsToFloat(bytes.getShort(1024) << 16));

    PanelTensor bf16 = new PanelTensor(WeightFormat.BF16_PANELS, List.of(18), List.of(1));
    bytes = ByteBuffer.allocate(64).order(ByteOrder.LITTLE_ENDIAN);
    float[][] rows = new float[18][1];
    rows[1][0] = 1;
    rows[17][0] = -2;
    new PanelEncoder(bf16, null).encode(rows, 18, bytes);
    assertEquals(0x3F80, bytes.getShort(4));
    assertEquals((short) 0xC000, bytes.getShort(6));
  }

  /** Scales are chosen, so the error is below that of the plain choice. */
  @Test
  void scalesAreFitted() {
    PanelTensor q4 = new PanelTensor(WeightFormat.Q4, List.of(32), List.of(1024));
    Random random = new Random(1);
    float[][] weights = new float[32][1024];
    float[] flat = new float[32 * 1024];
    double plain = 0;
    for (int row = 0; row < 32; row++) {
      for (int i = 0; i < 1024; i++) {
        weights[row][i] = (float) random.nextGaussian();
        flat[row * 1024 + i] = weights[row][i];
      }
      for (int block = 0; block < 1024; block += 32) {
        float largest = 0;
        for (int i = block; i < block + 32; i++) {
          largest = Math.max(largest, Math.abs(weights[row][i]));
        }
        for (int i = block; i < block + 32; i++) {
          double rounded = Math.rint(weights[row][i] * 7 / largest) * largest / 7;
          plain += (rounded - weights[row][i]) * (rounded - weights[row][i]);
        }
      }
    }
    ByteBuffer bytes = ByteBuffer.allocate((int) q4.panelBytes());
    new PanelEncoder(q4, null).encode(weights, 32, bytes);
    float[] found = ExpandedModel.weights(q4, MemorySegment.ofArray(bytes.array()));
    double error = 0;
    for (int i = 0; i < flat.length; i++) {
      error += (found[i] - flat[i]) * (found[i] - flat[i]);
    }
    assertTrue(error < 0.75 * plain, error + " of " + plain);
  }

  @ParameterizedTest
  @ValueSource(strings = {"q4", "q8"})
  void aWeightThatIsNotFiniteIsNamed(String recipe) {
    Path source =
        ModelFiles.copy(
            Fixture.directory(UNTIED),
            temporary.resolve("nan"),
            tensors -> {
              float[] values = ModelFiles.floats(tensors.get(CORE));
              values[3 * 48 + 5] = Float.NaN;
              tensors.put(CORE, ModelFiles.content(DType.F32, tensors.get(CORE).shape(), values));
            });
    CheckpointException refusal =
        assertThrows(
            CheckpointException.class,
            () -> ExpandedModel.prepare(source, temporary.resolve("out"), Recipe.of(recipe)));
    assertTrue(
        refusal
            .getMessage()
            .endsWith(
                "\""
                    + CORE
                    + "\": found NaN in row 3, column 5, expected"
                    + " finite weights for "
                    + recipe.toUpperCase(java.util.Locale.ROOT)),
        refusal.getMessage());
    assertFalse(Files.exists(temporary.resolve("out/model.safetensors")));
  }

  @Test
  void shardsStayShards() throws IOException {
    Path source = temporary.resolve("source");
    ModelFiles.copySmallFiles(Fixture.directory(UNTIED), source);
    List<String> files = List.of("a.safetensors", "b.safetensors");
    StringBuilder map = new StringBuilder();
    try (Checkpoint checkpoint = Checkpoint.open(Fixture.directory(UNTIED))) {
      List<Tensor> tensors = new ArrayList<>(checkpoint.tensors().values());
      for (int shard = 0; shard < 2; shard++) {
        SafetensorsWriter writer = new SafetensorsWriter(source.resolve(files.get(shard)));
        for (int i = shard; i < tensors.size(); i += 2) {
          writer.add(tensors.get(i));
          map.append(map.isEmpty() ? "" : ",")
              .append('"' + tensors.get(i).name() + "\":\"" + files.get(shard) + '"');
        }
        if (shard == 1) {
          writer.add("freqs_cis", DType.F32, List.of(2L), MemorySegment.ofArray(new byte[8]));
          map.append(",\"freqs_cis\":\"b.safetensors\"");
        }
        writer.write();
      }
    }
    Files.writeString(source.resolve(Checkpoint.INDEX_FILE), "{\"weight_map\":{" + map + "}}");
    Path whole = prepared(UNTIED, Recipe.of("q4"));
    Path target = Files.createDirectory(temporary.resolve("shards"));
    List<Long> progress = new ArrayList<>();
    Preparation done = Preparation.prepare(source, target, Recipe.of("q4"), progress::add);
    assertEquals(Set.of("freqs_cis"), done.leftOut());
    assertEquals(progress.stream().sorted().toList(), progress);
    assertEquals(
        Map.of("total_size", done.writtenBytes()),
        JsonFile.readObject(target.resolve(Checkpoint.INDEX_FILE)).get("metadata"));
    try (Checkpoint one = Checkpoint.open(whole);
        Checkpoint two = Checkpoint.open(target)) {
      assertEquals(2, two.files().size());
      assertEquals(one.tensors().keySet(), two.tensors().keySet());
      one.tensors()
          .forEach((name, tensor) ->
              assertEquals(-1, tensor.data().mismatch(two.tensor(name).data()), name));
    }
  }

  @Test
  void whatIsPreparedIsNotPreparedAgain() throws IOException {
    Path once = prepared(UNTIED, Recipe.of("bf16"));
    CheckpointException refusal =
        assertThrows(
            CheckpointException.class,
            () -> ExpandedModel.prepare(once, temporary.resolve("twice"), Recipe.of("q4")));
    assertEquals(
        once.resolve("config.json")
            + ": the model is prepared already; expected a checkpoint as it came",
        refusal.getMessage());
  }

  @ParameterizedTest
  @EnumSource(Part.class)
  void somethingIsToBePrepared(Part part) {
    Recipe nothing = Recipe.of("q8");
    for (Part other : Part.values()) {
      nothing = nothing.with(other, Optional.empty());
    }
    Recipe kept = nothing;
    assertThrows(
        IllegalArgumentException.class,
        () -> ExpandedModel.prepare(Fixture.directory(UNTIED), temporary.resolve("x"), kept));
    assertEquals(Optional.empty(), kept.format(part));
  }

  /** The fewer bits, the farther; 16 of them are no distance at all. */
  @Test
  void distributionsAreCompared() throws IOException {
    double before = 0;
    for (String recipe : List.of("bf16", "q8", "q4")) {
      Path directory =
          ExpandedModel.prepare(
              ModelFiles.ravenTiny(), temporary.resolve("tiny-" + recipe), Recipe.of(recipe));
      try (Verification verification = Verification.open(ModelFiles.ravenTiny(), directory)) {
        List<Divergence> found =
            verification.divergences("730591=".chars().toArray(), List.of(1, 4), 1, () -> false);
        assertArrayEquals(
            new int[] {1, 4}, found.stream().mapToInt(Divergence::recurrence).toArray());
        double now = found.getLast().mean();
        assertTrue(recipe.equals("bf16") ? now < 1e-6 : now > before, recipe + ": " + found);
        before = now;
      }
    }
  }

  @Test
  void paddingIsZero() throws IOException {
    Path directory = prepared(UNTIED, Recipe.of("q4"));
    try (Checkpoint checkpoint = Checkpoint.open(directory)) {
      MemorySegment data = checkpoint.tensor("transformer.adapter.weight").data();
      // The second panel has rows 32 to 47; rows 16 to 31 of it are padding.
      long block = 4 * 576;
      for (int i = 1; i < 32; i += 2) {
        assertEquals((short) 0x8888, data.get(ValueLayout.JAVA_SHORT_UNALIGNED, block + 2L * i));
        assertEquals(0, data.get(ValueLayout.JAVA_SHORT_UNALIGNED, block + 512 + 2L * i));
      }
    }
  }
}
