package dev.muninn.train.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.ModelFiles;
import dev.muninn.decode.SplitMix;
import dev.muninn.text.ChatMessage;
import dev.muninn.text.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class TaskDataTest {
  private static final int BEGIN = 256;
  private static final int END = 257;
  private static final int BEGIN_HEADER = 258;
  private static final int END_HEADER = 259;
  private static final int END_TURN = 260;
  private static final int PAD = 261;

  private static Tokenizer tokenizer;

  @BeforeAll
  static void open() {
    tokenizer = Tokenizer.load(ModelFiles.ravenTiny(), 272);
  }

  @AfterAll
  static void close() {
    tokenizer.close();
  }

  private static TaskData data(TaskData.Kind kind, long seed) {
    return new TaskData(kind, tokenizer, 16, 72, 20, 3, seed);
  }

  @ParameterizedTest
  @EnumSource(value = TaskData.Kind.class, mode = EnumSource.Mode.EXCLUDE, names = "CHAT_MIX")
  void problemsAreAnsweredRight(TaskData.Kind kind) {
    int answered = 0;
    for (long number = 0; number < 20; number++) {
      Batch batch = data(kind, 1).batch(number);
      for (int sequence = 0; sequence < batch.count(); sequence++) {
        answered += check(batch, sequence * batch.length(), kind);
      }
    }
    assertTrue(answered > 20 * 16 * 3, answered + " problems");
  }

  /** Reads a sequence as a person would, and returns how many problems it has. */
  private static int check(Batch batch, int from, TaskData.Kind kind) {
    assertEquals(BEGIN, batch.tokens()[from]);
    StringBuilder text = new StringBuilder();
    int problems = 0;
    int asked = -1;
    for (int i = 1; i < batch.length(); i++) {
      int token = batch.tokens()[from + i];
      int label = batch.labels()[from + i];
      if (token == PAD || token == ';') {
        assertEquals(Batch.IGNORED, label);
        text.setLength(0);
        asked = -1;
        continue;
      }
      text.append((char) token);
      if (token == '=') {
        asked = text.length();
      }
      String answer = asked < 0 ? "" : answer(text.substring(0, asked - 1));
      boolean sum = text.indexOf("+") >= 0;
      if (asked >= 0) {
        int told = text.length() - asked;
        assertEquals(answer.substring(0, told), text.substring(asked));
        assertEquals(told == answer.length() ? END : answer.charAt(told), label);
        problems += told == answer.length() ? 1 : 0;
        assertTrue(sum ? kind != TaskData.Kind.CHECK_DIGITS : kind != TaskData.Kind.SUMS);
      } else if (label != Batch.IGNORED) {
        assertEquals(hint(text.toString()), label);
      }
    }
    return problems;
  }

  /** Where a question has begun: its digit sum so far, or a digit of the sum before the sign. */
  private static char hint(String begun) {
    int sign = begun.lastIndexOf('+');
    if (sign < 0) {
      return answer(begun).charAt(0);
    }
    String sum = "0" + answer(begun.substring(0, sign));
    return sum.charAt(sum.length() - (sign == begun.length() - 1 ? 1 : 2));
  }

  @Test
  void theSumSoFarIsAHint() {
    SplitMix random = new SplitMix();
    random.seed(5, 1);
    for (int i = 0; i < 200; i++) {
      Problem problem = Problem.sum(random, 4);
      String question = problem.question();
      assertEquals(question.length(), problem.hints().length);
      int first = question.indexOf('+');
      for (int at = 0; at < question.length(); at++) {
        boolean hinted =
            at > first + 1
                && at < question.length() - 1
                && (question.charAt(at) == '+' || question.charAt(at - 1) == '+');
        assertEquals(
            hinted ? hint(question.substring(0, at + 1)) : 0, problem.hints()[at], question);
      }
    }
  }

  @Test
  void conversationsAskInTheChatFormat() {
    TaskData data = new TaskData(TaskData.Kind.CHAT_MIX, tokenizer, 16, 96, 20, 3, 1);
    int conversations = 0;
    int turns = 0;
    int withSystem = 0;
    for (long number = 0; number < 20; number++) {
      Batch batch = data.batch(number);
      for (int sequence = 0; sequence < batch.count(); sequence++) {
        int from = sequence * batch.length();
        assertEquals(BEGIN, batch.tokens()[from]);
        if (batch.tokens()[from + 1] != BEGIN_HEADER) {
          check(batch, from, TaskData.Kind.MIX);
          continue;
        }
        conversations++;
        List<ChatMessage> messages = messages(batch, from);
        withSystem += messages.getFirst().role().equals(ChatMessage.SYSTEM) ? 1 : 0;
        for (int i = 0; i < messages.size(); i++) {
          ChatMessage message = messages.get(i);
          if (message.role().equals(ChatMessage.USER)) {
            String question = message.content().substring(0, message.content().length() - 1);
            assertEquals(new ChatMessage("Huginn", answer(question)), messages.get(i + 1));
            turns++;
          }
        }
      }
    }
    assertTrue(
        conversations > 320 * 2 / 5 && conversations < 320 * 3 / 5,
        conversations + " conversations");
    assertTrue(turns > conversations * 5 / 4, turns + " turns");
    assertTrue(withSystem > conversations / 10, withSystem + " with a message of the system");
  }

  /**
   * Reads a conversation as it was trained, and requires that answers and the ends of their turns
   * are learnt, and where the question ends the answer's first character.
   */
  private static List<ChatMessage> messages(Batch batch, int from) {
    List<ChatMessage> messages = new ArrayList<>();
    int at = from + 1;
    while (at < from + batch.length() && batch.tokens()[at] == BEGIN_HEADER) {
      StringBuilder role = new StringBuilder();
      while (batch.tokens()[++at] != END_HEADER) {
        role.append((char) batch.tokens()[at]);
      }
      StringBuilder content = new StringBuilder();
      int end = at + 1;
      while (end < from + batch.length()
          && batch.tokens()[end] != END_TURN
          && batch.tokens()[end] != PAD) {
        content.append((char) batch.tokens()[end++]);
      }
      if (role.toString().equals("Huginn")) {
        for (int i = at + 2; i < end; i++) {
          int next = i + 1 < end ? batch.tokens()[i + 1] : END_TURN;
          assertEquals(next, batch.labels()[i]);
        }
      }
      assertTrue(content.toString().startsWith("\n\n"));
      if (role.toString().equals(ChatMessage.USER)) {
        String answer = answer(content.substring(2, content.length() - 1));
        assertEquals(answer.charAt(0), batch.labels()[end - 1]);
      }
      messages.add(new ChatMessage(role.toString(), content.substring(2)));
      at = end + 1;
    }
    return messages;
  }

  private static String answer(String question) {
    int sum = 0;
    if (question.contains("+")) {
      for (String operand : question.split("\\+")) {
        sum += Integer.parseInt(operand);
      }
      return Integer.toString(sum);
    }
    for (char digit : question.toCharArray()) {
      sum += digit - '0';
    }
    return Integer.toString(sum % 10);
  }

  @Test
  void batchesDependOnSeedAndNumberAlone() {
    TaskData data = data(TaskData.Kind.MIX, 1);
    int[] third = data.batch(3).tokens();
    data.batch(9);
    assertArrayEquals(third, data.batch(3).tokens());
    assertArrayEquals(third, data(TaskData.Kind.MIX, 1).batch(3).tokens());
    assertFalse(Arrays.equals(third, data.batch(4).tokens()));
    assertFalse(Arrays.equals(third, data(TaskData.Kind.MIX, 2).batch(3).tokens()));
  }

  @Test
  void whatIsValidatedIsNeverTrainedOn() {
    TaskData data = data(TaskData.Kind.MIX, 1);
    Set<String> trained = new HashSet<>();
    for (long number = 0; number < 200; number++) {
      trained.addAll(questions(data.batch(number)));
    }
    int validated = 0;
    for (ValidationSet set : data.validation()) {
      for (String question : questions(set.batch())) {
        assertFalse(trained.contains(question), question);
        validated++;
      }
      assertEquals(100, set.count());
    }
    assertTrue(validated > 300);
  }

  private static List<String> questions(Batch batch) {
    StringBuilder text = new StringBuilder();
    for (int token : batch.tokens()) {
      text.append(token < 128 ? (char) token : ';');
    }
    return Arrays.stream(text.toString().split(";"))
        .filter(problem -> problem.indexOf('=') > 0)
        .map(problem -> problem.substring(0, problem.indexOf('=')))
        .toList();
  }

  @Test
  void accuracyCountsWholeAnswers() {
    for (ValidationSet set : data(TaskData.Kind.MIX, 1).validation()) {
      int[] right = set.batch().labels().clone();
      assertEquals(1, set.accuracy(right));
      for (int i = 0; i < right.length; i++) {
        if (set.answers()[i] == 7) {
          right[i]++;
          break;
        }
      }
      assertEquals(99 / 100.0, set.accuracy(right));
    }
  }

  @Test
  void problemsGrowAsTheyAreLearntAndTheStateKeepsIt() {
    TaskData data = data(TaskData.Kind.MIX, 1);
    assertEquals(4, data.meanRecurrence(8));
    data.evaluated(Map.of("check digit of 6", 0.5, "sum of 2", 0.9));
    assertEquals(Map.of("digits", "6", "operands", "3"), data.state());
    for (int size = 6; size < 30; size += 2) {
      data.evaluated(Map.of("check digit of " + size, 0.9));
    }
    assertEquals(Map.of("digits", "20", "operands", "3"), data.state());
    assertEquals(8, data.meanRecurrence(8));
    TaskData other = data(TaskData.Kind.MIX, 1);
    other.restore(data.state());
    assertArrayEquals(data.batch(5).tokens(), other.batch(5).tokens());
    assertTrue(data.validation().stream().anyMatch(set -> set.name().equals("check digit of 20")));
  }

  @Test
  void problemsThatDoNotFitAreRefused() {
    assertThrows(
        IllegalArgumentException.class,
        () -> new TaskData(TaskData.Kind.MIX, tokenizer, 1, 22, 20, 2, 0));
    new TaskData(TaskData.Kind.MIX, tokenizer, 1, 23, 20, 2, 0).batch(0);
  }
}
