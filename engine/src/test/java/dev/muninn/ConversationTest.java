package dev.muninn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.decode.Cancellation;
import dev.muninn.serve.GenerationListener;
import dev.muninn.serve.GenerationRequest;
import dev.muninn.serve.GenerationResult;
import dev.muninn.text.ChatFormat;
import dev.muninn.text.ChatMessage;
import dev.muninn.text.Prompt;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConversationTest {
  private static final int CONTEXT = 256;
  private static LanguageModel tiny;

  @TempDir private Path temporary;

  @BeforeAll
  static void load() {
    tiny = LanguageModel.load(ModelFiles.ravenTiny(), new LoadOptions(1));
  }

  @AfterAll
  static void close() {
    tiny.close();
  }

  /** The computation would wait for the first token for ever. */
  @Test
  void aTemplateThatMakesNothingOfAConversationIsRefused() throws IOException {
    ModelFiles.copy(ModelFiles.ravenTiny(), temporary.resolve("model"), tensors -> {});
    Files.writeString(temporary.resolve("model/chat_template.jinja"), "{{ nothing }}");
    try (LanguageModel model = LanguageModel.load(temporary.resolve("model"), new LoadOptions(1))) {
      String message =
          assertThrows(
                  IllegalArgumentException.class,
                  () -> whole(model, List.of(ChatMessage.user("hi")), 1))
              .getMessage();
      assertEquals("the model's chat template makes no tokens of the conversation", message);
    }
  }

  private static UnaryOperator<GenerationRequest.Builder> settings(int maxTokens) {
    return builder -> builder.maxTokens(maxTokens).recurrence(3);
  }

  private static GenerationResult ask(Conversation conversation, String text, int maxTokens) {
    return conversation.ask(text, settings(maxTokens), GenerationListener.NONE, new Cancellation());
  }

  private static GenerationResult whole(
      LanguageModel model, List<ChatMessage> messages, int maxTokens) {
    return model.generate(
        settings(maxTokens).apply(GenerationRequest.builder(Prompt.chat(messages))).build());
  }

  /** The same model, with room for long conversations. */
  private LanguageModel withContext(int context) throws IOException {
    try (Stream<Path> files = Files.list(ModelFiles.ravenTiny())) {
      for (Path file : files.toList()) {
        Files.copy(file, temporary.resolve(file.getFileName()));
      }
    }
    Path config = temporary.resolve("config.json");
    String text = Files.readString(config);
    Files.writeString(
        config, text.replaceFirst("\"block_size\": *" + CONTEXT, "\"block_size\": " + context));
    return LanguageModel.load(temporary, new LoadOptions(1));
  }

  /** Every answer is that of the whole conversation, and costs no more as the talk gets longer. */
  @Test
  void twentyTurnsCostWhatIsNew() throws IOException {
    try (LanguageModel model = withContext(4096);
        Conversation conversation = new Conversation(model)) {
      assertEquals(4096, model.architecture().contextLength());
      conversation.setSystem(Optional.of("Be brief."));
      List<ChatMessage> messages = new ArrayList<>();
      messages.add(ChatMessage.system("Be brief."));
      int promptBefore = 0;
      for (int turn = 0; turn < 20; turn++) {
        String text = "What is " + (10 + turn) + "+" + (30 + turn) + "?";
        messages.add(ChatMessage.user(text));
        GenerationResult result = ask(conversation, text, 6);
        GenerationResult whole = whole(model, messages, 6);
        assertEquals(whole.promptTokens(), result.promptTokens());
        assertEquals(whole.tokens(), result.tokens());
        messages.add(ChatMessage.assistant(result.text().orElseThrow()));
        assertEquals(messages, conversation.messages());

        int prompt = result.promptTokens().size();
        int computed = result.timings().prefillTokens();
        // The answer, should its text have other tokens than were chosen, and what was said since.
        assertTrue(computed <= prompt - promptBefore, computed + " of " + prompt);
        assertTrue(turn == 0 || computed < 60, computed + " of " + prompt);
        assertEquals(
            3L * (computed + result.timings().decodeTokens()), result.statistics().coreRows());
        promptBefore = prompt;
      }
      assertTrue(promptBefore > 600, "" + promptBefore);
      assertEquals(0, conversation.forgotten());
    }
  }

  @Test
  void fullContextForgetsTheOldest() {
    try (Conversation conversation = new Conversation(tiny)) {
      conversation.setSystem(Optional.of("Digits."));
      for (int turn = 0; turn < 20; turn++) {
        int before = conversation.forgotten();
        GenerationResult result = ask(conversation, "Turn number " + turn, 5);
        List<ChatMessage> messages = conversation.messages();
        assertEquals(ChatMessage.system("Digits."), messages.getFirst());
        assertEquals(ChatMessage.user("Turn number " + turn), messages.get(messages.size() - 2));
        assertEquals(2 * turn + 3, messages.size() + conversation.forgotten());
        assertTrue(
            conversation.forgotten() == before || result.promptTokens().size() <= CONTEXT / 2);
        assertEquals(
            whole(tiny, messages.subList(0, messages.size() - 1), 5).tokens(), result.tokens());
      }
      assertTrue(conversation.forgotten() > 0);
    }
  }

  @Test
  void messageLongerThanTheContextIsRefusedAndNotKept() {
    try (Conversation conversation = new Conversation(tiny)) {
      GenerationResult first = ask(conversation, "Hello", 4);
      List<ChatMessage> before = conversation.messages();
      String message =
          assertThrows(
                  IllegalArgumentException.class, () -> ask(conversation, "x".repeat(CONTEXT), 4))
              .getMessage();
      assertTrue(message.contains("more than the context of 256"), message);
      assertEquals(before, conversation.messages());
      conversation.reset();
      assertEquals(List.of(), conversation.messages());
      assertEquals(first.tokens(), ask(conversation, "Hello", 4).tokens());
    }
  }

  @Test
  void otherSystemMessageComputesAnew() {
    try (Conversation conversation = new Conversation(tiny)) {
      ask(conversation, "Hello", 4);
      conversation.setSystem(Optional.of("Other"));
      GenerationResult result = ask(conversation, "Again", 4);
      List<ChatMessage> messages = conversation.messages();
      assertEquals(
          whole(tiny, messages.subList(0, messages.size() - 1), 4).tokens(), result.tokens());
      // Only begin-of-text and the header's first token are the same.
      assertEquals(2, result.promptTokens().size() - result.timings().prefillTokens());
    }
  }

  /** A message may spell tokens, and an answer's text need not give the tokens it was made of. */
  @Test
  void tokensAreComparedAndNotAssumed() {
    try (Conversation conversation = new Conversation(tiny)) {
      for (String text : List.of("  <|end_turn|> ", "\u00e9\u4e2d", "", "\t", "a\nb")) {
        GenerationResult result =
            conversation.ask(
                text,
                builder -> builder.maxTokens(12).recurrence(3).ignoreEndOfSequence(true),
                GenerationListener.NONE,
                new Cancellation());
        List<ChatMessage> messages = conversation.messages();
        List<ChatMessage> asked = messages.subList(0, messages.size() - 1);
        assertEquals(
            ChatFormat.encode(tiny.tokenizer().orElseThrow(), asked).length,
            result.promptTokens().size());
        GenerationResult whole =
            tiny.generate(
                GenerationRequest.builder(Prompt.chat(asked))
                    .maxTokens(12)
                    .recurrence(3)
                    .ignoreEndOfSequence(true)
                    .build());
        assertEquals(whole.tokens(), result.tokens());
      }
    }
  }

  @Test
  void modelWithoutTokenizerIsRefused() {
    try (LanguageModel model =
        LanguageModel.load(Fixture.directory("raven-1-2-1-untied"), new LoadOptions(1))) {
      assertTrue(
          assertThrows(IllegalArgumentException.class, () -> new Conversation(model))
              .getMessage()
              .contains("needs a tokenizer"));
    }
  }
}
