package dev.muninn.text;

import java.util.List;

/** The names of the special tokens of the Huginn family, as tokenizer.json spells them. */
public final class SpecialTokens {
  /** Stands once at the front of everything the model reads. */
  public static final String BEGIN_TEXT = "<|begin_text|>";

  /** Ends a text. */
  public static final String END_TEXT = "<|end_text|>";

  /** Opens the header of a message, which holds the role. */
  public static final String BEGIN_HEADER = "<|begin_header|>";

  /** Closes the header of a message. */
  public static final String END_HEADER = "<|end_header|>";

  /** Ends a message. */
  public static final String END_TURN = "<|end_turn|>";

  /** Fills rows of a batch; never part of a text. */
  public static final String PAD = "<|pad|>";

  static final List<String> FAMILY =
      List.of(BEGIN_TEXT, END_TEXT, BEGIN_HEADER, END_HEADER, END_TURN, PAD);

  private SpecialTokens() {}
}
