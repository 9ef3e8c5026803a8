package dev.muninn.train.data;

import dev.muninn.decode.SplitMix;
import dev.muninn.text.ChatFormat;
import dev.muninn.text.ChatMessage;
import dev.muninn.text.SpecialTokens;
import dev.muninn.text.Tokenizer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/**
 * Writes problems as conversations in the family's chat format: the user asks, the model answers
 * and ends its turn. Some begin with a message of the system, as chat programs send one.
 */
final class Conversations {
  private static final double SHARE_WITH_SYSTEM = 0.25;

  private static final List<String> SYSTEM =
      List.of("You are a helpful assistant.", "You are a calculator.", "Answer with a number.");

  private final Tokenizer tokenizer;
  private final Symbols symbols;
  private final int endTurn;

  /**
   * Conversations in a tokenizer's tokens.
   *
   * @throws IllegalArgumentException if it lacks a token that ends a turn
   */
  Conversations(Tokenizer tokenizer, Symbols symbols) {
    this.tokenizer = tokenizer;
    this.symbols = symbols;
    this.endTurn = Symbols.special(tokenizer, SpecialTokens.END_TURN);
  }

  /** Tokens of a conversation with one problem and the longest message of the system. */
  int length(Problem problem) {
    List<ChatMessage> messages = new ArrayList<>();
    messages.add(ChatMessage.system(SYSTEM.getFirst()));
    messages.add(ChatMessage.user(problem.question()));
    return ChatFormat.encode(tokenizer, messages).length + problem.answer().length();
  }

  /** Fills the current sequence with as many turns as it has room for. */
  void fill(SequenceBuilder builder, Supplier<Problem> problems, SplitMix random) {
    List<ChatMessage> messages = new ArrayList<>();
    if (random.uniform() < SHARE_WITH_SYSTEM) {
      messages.add(ChatMessage.system(SYSTEM.get(random.below(SYSTEM.size()))));
    }
    int written = 0;
    while (true) {
      Problem problem = problems.get();
      messages.add(ChatMessage.user(problem.question()));
      int[] tokens = ChatFormat.encode(tokenizer, messages);
      if (tokens.length - written + problem.answer().length() > builder.room()) {
        return;
      }
      ask(builder, tokens, written, problem);
      answer(builder, problem.answer());
      messages.add(ChatMessage.assistant(problem.answer()));
      // The end of the turn is written with the next question.
      written = tokens.length + problem.answer().length();
    }
  }

  /** One question and its answer, in a conversation of its own. */
  void add(SequenceBuilder builder, Problem problem) {
    int[] tokens = ChatFormat.encode(tokenizer, List.of(ChatMessage.user(problem.question())));
    ask(builder, tokens, 0, problem);
    answer(builder, problem.answer());
    builder.answer(problem.answer().length() + 1);
  }

  /** Writes a conversation from a position on: up to the model's answer, which comes next. */
  private void ask(SequenceBuilder builder, int[] tokens, int from, Problem problem) {
    int question = lastTurnEnd(tokens) - problem.question().length();
    for (int i = from; i < tokens.length; i++) {
      int label = Batch.IGNORED;
      int at = i - question;
      if (i == tokens.length - 1 || at == problem.question().length() - 1) {
        // Where the question ends, the answer's first character is a hint: it is what follows there
        // without a conversation, and from there it need only be copied.
        label = symbols.id(problem.answer().charAt(0));
      } else if (at >= 0 && at < problem.hints().length && problem.hints()[at] != 0) {
        label = symbols.id(problem.hints()[at]);
      }
      builder.add(tokens[i], label);
    }
  }

  private int lastTurnEnd(int[] tokens) {
    int end = tokens.length - 1;
    while (tokens[end] != endTurn) {
      end--;
    }
    return end;
  }

  private void answer(SequenceBuilder builder, String answer) {
    for (int i = 0; i < answer.length(); i++) {
      boolean last = i == answer.length() - 1;
      builder.add(symbols.id(answer.charAt(i)), last ? endTurn : symbols.id(answer.charAt(i + 1)));
    }
  }
}
