package dev.muninn.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.weights.CheckpointException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Parts over which the tokenizer library would end this process are refused before it sees them.
 */
class TokenizerFileTest {
  private static final String BYTES =
      "{\"type\": \"ByteLevel\", \"add_prefix_space\": false, \"use_regex\": false}";

  private static final String FOUR_TIMES =
      "{\"type\": \"Replace\", \"pattern\": {\"String\": \"4\"}, \"content\": \"4444\"}";

  @TempDir Path directory;

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '`',
      textBlock =
          """
          normalizer; {"type": "Precompiled", "precompiled_charsmap": "AAAA"}; type "Precompiled"
          normalizer; {"type": "BertNormalizer"}; type "BertNormalizer"
          normalizer; {"type": "Prepend", "prepend": ""}; prepend is ""
          normalizer; {"type": "Prepend"}; prepend is missing
          normalizer; {"type": "Replace", "pattern": {"String": ""}, "content": "a"}; replaces ""
          normalizer; {"type": "Replace", "pattern": {"Regex": "(a|a)*$"}, "content": "a"}; regular
          normalizer; {"type": "Replace", "pattern": {"Regex": "a*"}, "content": "a"}; regular
          normalizer; {"type": "Replace", "pattern": {"Regex": "a+"}, "content": ""}; regular
          normalizer; {"type": "Replace", "pattern": "a", "content": "a"}; pattern is "a"
          normalizer; {"type": "Replace", "pattern": {"String": "a"}}; content is missing
          normalizer; {"type": 7}; type is 7
          normalizer; {}; type is missing
          normalizer; "NFC"; is "NFC", expected an object
          normalizer; {"type": "Sequence", "normalizers": {}}; normalizers is an object
          normalizer; {"type": "Strip", "strip_left": "x"}; strip_left is "x"
          pre_tokenizer; {"type": "UnicodeScripts"}; type "UnicodeScripts"
          pre_tokenizer; {"type": "Split", "pattern": {"String": ""}, "behavior": "Isolated"}; splits at ""
          pre_tokenizer; {"type": "Split", "pattern": {"Regex": "(a|a)*$"}, "behavior": "Isolated"}; "(a|a)*$"
          pre_tokenizer; {"type": "Split", "pattern": {"String": "a"}, "behavior": "Odd"}; behavior "Odd"
          pre_tokenizer; {"type": "Metaspace", "replacement": "__"}; replacement is "__"
          pre_tokenizer; {"type": "Metaspace", "replacement": "_", "prepend_scheme": "odd"}; prepend_scheme is "odd"
          post_processor; {"type": "Odd"}; type "Odd"
          post_processor; {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "x"}}], "special_tokens": {}}; no "x"
          post_processor; {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "x"}}], "special_tokens": {"x": {"ids": [999]}}}; the id 999
          decoder; {"type": "CTC"}; type "CTC"
          decoder; {"type": "Sequence", "decoders": []}; an empty Sequence
          decoder; {"type": "Sequence", "decoders": [{"type": "Fuse"}, {"type": "ByteFallback"}]}; comes too late
          decoder; {"type": "Sequence", "decoders": [{"type": "Strip", "content": " ", "start": 1, "stop": 0}]}; after Fuse
          decoder; {"type": "Metaspace", "replacement": "_"}; do not agree about ByteLevel
          """)
  void partsThatAreNotKnownToBeSafe(String part, String json, String complaint) {
    write(part, json);
    assertRefused(part, complaint);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '`',
      textBlock =
          """
          "continuing_subword_prefix": "##"; continuing_subword_prefix "##"
          "end_of_word_suffix": "</w>"; end_of_word_suffix "</w>"
          "dropout": 0.5; dropout 0.5
          "unk_token": "none"; unk_token is "none"
          "type": "Unigram"; type "Unigram"
          "merges": ["a b"]; merges[0] needs the token "ab"
          "merges": ["a  b"]; merges[0] is not a pair
          "merges": [["a", ""]]; merges[0] is not a pair
          "merges": [["a", "b", "c"]]; merges[0] is not a pair
          "merges": [7]; merges[0] is not a pair
          "byte_fallback": "yes"; byte_fallback is "yes"
          """)
  void modelsThatContradictThemselves(String member, String complaint) {
    new TokenizerFiles.Builder().member(member).write(directory);
    assertRefused("model", complaint);
  }

  @Test
  void growthIsBounded() {
    write("normalizer", sequence("normalizers", FOUR_TIMES, 14));
    assertRefused("normalizer", "more than 256 times as long");
    write("normalizer", sequence("normalizers", "{\"type\": \"NFKD\"}", 3));
    assertRefused("normalizer", "more than 256 times as long");
    write("normalizer", sequence("normalizers", FOUR_TIMES, 2));
    try (Tokenizer tokenizer = Tokenizer.load(directory, 512)) {
      assertEquals(16, tokenizer.encode("4").length);
      assertEquals(
          16 * 1000 + 100_000, tokenizer.encode("4".repeat(1000) + "a".repeat(100_000)).length);
      String message =
          assertThrows(IllegalArgumentException.class, () -> tokenizer.encode("4".repeat(100_000)))
              .getMessage();
      assertTrue(message.contains("of a text of 100000"), message);
    }
  }

  @Test
  void sequencesAreBounded() {
    write("pre_tokenizer", sequence("pretokenizers", "{\"type\": \"Digits\"}", 40));
    assertRefused("pre_tokenizer", "more than 32 steps");
    String nested = BYTES;
    for (int depth = 0; depth < 6; depth++) {
      nested = sequence("pretokenizers", nested, 1);
    }
    write("pre_tokenizer", nested);
    assertRefused("pre_tokenizer", "nested deeper than 4");
  }

  @Test
  void namesThatNothingIsLeftOf() {
    String normalizer = "{\"type\": \"StripAccents\"}";
    new TokenizerFiles.Builder()
        .part("normalizer", normalizer)
        .added("\u0301", 300, false)
        .write(directory);
    assertRefused("added_tokens[0]", "white space or a mark");
    new TokenizerFiles.Builder().stripping(" ", 300).write(directory);
    assertRefused("added_tokens[0]", "white space or a mark");
  }

  @Test
  void tooManyAddedTokens() {
    TokenizerFiles.Builder builder = new TokenizerFiles.Builder();
    for (int i = 0; i < 16_385; i++) {
      builder.added("<t" + i + ">", 300 + i, false);
    }
    builder.write(directory);
    assertRefused("", "more than 16384 added_tokens");
  }

  @Test
  void longTextsAreRefusedBeforeTheyAreEncoded() {
    try (Tokenizer tokenizer = TokenizerFiles.loadRavenTiny()) {
      assertTooLong(() -> tokenizer.encode("a".repeat(12_000_000)));
      assertTooLong(() -> tokenizer.encodePlain(" ".repeat(10_000_000)));
      // No token has more bytes than <|begin_header|>.
      assertTooLong(() -> tokenizer.encode("a".repeat(16 * 256 + 1), 256));
      assertTooLong(() -> tokenizer.encodePlain("é".repeat(8 * 256 + 1), 256));
      assertEquals(16 * 256, tokenizer.encodePlain("a".repeat(16 * 256), 256).length);
    }
  }

  /** The library would leave it out. */
  @ParameterizedTest
  @CsvSource({
    "Ã, aéb, U+00E9, ae",
    "Â, '\u00a0x', U+00A0, é",
    "Ċ, 'a\nb', U+000A, 'a b'",
    "a, a, U+0061, 4",
  })
  void aByteWithoutATokenIsNotLeftOut(String letter, String text, String named, String other) {
    new TokenizerFiles.Builder().without(letter).write(directory);
    try (Tokenizer tokenizer = Tokenizer.load(directory, 512)) {
      assertEquals(other, tokenizer.decode(tokenizer.encode(other)));
      for (Executable encoding :
          List.<Executable>of(() -> tokenizer.encode(text), () -> tokenizer.encodePlain(text))) {
        String message = assertThrows(IllegalArgumentException.class, encoding).getMessage();
        assertTrue(message.startsWith(directory.resolve("tokenizer.json").toString()), message);
        assertTrue(message.contains("no token for") && message.contains(named), message);
      }
    }
  }

  @Test
  void anUnknownTokenStandsForWhatHasNone() {
    new TokenizerFiles.Builder()
        .without("a")
        .special("?!", 300)
        .token("?!", 300)
        .member("\"unk_token\": \"?!\"")
        .write(directory);
    try (Tokenizer tokenizer = Tokenizer.load(directory, 512)) {
      assertArrayEquals(new int[] {'x', 300, 'y'}, tokenizer.encode("xay"));
    }
  }

  @Test
  void sentencePieceAloneIsToldWhatToDo() {
    TokenizerFiles.write(directory.resolve("tokenizer.model"), "x");
    String message =
        assertThrows(CheckpointException.class, () -> Tokenizer.load(directory, 512)).getMessage();
    assertTrue(message.contains("tokenizer.model") && message.contains("save_pretrained"), message);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
        "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}"
            + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
        "'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}+|\\p{N}{1,3}"
            + "| ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*|\\s*[\\r\\n]|\\s+(?!\\S)|\\s+",
        "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+"
            + "(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*"
            + "|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
        "\\p{N}{1,3}",
        "[一-龥぀-ゟ゠-ヿ]+",
        "\\d",
        " ",
        "[0-9][0-9][0-9]",
        "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+"
            + "| ?[\\p{P}\\p{S}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
      })
  void expressionsOfPublicTokenizers(String regex) {
    assertTrue(SafeRegex.accepts(regex), regex);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "|",
        "a|",
        "(a|a)*$",
        "(a+)+$",
        "(a|aa)+b",
        "(a|aa){30}b",
        "a*a*b",
        "a*b",
        ".*x",
        "a?",
        "\\s*",
        "\\s*[\\r\\n]+",
        "\\s+(?!\\S)",
        "(?=a)",
        "(?<=a)b",
        "(a)\\1",
        "[[a]]",
        "[a&&b]",
        "[a",
        "(",
        ")",
        "a{100000}",
        "a{0,64}a{0,64}a{0,64}b",
        "a?b?c?d?e?f?g?h?x",
        "\\p{L",
        "\\G",
        "\\K",
        "\\X",
        "(?>a)",
        "^a",
        "a$",
        "x{3,1}",
        "x{0}",
        "a{1,3}+",
        "a**",
        "\\u0041",
        "\\1",
        "(?:a|b"
      })
  void expressionsThatMayTakeForEver(String regex) {
    assertTrue(!SafeRegex.accepts(regex), regex);
  }

  @Test
  void whatIsKnownIsRead() {
    new TokenizerFiles.Builder()
        .part(
            "normalizer",
            "{\"type\": \"Sequence\", \"normalizers\": [{\"type\": \"NFC\"}, {\"type\": \"Strip\","
                + " \"strip_left\": true, \"strip_right\": true}, {\"type\": \"Lowercase\"}]}")
        .part(
            "pre_tokenizer",
            "{\"type\": \"Sequence\", \"pretokenizers\": [{\"type\": \"Digits\"}, {\"type\":"
                + " \"Punctuation\"}, {\"type\": \"Split\", \"pattern\": {\"String\": \"x\"},"
                + " \"behavior\": \"Removed\", \"invert\": false}, "
                + BYTES
                + "]}")
        .write(directory);
    assertDoesNotThrow(() -> Tokenizer.load(directory, 512).close());
    try (Tokenizer tokenizer = Tokenizer.load(directory, 512)) {
      assertEquals("abc1", tokenizer.decode(tokenizer.encode("  AXbxC1 ")));
    }
  }

  private void write(String part, String json) {
    new TokenizerFiles.Builder().part(part, json).write(directory);
  }

  private static String sequence(String name, String step, int count) {
    return "{\"type\": \"Sequence\", \""
        + name
        + "\": ["
        + String.join(", ", Collections.nCopies(count, step))
        + "]}";
  }

  private static void assertTooLong(Executable encoding) {
    String message = assertThrows(IllegalArgumentException.class, encoding).getMessage();
    assertTrue(message.contains("too long"), message);
    assertEquals(1, message.lines().count(), message);
  }

  private void assertRefused(String part, String complaint) {
    String message =
        assertThrows(CheckpointException.class, () -> Tokenizer.load(directory, 70_000))
            .getMessage();
    assertTrue(message.startsWith(directory.resolve("tokenizer.json").toString()), message);
    assertTrue(message.contains(part) && message.contains(complaint), message);
    assertEquals(1, message.lines().count(), message);
  }
}
