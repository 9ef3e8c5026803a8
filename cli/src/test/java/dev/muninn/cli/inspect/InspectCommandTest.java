package dev.muninn.cli.inspect;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.cli.CommandRun;
import dev.muninn.cli.process.ExitCode;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class InspectCommandTest {

  private static Map<?, ?> object(Object value) {
    return assertInstanceOf(Map.class, value);
  }

  private static List<?> array(Object value) {
    return assertInstanceOf(List.class, value);
  }

  @Test
  void jsonTellsWhatTheModelIs() throws IOException {
    Map<String, Object> json =
        CommandRun.of("inspect", "--json", CommandRun.RAVEN_TINY.toString()).json();
    Map<?, ?> architecture = object(json.get("architecture"));
    assertEquals(128L, architecture.get("embedding_size"));
    assertEquals(8L, architecture.get("mean_recurrence"));
    assertEquals(true, architecture.get("tied_embeddings"));
    assertEquals(873_600L, json.get("parameters"));
    assertEquals(1_751_288L, json.get("mapped_bytes"));
    assertEquals(List.of("model.safetensors"), json.get("files"));
    assertEquals(
        Map.of("tensors", 39L, "elements", 873_600L, "bytes", 1_747_200L),
        object(json.get("dtypes")).get("BF16"));
    List<?> tensors = array(json.get("tensors"));
    assertEquals(39, tensors.size());
    assertTrue(
        tensors.contains(
            Map.of(
                "name", "transformer.wte.weight",
                "dtype", "BF16",
                "shape", List.of(272L, 128L),
                "bytes", 69_632L,
                "file", "model.safetensors")));
  }

  @Test
  void jsonTellsDepthAndMemory() throws IOException {
    // The mean of this model, 4, is among the usual recurrences.
    Map<String, Object> json =
        CommandRun.of("inspect", "--json", CommandRun.UNTIED.toString()).json();
    List<?> depths = array(json.get("depths"));
    assertEquals(
        List.of(1L, 4L, 8L, 16L, 32L, 64L),
        depths.stream().map(depth -> object(depth).get("recurrence")).toList());
    assertEquals(
        List.of(4L, 10L, 18L, 34L, 66L, 130L),
        depths.stream().map(depth -> object(depth).get("effective_depth")).toList());
    // Keys and values of 48 floats in each of 10 blocks.
    assertEquals(
        List.of(4L, 8L, 16L, 32L, 64L).stream()
            .map(context -> Map.of("context", context, "bytes", context * 2 * 48 * 4 * 10))
            .toList(),
        object(depths.get(1)).get("key_value_bytes"));
  }

  @Test
  void textMarksTheMeanRecurrence() {
    CommandRun run = CommandRun.of("inspect", CommandRun.UNTIED.toString());
    assertEquals("", run.err());
    assertEquals(ExitCode.OK, run.exitCode());
    assertEquals(
        List.of("4"),
        run.out()
            .lines()
            .filter(line -> line.endsWith("mean of training"))
            .map(line -> line.strip().split(" ")[0])
            .toList());
  }
}
