package dev.muninn.family.huginn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.Fixture;
import dev.muninn.ModelFiles;
import dev.muninn.ModelFiles.Content;
import dev.muninn.family.ModelFamilies;
import dev.muninn.model.Attention;
import dev.muninn.model.Block;
import dev.muninn.model.BranchNorms;
import dev.muninn.model.Norm;
import dev.muninn.model.RecurrentModel;
import dev.muninn.model.WeightMatrix;
import dev.muninn.weights.Checkpoint;
import dev.muninn.weights.CheckpointException;
import dev.muninn.weights.DType;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HuginnFamilyTest {
  private static final String TIED = "raven-2-4-2-f32";
  private static final String UNTIED = "raven-1-2-1-untied";

  @TempDir Path directory;

  private String refusal(String fixture, Consumer<Map<String, Content>> change) {
    Path model = ModelFiles.copy(Fixture.directory(fixture), directory.resolve("model"), change);
    try (Checkpoint checkpoint = Checkpoint.open(model)) {
      String message =
          assertThrows(CheckpointException.class, () -> ModelFamilies.load(model, checkpoint))
              .getMessage();
      assertEquals(1, message.lines().count(), message);
      assertTrue(message.startsWith(model + ": "), message);
      return message;
    }
  }

  private static void assertSays(String message, String... parts) {
    for (String part : parts) {
      assertTrue(message.contains(part), () -> part + " in: " + message);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {TIED, UNTIED, "raven-1-4-1-bf16"})
  void matricesAreTheMappedTensors(String name) {
    Path model = Fixture.directory(name);
    try (Checkpoint checkpoint = Checkpoint.open(model)) {
      HuginnConfig config = HuginnConfig.load(model);
      RecurrentModel weights = ModelFamilies.load(model, checkpoint);
      assertEquals("Huginn", weights.family());
      assertTensor(checkpoint, "transformer.wte.weight", weights.embedding().matrix());
      assertTensor(
          checkpoint, "transformer.adapter.weight", weights.core().injection().orElseThrow());
      assertVector(
          checkpoint, "transformer.ln_f.weight", weights.coda().before().orElseThrow().scale());
      assertSame(weights.coda().before().get(), weights.coda().beforeHead().orElseThrow());
      assertBlocks(checkpoint, "prelude", config.preludeLayers(), weights.prelude());
      assertBlocks(checkpoint, "core_block", config.recurrentLayers(), weights.core().blocks());
      assertBlocks(checkpoint, "coda", config.codaLayers(), weights.coda().blocks());
    }
  }

  private static void assertBlocks(
      Checkpoint checkpoint, String part, int count, List<Block> blocks) {
    assertEquals(count, blocks.size());
    for (int i = 0; i < count; i++) {
      Block block = blocks.get(i);
      String prefix = "transformer." + part + "." + i + ".";
      assertNorm(checkpoint, prefix + "norm_1.weight", block.attentionNorms().before());
      assertNorm(checkpoint, prefix + "norm_2.weight", block.attentionNorms().stream());
      assertNorm(checkpoint, prefix + "norm_3.weight", block.mlpNorms().before());
      assertNorm(checkpoint, prefix + "norm_4.weight", block.mlpNorms().stream());
      assertTrue(block.attentionNorms().output().isEmpty());
      assertTrue(block.mlpNorms().output().isEmpty());
      Attention attention = block.attention();
      assertStacked(checkpoint, prefix + "attn.Wqkv.weight", block.queryKeyValue());
      assertTensor(checkpoint, prefix + "attn.proj.weight", attention.output());
      assertStacked(
          checkpoint, prefix + "mlp.fc.weight", List.of(block.mlp().gate(), block.mlp().up()));
      assertTensor(checkpoint, prefix + "mlp.proj.weight", block.mlp().down());
      float[] queryBias = attention.query().bias().orElseThrow();
      float[] both = Arrays.copyOf(queryBias, 2 * queryBias.length);
      System.arraycopy(
          attention.key().bias().orElseThrow(), 0, both, queryBias.length, queryBias.length);
      assertVector(checkpoint, prefix + "attn.qk_bias", both);
    }
  }

  private static void assertNorm(Checkpoint checkpoint, String name, Optional<Norm> norm) {
    assertVector(checkpoint, name, norm.orElseThrow().scale());
  }

  /** The mapped bytes, some rows by some. */
  private static void assertStacked(Checkpoint checkpoint, String name, List<WeightMatrix> parts) {
    long address = checkpoint.tensor(name).data().address();
    for (WeightMatrix part : parts) {
      assertEquals(address, part.data().address(), name);
      assertEquals(checkpoint.tensor(name).data().scope(), part.data().scope(), name);
      address += part.bytes();
    }
    assertEquals(
        checkpoint.tensor(name).byteSize(), address - parts.getFirst().data().address(), name);
  }

  private static void assertTensor(Checkpoint checkpoint, String name, WeightMatrix matrix) {
    assertInPlace(checkpoint, name, matrix);
    assertSame(checkpoint.tensor(name).dtype(), matrix.dtype(), name);
    assertEquals(
        checkpoint.tensor(name).shape(), List.of((long) matrix.rows(), (long) matrix.columns()));
  }

  /** The mapped bytes themselves, and no longer usable than the map. */
  private static void assertInPlace(Checkpoint checkpoint, String name, WeightMatrix matrix) {
    MemorySegment mapped = checkpoint.tensor(name).data();
    assertEquals(mapped.address(), matrix.data().address(), name);
    assertEquals(mapped.byteSize(), matrix.data().byteSize(), name);
    assertEquals(mapped.scope(), matrix.data().scope(), name);
    assertTrue(matrix.data().isReadOnly(), name);
  }

  private static void assertVector(Checkpoint checkpoint, String name, float[] vector) {
    float[] expected = new float[vector.length];
    assertEquals(checkpoint.tensor(name).elements(), vector.length, name);
    for (int i = 0; i < expected.length; i++) {
      expected[i] = checkpoint.tensor(name).get(i);
    }
    assertArrayEquals(expected, vector, name);
  }

  @Test
  void weightsAreGoneWithTheirCheckpoint() {
    Fixture fixture = new Fixture(TIED);
    RecurrentModel weights = fixture.model();
    fixture.close();
    assertThrows(
        IllegalStateException.class,
        () -> weights.core().injection().get().data().get(ValueLayout.JAVA_BYTE, 0));
  }

  @Test
  void tiedHeadIsTheEmbedding() {
    try (Fixture fixture = new Fixture(TIED)) {
      assertSame(fixture.model().embedding().matrix(), fixture.model().coda().head());
    }
  }

  @Test
  void untiedHeadIsTensorOfItsOwn() {
    Path model = Fixture.directory(UNTIED);
    try (Checkpoint checkpoint = Checkpoint.open(model)) {
      RecurrentModel weights = ModelFamilies.load(model, checkpoint);
      assertTensor(checkpoint, "lm_head.weight", weights.coda().head());
      assertNotEquals(
          weights.embedding().matrix().data().address(), weights.coda().head().data().address());
    }
    assertSays(
        refusal(UNTIED, tensors -> tensors.remove("lm_head.weight")), "lm_head.weight is missing");
  }

  @Test
  void tensorsWithoutUseAreIgnored() {
    Path model =
        ModelFiles.copy(
            Fixture.directory(TIED),
            directory.resolve("model"),
            tensors -> {
              // Types and shapes that would be refused if they were looked at.
              tensors.put("freqs_cis", ModelFiles.zeros(DType.C64, 4L, 14L, 2L));
              tensors.put("lm_head.weight", ModelFiles.zeros(DType.I8, 3L));
              tensors.put("transformer.something.0.else", ModelFiles.zeros(DType.BOOL, 1L));
            });
    try (Checkpoint checkpoint = Checkpoint.open(model)) {
      RecurrentModel weights = ModelFamilies.load(model, checkpoint);
      assertInPlace(checkpoint, "transformer.wte.weight", weights.coda().head());
    }
  }

  @Test
  void oneErrorListsAllThatDoesNotFit() {
    String message =
        refusal(
            TIED,
            tensors -> {
              tensors.remove("transformer.wte.weight");
              tensors.remove("transformer.prelude.1.norm_3.weight");
              tensors.put("transformer.adapter.weight", ModelFiles.zeros(DType.F32, 112L, 56L));
              tensors.put(
                  "transformer.core_block.3.attn.qk_bias",
                  ModelFiles.zeros(DType.F32, 2L, 1L, 56L));
              tensors.put(
                  "transformer.core_block.0.mlp.fc.weight",
                  ModelFiles.zeros(DType.F8_E4M3, 272L, 56L));
              tensors.put("transformer.ln_f.weight", ModelFiles.zeros(DType.I32, 56L));
              tensors.put("transformer.coda.2.norm_1.weight", ModelFiles.zeros(DType.F32, 56L));
            });
    assertSays(
        message,
        "transformer.wte.weight is missing",
        "transformer.prelude.1.norm_3.weight is missing",
        "transformer.adapter.weight has shape [112, 56], expected [56, 112]",
        "transformer.core_block.3.attn.qk_bias has shape [2, 1, 56], expected [2, 1, 2, 28]",
        "transformer.core_block.0.mlp.fc.weight is F8_E4M3",
        "transformer.ln_f.weight is I32",
        "transformer.coda.2.norm_1.weight is beyond the 2 blocks");
    assertEquals(7, message.split(";").length, message);
  }

  @Test
  void blocksBeyondTheConfigurationAreNamed() {
    String message =
        refusal(
            TIED,
            tensors -> {
              tensors.put("transformer.prelude.2.norm_1.weight", ModelFiles.zeros(DType.F32, 56L));
              tensors.put(
                  "transformer.core_block.4.mlp.proj.weight",
                  ModelFiles.zeros(DType.F32, 56L, 136L));
            });
    assertSays(
        message,
        "transformer.prelude.2.norm_1.weight is beyond the 2 blocks",
        "transformer.core_block.4.mlp.proj.weight is beyond the 4 blocks");
  }

  @Test
  void emptyCheckpoint() {
    assertSays(refusal(UNTIED, Map::clear), "transformer.wte.weight is missing");
  }

  @Test
  void modelWithoutBiases() throws IOException {
    Path model =
        ModelFiles.copy(
            Fixture.directory(TIED),
            directory.resolve("model"),
            tensors -> tensors.keySet().removeIf(name -> name.endsWith("qk_bias")));
    Path file = model.resolve("config.json");
    String text = Files.readString(file);
    assertTrue(text.contains("\"qk_bias\": true"));
    Files.writeString(file, text.replace("\"qk_bias\": true", "\"qk_bias\": false"));
    try (Checkpoint checkpoint = Checkpoint.open(model)) {
      RecurrentModel weights = ModelFamilies.load(model, checkpoint);
      for (Block block : weights.core().blocks()) {
        assertTrue(block.attention().query().bias().isEmpty());
        assertTrue(block.attention().key().bias().isEmpty());
      }
    }
  }

  @Test
  void blocksRefuseVectorsOfAnotherWidth() {
    try (Fixture fixture = new Fixture(TIED)) {
      Block block = fixture.model().coda().blocks().get(0);
      Norm wrong = new Norm(new float[55], 0);
      assertThrows(
          IllegalArgumentException.class,
          () ->
              new Block(
                  block.attention(), BranchNorms.before(wrong), block.mlp(), block.mlpNorms()));
    }
  }
}
