package dev.muninn.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.weights.CheckpointException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The tokens around a text. What is expected of files that are not refused is what {@code
 * tokenizer(text)} of Python's transformers 5.18 gives.
 */
class TextFrameTest {
  private static final String BYTES =
      "{\"type\": \"ByteLevel\", \"add_prefix_space\": true, \"trim_offsets\": false}";

  @TempDir Path directory;

  /** Of the pieces S, E, X (three ids) and A, the text. */
  private static String template(String pieces) {
    String single =
        pieces
            .chars()
            .mapToObj(piece ->
                piece == 'A' || piece == 'B'
                    ? "{\"Sequence\": {\"id\": \"" + (char) piece + "\", \"type_id\": 0}}"
                    : "{\"SpecialToken\": {\"id\": \"" + (char) piece + "\", \"type_id\": 0}}")
            .collect(Collectors.joining(", "));
    return """
    {"type": "TemplateProcessing", "single": [%s], "pair": [],
     "special_tokens": {"S": {"id": "S", "ids": [256], "tokens": ["<s>"]},
      "E": {"id": "E", "ids": [257], "tokens": ["</s>"]},
      "X": {"id": "X", "ids": [256, 257, 97], "tokens": ["x"]}}}
    """
        .formatted(single);
  }

  /** The post-processor that a line of a test names by its kind and template. */
  private static String postProcessor(String kind) {
    return switch (kind) {
      case "none" -> "null";
      case "bytes" -> BYTES;
      case "roberta" ->
          "{\"type\": \"RobertaProcessing\", \"cls\": [\"<s>\", 256], \"sep\": [\"</s>\", 257]}";
      case "wrong" ->
          "{\"type\": \"BertProcessing\", \"cls\": [\"<s>\", 256], \"sep\": [\"</s>\", 97]}";
      case "empty" -> "{\"type\": \"Sequence\", \"processors\": []}";
      default -> {
        String steps =
            Arrays.stream(kind.split("\\+"))
                .map(step -> step.equals("bytes") ? BYTES : template(step))
                .collect(Collectors.joining(", "));
        yield kind.contains("+")
            ? "{\"type\": \"Sequence\", \"processors\": [" + steps + "]}"
            : steps;
      }
    };
  }

  private void write(String kind, String config) {
    new TokenizerFiles.Builder()
        .special("<s>", 256)
        .special("</s>", 257)
        .part("post_processor", postProcessor(kind))
        .write(directory);
    TokenizerFiles.write(
        directory.resolve("tokenizer_config.json"),
        (config.contains("\"bos_token\"") ? "{" : "{\"bos_token\": \"<s>\", ")
            + "\"eos_token\": {\"content\": \"</s>\"}"
            + (config.isEmpty() ? "" : ", " + config)
            + "}");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '`',
      textBlock =
          """
          SA      ; "add_bos_token": true, "add_eos_token": false, "tokenizer_class": "LlamaTokenizer"; 256 97
          bytes+SA; "tokenizer_class": "PreTrainedTokenizerFast"                                      ; 256 97
          bytes   ; "add_bos_token": false, "tokenizer_class": "Qwen2Tokenizer"                       ; 97
          bytes   ; "add_bos_token": false, "tokenizer_class": "GPTNeoXTokenizerFast"                 ; 97
          A       ; "tokenizer_class": "GPTNeoXTokenizerFast"                                         ; 97
          none    ; ``                                                                                ; 97
          none    ; "add_bos_token": null, "add_eos_token": null                                      ; 97
          empty   ; ``                                                                                ; 97
          SAE     ; ``                                                                                ; 256 97 257
          SAE     ; "add_bos_token": true, "add_eos_token": true                                      ; 256 97 257
          AE      ; "add_bos_token": false                                                            ; 97 257
          roberta ; ``                                                                                ; 256 97 257
          SSAEE   ; ``                                                                                ; 256 256 97 257 257
          SAES    ; ``                                                                                ; 256 97 257 256
          XA      ; ``                                                                                ; 256 257 97 97
          bytes   ; "add_bos_token": true, "tokenizer_class": "PreTrainedTokenizerFast"               ; 97
          bytes   ; "add_bos_token": true, "tokenizer_class": "Qwen2Tokenizer", "bos_token": null     ; 97
          bytes   ; "add_bos_token": true, "add_eos_token": true                                      ; 97
          none    ; "add_bos_token": true, "bos_token": null, "tokenizer_class": "GPT2Tokenizer"      ; 97
          SA      ; "add_bos_token": false, "tokenizer_class": "PreTrainedTokenizerFast"              ; 256 97
          SAE     ; "add_eos_token": false                                                            ; 256 97 257
          SA      ; "add_bos_token": true, "add_eos_token": false, "tokenizer_class": "GPTNeoXTokenizer"; 256 97
          """)
  void asPythonHasThem(String kind, String config, String expected) {
    write(kind, config);
    int[] tokens = Arrays.stream(expected.split(" ")).mapToInt(Integer::parseInt).toArray();
    try (Tokenizer tokenizer = Tokenizer.load(directory, 300)) {
      assertArrayEquals(tokens, tokenizer.encode("a"));
      assertArrayEquals(new int[] {97}, tokenizer.encodePlain("a"));
    }
  }

  @Test
  void theOneTokenBeforeATextIsNotRepeated() {
    write("SA", "");
    try (Tokenizer tokenizer = Tokenizer.load(directory, 300)) {
      assertArrayEquals(new int[] {256, 97}, tokenizer.encode("<s>a"));
      assertArrayEquals(new int[] {256}, tokenizer.encode(""));
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '`',
      textBlock =
          """
          none ; "tokenizer_class": "LlamaTokenizer", "add_bos_token": true     ; add_bos_token is true and bos_token is "<s>", but post_processor of tokenizer.json puts nothing before a text
          bytes; "tokenizer_class": "LlamaTokenizerFast", "add_eos_token": true ; add_eos_token is true and eos_token is "</s>", but post_processor
          SA   ; "tokenizer_class": "GemmaTokenizer", "add_bos_token": false    ; add_bos_token is false, but post_processor of tokenizer.json puts "<s>" before
          SAE  ; "tokenizer_class": "CohereTokenizerFast", "add_eos_token": false; puts "</s>" behind a text; expected the two to agree where tokenizer_class is "CohereTokenizerFast"
          SA   ; "tokenizer_class": "LlamaTokenizer", "bos_token": "</s>", "add_bos_token": true; bos_token is "</s>", but post_processor
          SA   ; "tokenizer_class": "LlamaTokenizer", "bos_token": "<x>", "add_bos_token": true ; bos_token is "<x>", expected a token of tokenizer.json
          none ; "tokenizer_class": "LlamaTokenizer", "bos_token": null, "add_bos_token": true  ; bos_token is not set
          none ; "tokenizer_class": "GPTNeoXTokenizer", "add_bos_token": true   ; add_bos_token is true
          none ; "add_bos_token": "yes"                         ; add_bos_token is "yes", expected true or false
          SA   ; "tokenizer_class": "GPTNeoXTokenizer"          ; tokenizer_class is "GPTNeoXTokenizer", which adds no tokens
          none ; "split_special_tokens": true                   ; split_special_tokens true is not supported
          none ; "add_prefix_space": true                       ; add_prefix_space is true, but false in pre_tokenizer
          """)
  void configurationsThatContradictTheTokenizer(String kind, String config, String complaint) {
    write(kind, config);
    assertRefused("tokenizer_config.json", complaint);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      textBlock =
          """
          S    ; single leaves out the text
          SASA ; single[3]: the text is there once
          SB   ; single[1]: the text is there once
          SA+AE; processors[1]: a second step that adds tokens
          wrong; sep is not a token
          """)
  void postProcessorsThatFrameNoText(String kind, String complaint) {
    write(kind, "");
    assertRefused("tokenizer.json", complaint);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '`',
      textBlock =
          """
          <|begin_text|>; <|end_text|>  ; {}                         ; ``
          <|begin_text|>; <|end_turn|>  ; {}                         ; puts "<|end_turn|>" behind a text, expected <|end_text|> or nothing
          <|pad|>       ; <|end_text|>  ; {}                         ; puts "<|pad|>" before a text, expected <|begin_text|> or nothing
          <|begin_text|>; <|end_text|>  ; {"add_bos_token": false}   ; add_bos_token is false, but a text for this family begins with <|begin_text|>
          <|begin_text|>; <|end_text|>  ; {"add_eos_token": true}    ; add_eos_token is true, but the model is to go on
          <|begin_text|>; <|end_text|>  ; {"bos_token": "<|pad|>", "add_bos_token": true}; bos_token is "<|pad|>"
          """)
  void theFamilysOwn(String first, String last, String config, String complaint) {
    TokenizerFiles.Builder builder = new TokenizerFiles.Builder();
    for (int i = 0; i < SpecialTokens.FAMILY.size(); i++) {
      builder.special(SpecialTokens.FAMILY.get(i), 256 + i);
    }
    builder
        .template(
            first,
            256 + SpecialTokens.FAMILY.indexOf(first),
            last,
            256 + SpecialTokens.FAMILY.indexOf(last))
        .write(directory);
    TokenizerFiles.write(directory.resolve("tokenizer_config.json"), config);
    if (complaint.isEmpty()) {
      try (Tokenizer tokenizer = Tokenizer.load(directory, 300)) {
        assertArrayEquals(new int[] {256, 97}, tokenizer.encode("a"));
      }
    } else {
      assertRefused("", complaint);
    }
  }

  private void assertRefused(String file, String complaint) {
    String message =
        assertThrows(CheckpointException.class, () -> Tokenizer.load(directory, 300).close())
            .getMessage();
    assertTrue(message.startsWith(directory.resolve(file).toString()), message);
    assertTrue(message.contains(complaint), message);
    assertEquals(1, message.lines().count(), message);
  }
}
