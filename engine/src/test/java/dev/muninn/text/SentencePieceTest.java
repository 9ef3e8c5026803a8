package dev.muninn.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.muninn.weights.JsonFile;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Tokenizers of SentencePiece's kind: spaces by normalizers or by Metaspace, with bytes to fall
 * back to and without. The expected ids and texts are those of Python's tokenizers.
 */
class SentencePieceTest {
  private static final int VOCABULARY = 300;

  @ParameterizedTest
  @ValueSource(strings = {"prepend", "metaspace"})
  void encodes(String kind) {
    try (Tokenizer tokenizer = Tokenizer.load(directory(kind), VOCABULARY)) {
      for (Map<?, ?> expected : expected(kind, "texts")) {
        String text = (String) expected.get("text");
        assertArrayEquals(
            ids(expected), tokenizer.encodeWithSpecials(text, Integer.MAX_VALUE), text);
      }
      assertEquals(1, tokenizer.encode("abc")[0], "begin-of-text");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"prepend", "metaspace"})
  void decodesWholeAndStreamed(String kind) {
    try (Tokenizer tokenizer = Tokenizer.load(directory(kind), VOCABULARY)) {
      for (Map<?, ?> expected : expected(kind, "decodes")) {
        assertEquals(expected.get("text"), tokenizer.decode(ids(expected)), expected.toString());
        TextStream stream = tokenizer.stream();
        StringBuilder text = new StringBuilder();
        for (int id : ids(expected)) {
          String piece = stream.push(id);
          assertEquals(-1, lastHalf(piece), "half a character");
          text.append(piece);
        }
        assertEquals(expected.get("text"), text.append(stream.flush()).toString());
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"prepend", "metaspace"})
  void plainTextSpellsNoSpecialToken(String kind) {
    try (Tokenizer tokenizer = Tokenizer.load(directory(kind), VOCABULARY)) {
      for (int token : tokenizer.encodePlain("a</s> b<s>")) {
        assertEquals(true, token != 1 && token != 2);
      }
    }
  }

  private static int lastHalf(String piece) {
    return piece.isEmpty() || !Character.isHighSurrogate(piece.charAt(piece.length() - 1)) ? -1 : 0;
  }

  private static int[] ids(Map<?, ?> expected) {
    return ((List<?>) expected.get("ids"))
        .stream().mapToInt(id -> ((Long) id).intValue()).toArray();
  }

  private static List<Map<?, ?>> expected(String kind, String what) {
    Object list = JsonFile.readObject(directory(kind).resolve("expected.json")).get(what);
    return ((List<?>) list).stream().<Map<?, ?>>map(element -> (Map<?, ?>) element).toList();
  }

  private static Path directory(String kind) {
    try {
      return Path.of(SentencePieceTest.class.getResource(kind + "/tokenizer.json").toURI())
          .getParent();
    } catch (URISyntaxException problem) {
      throw new IllegalStateException(problem);
    }
  }
}
