package dev.muninn.train.data;

import dev.muninn.decode.SplitMix;
import dev.muninn.text.Tokenizer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * Problems that are generated: check digits, sums, or both. A sequence has as many problems as fit,
 * with a semicolon between them; the token behind an answer is always to be the end of the text.
 * Where the model is to chat too, some sequences are conversations instead.
 *
 * <p>Problems begin easy. Whenever most of the longest ones are answered, longer ones join them,
 * and while all are short the model is trained at fewer recurrences.
 */
public final class TaskData implements TrainingData {
  /** The kinds of generated problems. */
  public enum Kind {
    CHECK_DIGITS,
    SUMS,
    MIX,
    /** Both, bare and in conversations. */
    CHAT_MIX;

    boolean checkDigits() {
      return this != SUMS;
    }

    boolean sums() {
      return this != CHECK_DIGITS;
    }
  }

  private static final int FIRST_DIGITS = 6;
  private static final int FIRST_OPERANDS = 2;
  private static final int FEWEST = 2;
  private static final double SHARE_OF_SUMS = 0.6;

  /** Most tokens of a conversation are its frame: few of its labels are answers. */
  private static final double SHARE_OF_CONVERSATIONS = 0.5;

  /** Longer sums take longest to learn. */
  private static final double SHARE_OF_LONGEST_SUMS = 0.5;

  private static final double LEARNT = 0.8;
  private static final int PROBLEMS = 100;

  /** Strings up to this length need few recurrences. */
  private static final int SHORT_DIGITS = 10;

  /** Numbers of random sequences: batches count from 0 on, validation sets from here down. */
  private static final long VALIDATION = -1_000_000;

  private final Kind kind;
  private final Symbols symbols;
  private final int count;
  private final int length;
  private final int mostDigits;
  private final int mostOperands;
  private final long seed;
  private final Optional<Conversations> conversations;
  private int digits;
  private int operands;

  /**
   * Problems of a size.
   *
   * @param tokenizer has a token for each digit and sign
   * @param count sequences of a batch
   * @param length tokens of each
   * @param mostDigits of a check digit's string, at least 2
   * @param mostOperands of a sum, at least 2
   * @throws IllegalArgumentException if the longest problem does not fit into a sequence
   */
  public TaskData(
      Kind kind,
      Tokenizer tokenizer,
      int count,
      int length,
      int mostDigits,
      int mostOperands,
      long seed) {
    this.kind = kind;
    this.symbols = Symbols.of(tokenizer);
    this.count = count;
    this.length = length;
    this.mostDigits = mostDigits;
    this.mostOperands = mostOperands;
    this.seed = seed;
    this.digits = Math.min(FIRST_DIGITS, mostDigits);
    this.operands = Math.min(FIRST_OPERANDS, mostOperands);
    this.conversations =
        kind == Kind.CHAT_MIX
            ? Optional.of(new Conversations(tokenizer, symbols))
            : Optional.empty();
    int longest =
        Math.max(
            kind.checkDigits() ? mostDigits + 2 : 0,
            kind.sums() ? 3 * mostOperands + Integer.toString(99 * mostOperands).length() : 0);
    int needed = longest + 1;
    if (conversations.isPresent()) {
      needed = conversations.get().length(Problem.longest(longest));
    }
    if (needed > length) {
      throw new IllegalArgumentException(
          "problems of up to " + needed + " tokens do not fit into " + length);
    }
  }

  @Override
  public Batch batch(long number) {
    SplitMix random = new SplitMix();
    random.seed(seed, number);
    SequenceBuilder builder = new SequenceBuilder(count, length, symbols.pad());
    for (int sequence = 0; sequence < count; sequence++) {
      builder.begin();
      if (conversations.isPresent() && random.uniform() < SHARE_OF_CONVERSATIONS) {
        conversations.get().fill(builder, () -> next(random), random);
        continue;
      }
      builder.add(symbols.begin(), Batch.IGNORED);
      Problem problem = next(random);
      while (problem.length() + 1 <= builder.room()) {
        add(builder, problem, true);
        if (builder.room() == 0) {
          break;
        }
        builder.add(symbols.id(';'), Batch.IGNORED);
        problem = next(random);
      }
    }
    return builder.batch();
  }

  /** A problem of a size that is learnt now; none of those that are held out. */
  private Problem next(SplitMix random) {
    boolean sums = kind.sums() && (!kind.checkDigits() || random.uniform() < SHARE_OF_SUMS);
    int longest = sums ? operands : digits;
    int size =
        sums && conversations.isPresent() && random.uniform() < SHARE_OF_LONGEST_SUMS
            ? longest
            : FEWEST + random.below(longest - FEWEST + 1);
    return draw(sums, size, false, random);
  }

  private static Problem draw(boolean sums, int size, boolean heldOut, SplitMix random) {
    while (true) {
      Problem problem = sums ? Problem.sum(random, size) : Problem.checkDigit(random, size);
      if (problem.isHeldOut() == heldOut) {
        return problem;
      }
    }
  }

  private void add(SequenceBuilder builder, Problem problem, boolean hints) {
    String text = problem.question() + problem.answer();
    int asked = problem.question().length();
    for (int i = 0; i < text.length(); i++) {
      int label = Batch.IGNORED;
      if (i == text.length() - 1) {
        label = symbols.end();
      } else if (i >= asked - 1) {
        label = symbols.id(text.charAt(i + 1));
      } else if (hints && problem.hints()[i] != 0) {
        label = symbols.id(problem.hints()[i]);
      }
      builder.add(symbols.id(text.charAt(i)), label);
    }
    builder.answer(problem.answer().length() + 1);
  }

  @Override
  public List<ValidationSet> validation() {
    List<ValidationSet> sets = new ArrayList<>();
    if (kind.checkDigits()) {
      Set<Integer> sizes = new TreeSet<>();
      for (int size : new int[] {4, 8, 16, digits}) {
        if (size <= mostDigits) {
          sizes.add(size);
        }
      }
      for (int size : sizes) {
        sets.add(problems(checkDigitName(size), false, size));
      }
    }
    if (kind.sums()) {
      for (int size = FEWEST; size <= mostOperands; size++) {
        sets.add(problems(sumName(size), true, size));
      }
    }
    if (conversations.isPresent()) {
      sets.add(conversations(conversations.get()));
    }
    return sets;
  }

  private static String checkDigitName(int digits) {
    return "check digit of " + digits;
  }

  private static String sumName(int operands) {
    return "sum of " + operands;
  }

  /** Sums of two, each asked in a conversation of its own. */
  private ValidationSet conversations(Conversations conversations) {
    List<Problem> problems = heldOut(true, FEWEST);
    SequenceBuilder builder = new SequenceBuilder(PROBLEMS, length, symbols.pad());
    for (Problem problem : problems) {
      builder.begin();
      conversations.add(builder, problem);
    }
    return builder.validation(sumName(FEWEST) + " in a chat");
  }

  /** Problems of one kind and size that are never trained on. */
  private List<Problem> heldOut(boolean sums, int size) {
    SplitMix random = new SplitMix();
    random.seed(seed, VALIDATION - 2L * size - (sums ? 1 : 0));
    List<Problem> problems = new ArrayList<>();
    for (int i = 0; i < PROBLEMS; i++) {
      problems.add(draw(sums, size, true, random));
    }
    return problems;
  }

  /** Problems of one kind and size, each a sequence of its own. */
  private ValidationSet problems(String name, boolean sums, int size) {
    List<Problem> problems = heldOut(sums, size);
    int longest = 0;
    for (Problem problem : problems) {
      longest = Math.max(longest, problem.length() + 1);
    }
    SequenceBuilder builder = new SequenceBuilder(PROBLEMS, longest, symbols.pad());
    for (Problem problem : problems) {
      builder.begin();
      builder.add(symbols.begin(), Batch.IGNORED);
      add(builder, problem, false);
    }
    return builder.validation(name);
  }

  @Override
  public int meanRecurrence(int mean) {
    return kind.checkDigits() && digits < Math.min(SHORT_DIGITS, mostDigits)
        ? Math.max(1, mean / 2)
        : mean;
  }

  @Override
  public void evaluated(Map<String, Double> accuracies) {
    if (accuracies.getOrDefault(checkDigitName(digits), 0.0) > LEARNT) {
      digits = Math.min(mostDigits, digits + 2);
    }
    if (accuracies.getOrDefault(sumName(operands), 0.0) > LEARNT) {
      operands = Math.min(mostOperands, operands + 1);
    }
  }

  @Override
  public Map<String, String> state() {
    return Map.of("digits", Integer.toString(digits), "operands", Integer.toString(operands));
  }

  @Override
  public void restore(Map<String, String> state) {
    digits = Integer.parseInt(state.get("digits"));
    operands = Integer.parseInt(state.get("operands"));
  }
}
