package dev.muninn.decode;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.backend.LatentRows;
import dev.muninn.backend.RowBatch;
import dev.muninn.cache.KeyValueLayout;
import dev.muninn.cache.SequenceCache;
import dev.muninn.cache.SlotPolicy;
import java.util.Arrays;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A sequence that forgets its end goes on as if that had never been. */
class TruncationTest {
  private static final int RECURRENCE = 6;
  private static final int CAPACITY = 24;
  private static DecodingModel model;

  @BeforeAll
  static void open() {
    model = new DecodingModel(DecodingModel.F32);
  }

  @AfterAll
  static void close() {
    model.close();
  }

  /** Computes tokens as rows of one batch at a number of recurrences; logits of each. */
  private static float[][] append(
      SequenceCache cache, LatentRows rows, int from, int recurrences, int... tokens) {
    InitialStates states = new InitialStates(InitialState.random(5), model.config.core().start());
    float[] state = new float[model.config.width()];
    RowBatch batch = new RowBatch(tokens.length);
    for (int i = 0; i < tokens.length; i++) {
      batch.add(i, cache, from + i, tokens[i]);
      batch.setLogits(i, true);
    }
    rows.prelude(batch);
    for (int i = 0; i < tokens.length; i++) {
      states.fill(from + i, state);
      rows.writeLatent(i, state);
    }
    for (int recurrence = 0; recurrence < recurrences; recurrence++) {
      for (int i = 0; i < tokens.length; i++) {
        batch.setRecurrence(i, recurrence);
      }
      rows.recur(batch);
    }
    rows.coda(batch);
    float[][] logits = new float[tokens.length][model.config.vocabularySize()];
    for (int i = 0; i < tokens.length; i++) {
      rows.readLogits(i, logits[i]);
    }
    return logits;
  }

  /**
   * What was forgotten was deeper than what takes its place: nothing of it may be read. Under every
   * policy, and at every length that is kept.
   */
  @ParameterizedTest
  @ValueSource(strings = {"full", "budget:1", "budget:2", "anchor:2"})
  void goesOnAsIfNothingHadBeen(String policy) {
    KeyValueLayout layout =
        new KeyValueLayout(model.config, SlotPolicy.parse(policy), RECURRENCE, CAPACITY);
    int[] prompt = {39, 0, 86, 10, 126};
    int[] other = {8, 40, 37, 10, 125, 77, 3, 5};
    int[] shallow = {91, 17};
    int[] rest = {4, 120, 66};
    for (int kept = 0; kept <= prompt.length; kept++) {
      int[] beginning = Arrays.copyOf(prompt, kept);
      float[][][] logits = new float[2][][];
      for (int run = 0; run < 2; run++) {
        try (SequenceCache cache = new SequenceCache(layout, model.plain.allocate(layout));
            LatentRows rows = model.plain.rows(CAPACITY)) {
          if (run == 0) {
            append(cache, rows, 0, RECURRENCE, prompt);
            append(cache, rows, prompt.length, RECURRENCE, other);
            cache.truncate(kept);
            for (int position = 0; position < CAPACITY; position++) {
              assertEquals(position < kept ? RECURRENCE : 0, cache.depth(position));
            }
          } else if (kept > 0) {
            append(cache, rows, 0, RECURRENCE, beginning);
          }
          append(cache, rows, kept, 2, shallow);
          logits[run] = append(cache, rows, kept + 2, RECURRENCE, rest);
        }
      }
      for (int i = 0; i < rest.length; i++) {
        assertArrayEquals(logits[1][i], logits[0][i], "token " + i + " behind " + kept);
      }
    }
  }

  private static SequenceForward forward() {
    return new SequenceForward(
        model.plain,
        new KeyValueLayout(model.config, SlotPolicy.full(), RECURRENCE, CAPACITY),
        RECURRENCE,
        CAPACITY,
        InitialState.random(5),
        () -> false);
  }

  /**
   * Drafts that are verified are the tokens appended, to the last bit; of them any number stays,
   * and what follows does not know of the others.
   */
  @Test
  void keptDraftsAreAppendedTokens() {
    int[] prompt = {39, 0, 86};
    int[] drafts = {10, 126, 8, 40};
    for (int draftRecurrence = 1; draftRecurrence < RECURRENCE; draftRecurrence++) {
      for (int kept = 1; kept <= drafts.length; kept++) {
        try (SequenceForward drafting = forward();
            SequenceForward plain = forward()) {
          assertTrue(drafting.append(prompt));
          assertTrue(plain.append(prompt));
          for (int index = 0; index < drafts.length; index++) {
            assertTrue(drafting.draft(index, drafts[index], draftRecurrence));
            assertEquals(prompt.length, drafting.length());
          }
          assertTrue(drafting.verify(drafts, drafts.length, draftRecurrence));
          for (int index = 0; index < kept; index++) {
            assertTrue(plain.append(drafts[index]));
            assertArrayEquals(plain.logits(), drafting.verifiedLogits(index));
          }
          drafting.keep(kept);
          assertEquals(plain.length(), drafting.length());
          for (int token : new int[] {77, 5}) {
            assertTrue(drafting.append(token));
            assertTrue(plain.append(token));
            assertArrayEquals(plain.logits(), drafting.logits());
          }
          // And a second round of drafts.
          assertTrue(drafting.draft(0, 9, draftRecurrence));
          assertTrue(drafting.verify(new int[] {9}, 1, draftRecurrence));
          assertTrue(plain.append(9));
          assertArrayEquals(plain.logits(), drafting.verifiedLogits(0));
        }
      }
    }
  }

  /** A draft is what so few recurrences would choose behind a sequence at all of them. */
  @Test
  void aDraftReadsItsDepth() {
    int[] prompt = {39, 0, 86};
    KeyValueLayout layout =
        new KeyValueLayout(model.config, SlotPolicy.full(), RECURRENCE, CAPACITY);
    try (SequenceForward drafting = forward();
        SequenceCache cache = new SequenceCache(layout, model.plain.allocate(layout));
        LatentRows rows = model.plain.rows(CAPACITY)) {
      drafting.append(prompt);
      append(cache, rows, 0, RECURRENCE, prompt);
      drafting.draft(0, 10, 2);
      assertArrayEquals(append(cache, rows, 3, 2, 10)[0], drafting.logits());
      drafting.draft(1, 126, 2);
      assertArrayEquals(append(cache, rows, 4, 2, 126)[0], drafting.logits());
      assertFalse(Arrays.equals(append(cache, rows, 4, 3, 126)[0], drafting.logits()));
    }
  }
}
