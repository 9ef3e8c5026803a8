package dev.muninn.prepare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.Fixture;
import dev.muninn.ModelFiles;
import dev.muninn.family.ModelFamilies;
import dev.muninn.weights.Checkpoint;
import dev.muninn.weights.CheckpointException;
import dev.muninn.weights.DType;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is wrong with a prepared checkpoint is said in one line. */
class PreparedRefusalTest {
  private static final String FIXTURE = "raven-1-2-1-untied";
  private static final String ADAPTER = "transformer.adapter.weight";

  @TempDir private Path temporary;
  private Path prepared;

  @BeforeEach
  void prepare() throws IOException {
    prepared =
        ExpandedModel.prepare(Fixture.directory(FIXTURE), temporary.resolve("q4"), Recipe.of("q4"));
  }

  private void assertRefused(Path directory, String part) {
    CheckpointException refusal = assertThrows(CheckpointException.class, () -> load(directory));
    assertTrue(refusal.getMessage().contains(part), refusal.getMessage());
    assertEquals(1, refusal.getMessage().lines().count());
  }

  private static void load(Path directory) {
    try (Checkpoint checkpoint = Checkpoint.open(directory)) {
      ModelFamilies.load(directory, checkpoint);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          "quant_method" : "muninn"|"quant_method" : "gptq"|quantization_config.quant_method is "gptq", expected "muninn"
          "version" : 1|"version" : 2|quantization_config.version is 2, expected 1
          "block_inputs" : 32|"block_inputs" : 31|quantization_config.block_inputs is 31, expected 32
          "panel_rows" : 32|"panel_rows" : 16|quantization_config.panel_rows is 16, expected 32
          "format" : "q4"|"format" : "q3"|format is "q3", expected bf16, q8 or q4
          "format" : "q4"|"format" : "q8"|is U8 of shape
          "format" : "q4"|"format" : "bf16"|expected BF16 of shape
          "rows" : [ 48, 48, 48 ]|"rows" : [ 48, 96 ]|has rows [48, 96]
          "rows" : [ 48, 48, 48 ]|"rows" : [ 48, 48, 0 ]|rows is [48, 48, 0], expected a list of sizes
          "inputs" : [ 48, 48 ]|"inputs" : [ 96 ]|transformer.adapter.weight
          "transformer.adapter.weight"|"transformer.adaptor.weight"|adaptor.weight is no matrix of the model
          """)
  void aConfigurationThatIsWrong(String before, String after, String part) throws IOException {
    Path config = prepared.resolve("config.json");
    String text = Files.readString(config);
    assertTrue(text.contains(before), text);
    Files.writeString(config, text.replace(before, after));
    assertRefused(prepared, part);
  }

  private Path changed(Consumer<Map<String, ModelFiles.Content>> change) {
    return ModelFiles.copy(prepared, temporary.resolve("changed"), change);
  }

  @ParameterizedTest
  @ValueSource(ints = {0x7FC0, 0x7F80, 0xFF80, 0xFFFF})
  void aScaleThatIsNotFinite(int bits) {
    assertRefused(
        changed(tensors -> {
          ModelFiles.Content content = tensors.get(ADAPTER);
          MemorySegment data = Arena.ofAuto().allocate(content.data().byteSize());
          data.copyFrom(content.data());
          // The last scale of the third block of the second panel.
          data.set(ValueLayout.JAVA_SHORT_UNALIGNED, (4 + 3) * 576 - 2, (short) bits);
          tensors.put(ADAPTER, new ModelFiles.Content(content.dtype(), content.shape(), data));
        }),
        ADAPTER + " has a scale that is not finite in panel 1, block 2");
  }

  @Test
  void aPanelWithoutPadding() {
    assertRefused(
        changed(tensors -> tensors.put(ADAPTER, ModelFiles.zeros(DType.U8, 1L, 4L, 576L))),
        ADAPTER + " is U8 of shape [1, 4, 576], expected U8 of shape [2, 4, 576] for q4 in panels");
  }

  @Test
  void aTensorAsItWas() throws IOException {
    try (Checkpoint original = Checkpoint.open(Fixture.directory(FIXTURE))) {
      MemorySegment data = original.tensor(ADAPTER).data();
      assertRefused(
          changed(tensors ->
              tensors.put(ADAPTER, new ModelFiles.Content(DType.F32, List.of(48L, 96L), data))),
          ADAPTER + " is F32 of shape [48, 96]");
    }
  }

  @Test
  void aFileThatIsCutShort() throws IOException {
    Path file = prepared.resolve(Checkpoint.SINGLE_FILE);
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      channel.truncate(Files.size(file) - 100);
    }
    assertRefused(prepared, "truncated");
  }

  @Test
  void whatNoPanelsAreSaidOf() throws IOException {
    Files.copy(
        Fixture.directory(FIXTURE).resolve("config.json"),
        prepared.resolve("config.json"),
        StandardCopyOption.REPLACE_EXISTING);
    assertRefused(prepared, "has shape [");
  }
}
