package dev.muninn.cli.serve;

import java.util.ArrayList;
import java.util.List;

/** An answer as far as it has come. Not thread-safe. */
final class Draft {
  private final StringBuilder text = new StringBuilder();
  private final List<Piece.Token> tokens = new ArrayList<>();

  /** Characters of the texts of all tokens so far. */
  private int tokenCharacters;

  private String reason;

  void add(Piece piece) {
    text.append(piece.text());
    tokens.addAll(piece.tokens());
  }

  String text() {
    return text.toString();
  }

  List<Piece.Token> tokens() {
    return tokens;
  }

  /** Where the next token begins, counted over the texts of tokens. */
  int advance(int characters) {
    int begin = tokenCharacters;
    tokenCharacters += characters;
    return begin;
  }

  /** Why it ended, as OpenAI says it; null while it goes on. */
  String reason() {
    return reason;
  }

  void end(String why) {
    reason = why;
  }
}
