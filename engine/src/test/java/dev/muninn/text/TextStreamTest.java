package dev.muninn.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TextStreamTest {
  private static Tokenizer bytes;
  private static Tokenizer merged;
  private static Tokenizer sparse;

  @BeforeAll
  static void load(@TempDir Path directory) {
    bytes = TokenizerFiles.loadRavenTiny();
    merged = TokenizerFiles.loadMerged();
    sparse = TokenizerFiles.loadSparse(directory);
  }

  @AfterAll
  static void close() {
    bytes.close();
    merged.close();
    sparse.close();
  }

  @Test
  void aCharacterComesWithItsLastByte() {
    assertPieces(bytes, List.of("", "", "", "😀", ""), 0xF0, 0x9F, 0x98, 0x80);
    assertPieces(bytes, List.of("", "", "日", "x", "", "é", ""), 0xE6, 0x97, 0xA5, 'x', 0xC3, 0xA9);
  }

  @Test
  void tokensThatEndWithinACharacter() {
    assertPieces(merged, List.of(" ", "😀", ""), id("ĠðŁ"), id("ĺĢ"));
    assertPieces(merged, List.of("e", "ß", ""), id("eÃ"), id("Ł"));
    assertPieces(merged, List.of("", "한!", ""), id("í"), id("ķľ!"));
    assertPieces(merged, List.of(" ", "\uFFFD", "한!", ""), id("ĠðŁ"), id("í"), id("ķľ!"));
  }

  @Test
  void tokensOfSeveralCharacters() {
    assertPieces(merged, List.of("éà", " the", "日本", ""), id("Ã©Ãł"), id("Ġthe"), id("æĹ¥æľ¬"));
  }

  @Test
  void invalidBytesAreReplacedOnceThatIsCertain() {
    assertPieces(bytes, List.of("\uFFFD", "a", ""), 0xFF, 'a');
    assertPieces(bytes, List.of("\uFFFD", "\uFFFD", ""), 0x80, 0xC0);
    assertPieces(bytes, List.of("", "", "\uFFFDa", ""), 0xF0, 0x9F, 'a');
    assertPieces(bytes, List.of("", "\uFFFD\uFFFD", ""), 0xE0, 0x80);
    assertPieces(bytes, List.of("", "", "\uFFFD"), 0xE6, 0x97);
    assertPieces(bytes, List.of("", "\uFFFD", "\uFFFD"), 0xC3, 0xC3);
  }

  @Test
  void aReplacementCharacterOfTheModelsOwnIsKept() {
    assertPieces(bytes, List.of("", "", "\uFFFD", ""), 0xEF, 0xBF, 0xBD);
  }

  @Test
  void specialTokensAreSkippedWithinACharacter() {
    assertPieces(bytes, List.of("", "", "", "é", "", ""), 256, 0xC3, 260, 0xA9, 257);
    assertPieces(sparse, List.of("", "", "", "é", "", ""), 65_504, 0xC3, 65_508, 0xA9, 65_535);
  }

  @Test
  void refusesTokensOutsideOfTheVocabulary() {
    TextStream stream = bytes.stream();
    assertThrows(IllegalArgumentException.class, () -> stream.push(-1));
    assertThrows(IllegalArgumentException.class, () -> stream.push(272));
  }

  @Test
  void startsAfreshAfterFlush() {
    TextStream stream = bytes.stream();
    stream.push(0xC3);
    assertEquals("\uFFFD", stream.flush());
    assertEquals("", stream.flush());
    assertEquals("\uFFFD", stream.push(0xA9));
  }

  @Test
  void allBytePairsAndTriplesAtTheEdges() {
    int[] edges = {
      0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC1, 0xC2, 0xDF, 0xE0, 0xED, 0xEE, 0xEF,
      0xF0, 0xF4, 0xF5
    };
    for (int a : edges) {
      for (int b : edges) {
        for (int c : edges) {
          assertStream(bytes, a, b, c);
          assertStream(bytes, a, b, c, 0x80, 0xBF);
        }
      }
    }
  }

  @Test
  void randomTextsComeBack() {
    Random random = new Random(3);
    for (Tokenizer tokenizer : List.of(bytes, merged, sparse)) {
      for (int round = 0; round < 500; round++) {
        String text = TokenizerFiles.randomText(random, random.nextInt(40));
        int[] tokens = tokenizer.encodePlain(text);
        assertEquals(text, String.join("", pieces(tokenizer, tokens)));
        assertStream(tokenizer, tokens);
      }
    }
  }

  @Test
  void randomTokensAreDecodedAsAWhole() {
    Random random = new Random(4);
    for (Tokenizer tokenizer : List.of(bytes, merged)) {
      for (int round = 0; round < 2000; round++) {
        int[] tokens = new int[random.nextInt(20)];
        Arrays.setAll(tokens, i -> random.nextInt(tokenizer.size()));
        assertStream(tokenizer, tokens);
      }
    }
  }

  /**
   * Whatever came so far is the text of the tokens so far, except for a character begun: at most
   * one U+FFFD that the flush would give.
   */
  private static void assertStream(Tokenizer tokenizer, int... tokens) {
    TextStream stream = tokenizer.stream();
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < tokens.length; i++) {
      text.append(stream.push(tokens[i]));
      String soFar = tokenizer.decode(Arrays.copyOf(tokens, i + 1));
      assertTrue(soFar.contentEquals(text) || soFar.equals(text + "\uFFFD"), soFar);
    }
    text.append(stream.flush());
    assertEquals(tokenizer.decode(tokens), text.toString());
    if (tokenizer == bytes) {
      assertEquals(asUtf8(tokens), text.toString());
    }
  }

  /** Java's own decoder, which differs in one point: it takes an encoded surrogate as one error. */
  private static String asUtf8(int[] tokens) {
    byte[] utf8 = new byte[tokens.length];
    int length = 0;
    for (int token : tokens) {
      if (token < 256) {
        utf8[length++] = (byte) token;
      }
    }
    StringBuilder text = new StringBuilder();
    int begin = 0;
    for (int i = 0; i + 1 < length; i++) {
      if (utf8[i] == (byte) 0xED && (utf8[i + 1] & 0xE0) == 0xA0) {
        text.append(new String(utf8, begin, i + 1 - begin, StandardCharsets.UTF_8));
        begin = i + 1;
      }
    }
    return text.append(new String(utf8, begin, length - begin, StandardCharsets.UTF_8)).toString();
  }

  private static int id(String name) {
    return merged.id(name).orElseThrow();
  }

  private static List<String> pieces(Tokenizer tokenizer, int... tokens) {
    TextStream stream = tokenizer.stream();
    List<String> pieces = new ArrayList<>();
    for (int token : tokens) {
      pieces.add(stream.push(token));
    }
    pieces.add(stream.flush());
    return pieces;
  }

  private static void assertPieces(Tokenizer tokenizer, List<String> expected, int... tokens) {
    assertEquals(expected, pieces(tokenizer, tokens));
  }
}
