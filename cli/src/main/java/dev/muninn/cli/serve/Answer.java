package dev.muninn.cli.serve;

import dev.muninn.decode.TokenProbability;
import dev.muninn.serve.GenerationListener;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** Hears one answer on the thread that computes, and hands it on in pieces of text. */
final class Answer implements GenerationListener {
  private final int number;
  private final Consumer<Piece> pieces;
  private final Metrics metrics;
  private final long arrived;
  private List<Piece.Token> tokens = new ArrayList<>();
  private double logProbability = Double.NaN;
  private List<TokenProbability> alternatives = List.of();
  private long lastToken;

  /**
   * An answer that has not begun.
   *
   * @param pieces must take each piece at once
   * @param arrived {@link System#nanoTime} when it was asked for
   */
  Answer(int number, Consumer<Piece> pieces, Metrics metrics, long arrived) {
    this.number = number;
    this.pieces = pieces;
    this.metrics = metrics;
    this.arrived = arrived;
  }

  @Override
  public void onProbabilities(int token, double logarithm, List<TokenProbability> likeliest) {
    logProbability = logarithm;
    alternatives = likeliest;
  }

  @Override
  public void onToken(int token, int recurrences) {
    tokens.add(new Piece.Token(token, recurrences, logProbability, alternatives));
    long now = System.nanoTime();
    if (lastToken == 0) {
      metrics.firstToken(now - arrived);
    } else {
      metrics.nextToken(now - lastToken);
    }
    metrics.recurrences(recurrences);
    lastToken = now;
  }

  @Override
  public void onText(String text) {
    hand(text, false);
  }

  /** Hands on what is left; to be called when nothing more comes. */
  void end() {
    hand("", true);
  }

  private void hand(String text, boolean last) {
    pieces.accept(new Piece(number, text, tokens, last));
    tokens = new ArrayList<>();
  }
}
