package dev.muninn.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import dev.muninn.weights.CheckpointException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class TokenizerTest {
  private static final int BEGIN = 256;
  private static final int END_TURN = 260;

  @TempDir Path directory;

  @Test
  void libraryStaysOffline() {
    loadAndClose(TokenizerFiles.ravenTiny(), TokenizerFiles.RAVEN_TINY_VOCABULARY);
    assertEquals("true", System.getProperty("ai.djl.offline"));
  }

  @Test
  void encodesBehindOneBeginText() {
    try (Tokenizer tokenizer = TokenizerFiles.loadRavenTiny()) {
      assertArrayEquals(new int[] {BEGIN, '4', '7', '='}, tokenizer.encode("47="));
      assertArrayEquals(new int[] {BEGIN}, tokenizer.encode(""));
      assertArrayEquals(new int[] {BEGIN, 'a'}, tokenizer.encode("<|begin_text|>a"));
      assertArrayEquals(
          new int[] {BEGIN, 'a', BEGIN},
          tokenizer.encode("<|begin_text|><|begin_text|>a<|begin_text|>"));
      assertArrayEquals(new int[] {BEGIN, 'a', END_TURN}, tokenizer.encode("a<|end_turn|>"));
    }
  }

  @Test
  void leavesOutTheEndTextThatTheTokenizerWouldAdd() {
    try (Tokenizer tokenizer = TokenizerFiles.loadMerged()) {
      int begin = tokenizer.id(SpecialTokens.BEGIN_TEXT).getAsInt();
      int end = tokenizer.id(SpecialTokens.END_TEXT).getAsInt();
      int the = tokenizer.id("Ġthe").getAsInt();
      assertArrayEquals(new int[] {begin, the, the}, tokenizer.encode(" the the"));
      assertArrayEquals(new int[] {begin, the, end}, tokenizer.encode(" the<|end_text|>"));
      assertArrayEquals(new int[] {begin}, tokenizer.encode(""));
    }
  }

  @Test
  void mergesJoinCharacters() {
    try (Tokenizer tokenizer = TokenizerFiles.loadMerged()) {
      assertArrayEquals(new int[] {tokenizer.id("Ã©Ãł").getAsInt()}, tokenizer.encodePlain("éà"));
      assertArrayEquals(
          new int[] {tokenizer.id("ĠðŁ").getAsInt(), tokenizer.id("ĺĢ").getAsInt()},
          tokenizer.encodePlain(" 😀"));
      assertEquals(1, tokenizer.encodePlain("日本").length);
    }
  }

  @Test
  void longTextsAreNotCut() {
    try (Tokenizer tokenizer = TokenizerFiles.loadRavenTiny()) {
      assertEquals(10_001, tokenizer.encode("a".repeat(10_000)).length);
      assertEquals(10_000, tokenizer.encodePlain("a".repeat(10_000)).length);
    }
  }

  @Test
  void halfSurrogatePairsCountAsReplacementCharacters() {
    try (Tokenizer tokenizer = TokenizerFiles.loadRavenTiny()) {
      assertPlainRoundTrip(tokenizer, "\uD83Dx😀\uDE00\uD83D", "\uFFFDx😀\uFFFD\uFFFD");
      assertPlainRoundTrip(tokenizer, "nul \0 é 😀", "nul \0 é 😀");
      assertArrayEquals(tokenizer.encode("\uFFFD😀"), tokenizer.encode("\uD83D😀"));
    }
  }

  @Test
  void plainTextCannotSpellSpecialTokens() {
    for (Tokenizer tokenizer : tokenizers()) {
      try (tokenizer) {
        for (String name : SpecialTokens.FAMILY) {
          assertPlain(tokenizer, name);
          assertPlain(tokenizer, "<|" + name + name + "|> <" + name);
          assertPlain(tokenizer, name.substring(0, 4) + name + name.substring(4));
        }
        Random random = new Random(1);
        for (int i = 0; i < 300; i++) {
          assertPlain(tokenizer, TokenizerFiles.randomText(random, 30));
        }
      }
    }
  }

  @Test
  void plainTextWithoutSpecialNamesIsEncodedAsEver() {
    try (Tokenizer tokenizer = TokenizerFiles.loadMerged()) {
      int[] plain = tokenizer.encodePlain("Huginn the raven");
      int[] framed = tokenizer.encode("Huginn the raven");
      assertArrayEquals(Arrays.copyOfRange(framed, 1, framed.length), plain);
    }
  }

  @Test
  void addedTokensThatAreNotSpecialAreText() {
    try (Tokenizer tokenizer = TokenizerFiles.loadMerged()) {
      String name = "<reply to=\"né\">";
      int id = tokenizer.id(name).getAsInt();
      assertArrayEquals(new int[] {'a', id}, tokenizer.encodePlain("a" + name));
      assertEquals("a" + name, tokenizer.decode(new int[] {'a', id}));
    }
  }

  @Test
  void specialTokensOutsideOfTheFamilyCannotBeSpelledEither() {
    builder().special("<s>", 256).special("→", 257).write(directory);
    try (Tokenizer tokenizer = Tokenizer.load(directory, 258)) {
      assertArrayEquals(new int[] {'a', '<', 's', '>'}, tokenizer.encodePlain("a<s>"));
      assertArrayEquals(
          new int[] {'a', 0xE2, 0x86, 0x92, '<', 's', '>', 'b'}, tokenizer.encodePlain("a→<s>b"));
    }
  }

  @Test
  void aNormalizedSpellingMakesNoSpecialTokenEither() {
    builder().normalizer("NFKC").special(SpecialTokens.END_TURN, 256).write(directory);
    try (Tokenizer tokenizer = Tokenizer.load(directory, 257)) {
      String wide = "\uFF1C|end_turn|\uFF1E";
      assertArrayEquals(new int[] {256}, tokenizer.encode(wide), "else this tests nothing");
      assertEquals("<|end_turn|>", tokenizer.decode(tokenizer.encodePlain(wide)));
    }
  }

  @Test
  void familyNamesAreSpecialWithoutBeingMarked() {
    builder().added(SpecialTokens.END_TURN, 256, false).write(directory);
    try (Tokenizer tokenizer = Tokenizer.load(directory, 257)) {
      assertEquals("", tokenizer.decode(new int[] {256}));
      assertPlain(tokenizer, "a<|end_turn|>b");
    }
  }

  @Test
  void idsOfAddedTokensMayLeaveAGap() {
    try (Tokenizer tokenizer = TokenizerFiles.loadSparse(directory)) {
      assertEquals(OptionalInt.of(65_504), tokenizer.id(SpecialTokens.BEGIN_TEXT));
      assertEquals(OptionalInt.of(65_509), tokenizer.id(SpecialTokens.PAD));
      assertEquals(65_510, tokenizer.size());
      assertArrayEquals(
          new int[] {65_504, 'a', 65_508, 65_506, 'b'},
          tokenizer.encode("<|begin_text|>a<|end_turn|><|begin_header|>b"));
      assertEquals("ab", tokenizer.decode(new int[] {65_504, 'a', 300, 65_508, 'b', 65_535}));
    }
  }

  @Test
  void gapsThatTheLibraryWouldFillWithOthersDoNoHarm() {
    // 256 bytes and one token: the library would give the added token the id 257, which "ab" has.
    builder().token("ab", 257).merges("\"a b\"").special("<|end_turn|>", 300).write(directory);
    try (Tokenizer tokenizer = Tokenizer.load(directory, 512)) {
      assertArrayEquals(new int[] {257, 300}, tokenizer.encode("ab<|end_turn|>"));
    }
  }

  @Test
  void decodesAsTheLibraryDoes() throws IOException {
    for (Path model : List.of(TokenizerFiles.ravenTiny(), TokenizerFiles.merged())) {
      try (Tokenizer tokenizer = Tokenizer.load(model, TokenizerFiles.MERGED_VOCABULARY);
          HuggingFaceTokenizer library =
              HuggingFaceTokenizer.newInstance(model, Map.of("truncation", "false"))) {
        Random random = new Random(2);
        for (int round = 0; round < 2000; round++) {
          int[] tokens = randomTokens(random, tokenizer.size());
          long[] ids = Arrays.stream(tokens).asLongStream().toArray();
          assertEquals(library.decode(ids, true), tokenizer.decode(tokens));
        }
      }
    }
  }

  @Test
  void decodesNothingForRowsWithoutAToken() {
    try (Tokenizer tokenizer = TokenizerFiles.loadRavenTiny()) {
      assertEquals("ab", tokenizer.decode(new int[] {'a', 262, 271, 'b'}));
      assertEquals("", tokenizer.decode(new int[0]));
      for (int token : new int[] {-1, 272, Integer.MAX_VALUE}) {
        assertThrows(IllegalArgumentException.class, () -> tokenizer.decode(new int[] {token}));
      }
    }
  }

  @Test
  void knowsItsTokens() {
    try (Tokenizer tokenizer = TokenizerFiles.loadRavenTiny()) {
      assertEquals(262, tokenizer.size());
      assertEquals(OptionalInt.of(END_TURN), tokenizer.id("<|end_turn|>"));
      assertEquals(OptionalInt.of('a'), tokenizer.id("a"));
      assertEquals(OptionalInt.empty(), tokenizer.id("<|unknown|>"));
    }
    assertTrue(Tokenizer.exists(TokenizerFiles.ravenTiny()));
    assertFalse(Tokenizer.exists(directory));
  }

  @Test
  void closes() {
    Tokenizer tokenizer = TokenizerFiles.loadRavenTiny();
    tokenizer.close();
    tokenizer.close();
    assertThrows(IllegalStateException.class, () -> tokenizer.encode("a"));
    assertThrows(IllegalStateException.class, () -> tokenizer.encodePlain("a"));
    assertEquals("a", tokenizer.decode(new int[] {'a'}));
  }

  @Test
  void threadsShareIt() throws Exception {
    try (Tokenizer tokenizer = TokenizerFiles.loadMerged();
        ExecutorService threads = Executors.newFixedThreadPool(4)) {
      List<Future<Boolean>> results = new ArrayList<>();
      for (int thread = 0; thread < 4; thread++) {
        Random random = new Random(thread);
        results.add(
            threads.submit(() -> {
              boolean right = true;
              for (int i = 0; i < 200; i++) {
                String text = TokenizerFiles.randomText(random, 20);
                right &= text.equals(tokenizer.decode(tokenizer.encodePlain(text)));
              }
              return right;
            }));
      }
      for (Future<Boolean> result : results) {
        assertTrue(result.get());
      }
    }
  }

  @Test
  void doesNotFitTheVocabulary() {
    CheckpointException refusal =
        assertThrows(
            CheckpointException.class, () -> Tokenizer.load(TokenizerFiles.ravenTiny(), 261));
    assertTrue(
        refusal
            .getMessage()
            .endsWith(
                "tokenizer.json: token \"<|pad|>\" has the id 261, but the model's vocabulary ends"
                    + " at 260"),
        refusal.getMessage());
    loadAndClose(TokenizerFiles.ravenTiny(), 262);
    assertThrows(
        IllegalArgumentException.class, () -> Tokenizer.load(TokenizerFiles.ravenTiny(), 0));
  }

  static Stream<Arguments> broken() {
    return Stream.of(
        Arguments.of("", "tokenizer.json"),
        Arguments.of("{", "tokenizer.json"),
        Arguments.of("[]", "tokenizer.json"),
        Arguments.of("{}", "no model with vocab and merges"),
        Arguments.of("{\"model\": {\"vocab\": {}}}", "no model with vocab and merges"),
        Arguments.of("{\"model\": {\"vocab\": [], \"merges\": []}}", "no model with vocab"),
        Arguments.of("{\"model\": {\"vocab\": {}, \"merges\": []}}", "no decoder"));
  }

  @ParameterizedTest
  @MethodSource
  void broken(String json, String complaint) {
    TokenizerFiles.write(directory.resolve("tokenizer.json"), json);
    assertRefused(512, complaint);
  }

  static Stream<Arguments> contradictory() {
    return Stream.of(
        Arguments.of(
            builder().token("ab", "\"7\""),
            "token \"ab\" has the id \"7\", expected an integer of at least 0"),
        Arguments.of(builder().token("ab", -1), "token \"ab\" has the id -1"),
        Arguments.of(builder().token("ab", 256.5), "token \"ab\" has the id 256.5"),
        Arguments.of(builder().token("ab", "null"), "token \"ab\" has the id null"),
        Arguments.of(builder().token("ab", "99999999999999999999"), "token \"ab\" has the id 9999"),
        Arguments.of(builder().token("ab", 97), "tokens \"a\" and \"ab\" have the same id 97"),
        Arguments.of(builder().token("ab", 512), "token \"ab\" has the id 512"),
        Arguments.of(builder().special("a", 300), "token \"a\" has the ids 97 and 300"),
        Arguments.of(builder().special("<s>", 97), "tokens \"a\" and \"<s>\" have the same id 97"),
        Arguments.of(builder().special("<s>", 512), "token \"<s>\" has the id 512"),
        Arguments.of(builder().special("", 256), "an entry of added_tokens has no content"),
        Arguments.of(builder().special("line\nbreak", 512), "break\" has the id 512"),
        Arguments.of(
            builder().decoder("{\"type\": \"WordPiece\"}"), "decoder: the type \"WordPiece\""),
        Arguments.of(builder().decoder("null"), "no decoder, expected"),
        Arguments.of(builder().merges("\"x qq\""), "merges[0] needs the token \"qq\""));
  }

  @ParameterizedTest
  @MethodSource
  void contradictory(TokenizerFiles.Builder builder, String complaint) {
    builder.write(directory);
    assertRefused(512, complaint);
  }

  @Test
  void decoderInASequenceOfOne() {
    builder()
        .decoder(
            "{\"type\": \"Sequence\", \"decoders\": [" + TokenizerFiles.Builder.BYTE_LEVEL + "]}")
        .write(directory);
    try (Tokenizer tokenizer = Tokenizer.load(directory, 256)) {
      assertPlainRoundTrip(tokenizer, "é", "é");
    }
  }

  @Test
  void missingFile() {
    assertRefused(512, "tokenizer.json");
  }

  private static TokenizerFiles.Builder builder() {
    return new TokenizerFiles.Builder();
  }

  private List<Tokenizer> tokenizers() {
    return List.of(
        TokenizerFiles.loadRavenTiny(),
        TokenizerFiles.loadMerged(),
        TokenizerFiles.loadSparse(directory));
  }

  private static int[] randomTokens(Random random, int size) {
    int[] tokens = new int[random.nextInt(12)];
    for (int i = 0; i < tokens.length; i++) {
      // Mostly bytes that begin or continue characters, so that many come together.
      tokens[i] = random.nextInt(3) == 0 ? random.nextInt(size) : 0x80 + random.nextInt(0x80);
    }
    return tokens;
  }

  private static void assertPlain(Tokenizer tokenizer, String text) {
    int[] tokens = tokenizer.encodePlain(text);
    for (String name : SpecialTokens.FAMILY) {
      int special = tokenizer.id(name).orElse(-1);
      assertTrue(Arrays.stream(tokens).noneMatch(token -> token == special), text);
    }
    assertEquals(text, tokenizer.decode(tokens));
  }

  private static void assertPlainRoundTrip(Tokenizer tokenizer, String text, String expected) {
    int[] tokens = tokenizer.encodePlain(text);
    assertEquals(expected, tokenizer.decode(tokens));
    int[] bytes = new int[tokens.length];
    byte[] utf8 = expected.getBytes(StandardCharsets.UTF_8);
    Arrays.setAll(bytes, i -> utf8[i] & 0xFF);
    assertArrayEquals(bytes, tokens);
  }

  private void assertRefused(int vocabularySize, String complaint) {
    CheckpointException refusal =
        assertThrows(CheckpointException.class, () -> loadAndClose(directory, vocabularySize));
    String message = refusal.getMessage();
    assertTrue(message.startsWith(directory.toString()), message);
    assertTrue(message.contains(complaint), message);
    assertEquals(1, message.lines().count(), message);
  }

  private static void loadAndClose(Path directory, int vocabularySize) {
    Tokenizer.load(directory, vocabularySize).close();
  }
}
