package dev.muninn.train.data;

import dev.muninn.decode.SplitMix;

/**
 * A question and its answer, of the kinds that raven-tiny knows.
 *
 * @param question ends with =
 * @param answer what follows
 * @param hints what is to be predicted inside the question: the character that stands behind
 *     position i's, or 0 where nothing is; as long as the question
 */
record Problem(String question, String answer, char[] hints) {
  private static final int LARGEST_OPERAND = 100;

  /**
   * A digit string and the last digit of its digit sum; every running digit sum is a hint, so that
   * a long string teaches all shorter ones as well.
   */
  static Problem checkDigit(SplitMix random, int digits) {
    StringBuilder question = new StringBuilder();
    char[] hints = new char[digits + 1];
    int sum = 0;
    for (int i = 0; i < digits; i++) {
      int digit = random.below(10);
      sum = (sum + digit) % 10;
      hints[i] = (char) ('0' + sum);
      question.append(digit);
    }
    return new Problem(question.append('=').toString(), Integer.toString(sum), hints);
  }

  /**
   * The sum of some numbers below 100. Where a further number begins, the sum so far is a hint: its
   * last digit at the sign, the digit before that one place later. So a long sum teaches the
   * shorter ones in it.
   */
  static Problem sum(SplitMix random, int operands) {
    StringBuilder question = new StringBuilder();
    StringBuilder hints = new StringBuilder();
    int sum = 0;
    for (int i = 0; i < operands; i++) {
      int operand = random.below(LARGEST_OPERAND);
      if (i > 0) {
        question.append('+');
      }
      question.append(operand);
      if (i > 1) {
        hints.append((char) ('0' + sum % 10)).append((char) ('0' + sum / 10 % 10));
      }
      hints.setLength(question.length());
      sum += operand;
    }
    question.append('=');
    hints.setLength(question.length());
    return new Problem(question.toString(), Integer.toString(sum), hints.toString().toCharArray());
  }

  /** Stands for all problems of a length: nobody learns it. */
  static Problem longest(int length) {
    return new Problem("0".repeat(length - 1), "0", new char[length - 1]);
  }

  /** Whether this is never trained on: about one problem in sixteen, by its question alone. */
  boolean isHeldOut() {
    // The upper bits of the product depend on every character.
    return question.hashCode() * 0x9E3779B9 >>> 28 == 0;
  }

  /** Characters of question and answer. */
  int length() {
    return question.length() + answer.length();
  }
}
