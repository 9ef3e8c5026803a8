package dev.muninn.prepare;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.Fixture;
import dev.muninn.ModelFiles;
import dev.muninn.backend.Backend;
import dev.muninn.backend.Backends;
import dev.muninn.cache.KeyValueLayout;
import dev.muninn.cache.SlotPolicy;
import dev.muninn.decode.InitialState;
import dev.muninn.decode.SequenceForward;
import dev.muninn.family.ModelFamilies;
import dev.muninn.model.RecurrentModel;
import dev.muninn.weights.Checkpoint;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Logits of prepared checkpoints are those of the same weights, row by row, in F32. */
class PreparedLogitsTest {
  private static final int RECURRENCE = 4;

  /** How far logits may be apart, as a share of their range. */
  private static final float TOLERANCE = 1e-4f;

  @TempDir private Path temporary;

  static Stream<Path> models() {
    return Stream.concat(
        Stream.of(ModelFiles.ravenTiny()),
        Stream.concat(Fixture.NAMES.stream(), Fixture.FAMILIES.stream()).map(Fixture::directory));
  }

  @ParameterizedTest
  @MethodSource("models")
  void agree(Path source) throws IOException {
    for (String name : Recipe.NAMES) {
      // Embeddings too, of which rows are looked up.
      Recipe recipe = Recipe.of(name);
      recipe = recipe.with(Part.EMBEDDING, recipe.format(Part.HEAD));
      Path prepared = ExpandedModel.prepare(source, temporary.resolve(name), recipe);
      Path expanded = ExpandedModel.write(prepared, source, temporary.resolve(name + "-f32"));
      for (int atOnce : new int[] {1, 3, 64}) {
        float[] expected = logits(expanded, atOnce, 2);
        float[] found = logits(prepared, atOnce, 2);
        assertArrayEquals(logits(prepared, atOnce, 1), found, name);
        float range = 0;
        float most = 0;
        for (int i = 0; i < expected.length; i++) {
          range = Math.max(range, Math.abs(expected[i]));
          most = Math.max(most, Math.abs(expected[i] - found[i]));
        }
        float share = most / range;
        assertTrue(
            share <= TOLERANCE, () -> recipeText(name, source) + ", " + atOnce + " rows: " + share);
      }
    }
  }

  private static String recipeText(String recipe, Path source) {
    return recipe + " of " + source.getFileName();
  }

  private static float[] logits(Path directory, int atOnce, int threads) {
    try (Checkpoint checkpoint = Checkpoint.open(directory)) {
      RecurrentModel model = ModelFamilies.load(directory, checkpoint);
      int[] tokens = new int[37];
      for (int i = 0; i < tokens.length; i++) {
        tokens[i] = (i * 29 + 48) % model.vocabularySize();
      }
      float[] all = new float[tokens.length * model.vocabularySize()];
      KeyValueLayout layout =
          new KeyValueLayout(model, SlotPolicy.full(), RECURRENCE, tokens.length);
      try (Backend backend =
              Backends.open(model, checkpoint, threads, Backends.VECTOR, Optional.empty());
          SequenceForward sequence =
              new SequenceForward(
                  backend, layout, RECURRENCE, 64, InitialState.random(1), () -> false)) {
        for (int from = 0; from < tokens.length; from += atOnce) {
          sequence.append(
              Arrays.copyOfRange(tokens, from, Math.min(tokens.length, from + atOnce)),
              0,
              (position, logits) ->
                  System.arraycopy(logits, 0, all, position * logits.length, logits.length));
        }
      }
      return all;
    }
  }
}
