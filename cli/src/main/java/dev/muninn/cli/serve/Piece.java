package dev.muninn.cli.serve;

import dev.muninn.decode.TokenProbability;
import java.util.List;

/**
 * More of an answer.
 *
 * @param answer which one, counted over all prompts
 * @param text what the tokens add to the text; may be empty
 * @param tokens the tokens since the last piece
 * @param last whether nothing follows
 */
record Piece(int answer, String text, List<Token> tokens, boolean last) {

  /**
   * A token of a prompt or an answer.
   *
   * @param id its number
   * @param recurrences applications of the recurrent block to the position that chose it; 0 for a
   *     token of the prompt
   * @param logProbability natural logarithm of its probability; NaN if it was not asked for, or for
   *     a prompt's first token
   * @param alternatives the likeliest tokens in its place
   */
  record Token(
      int id, int recurrences, double logProbability, List<TokenProbability> alternatives) {}

  Piece {
    tokens = List.copyOf(tokens);
  }
}
