package dev.muninn.cli.serve;

import dev.muninn.LanguageModel;
import dev.muninn.serve.ContinuationScores;
import dev.muninn.serve.FinishReason;
import dev.muninn.serve.GenerationResult;
import dev.muninn.serve.Outcome;
import dev.muninn.serve.Submission;
import dev.muninn.text.Prompt;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** All answers to one request, from when they are asked for. Closing it cancels what is left. */
final class Answers implements AutoCloseable {
  private final Question question;
  private final LanguageModel model;
  private final List<int[]> prompts = new ArrayList<>();
  private final List<Submission<ContinuationScores>> scores = new ArrayList<>();
  private final List<Submission<GenerationResult>> submissions = new ArrayList<>();
  private final BlockingQueue<Piece> pieces = new LinkedBlockingQueue<>();

  /**
   * Asks for all of them, or for none.
   *
   * @param arrived {@link System#nanoTime} when the request did
   * @throws RuntimeException what the model refuses it by
   */
  Answers(LanguageModel model, Question question, Metrics metrics, long arrived) {
    this.model = model;
    this.question = question;
    try {
      for (Prompt prompt : question.prompts()) {
        prompts.add(tokens(prompt));
      }
      for (int[] prompt : prompts) {
        if (question.scoresPrompt() && prompt.length > 1) {
          scores.add(model.submit(question.score(prompt)));
        } else {
          scores.add(null);
        }
      }
      for (int number = 0; question.generates() && number < question.total(); number++) {
        Answer answer = new Answer(number, pieces::add, metrics, arrived);
        int[] prompt = prompts.get(number / question.choices());
        Submission<GenerationResult> submission =
            model.submit(question.request(number, prompt), answer);
        submissions.add(submission);
        submission.whenDone(answer::end);
      }
    } catch (RuntimeException | Error e) {
      close();
      throw e;
    }
  }

  private int[] tokens(Prompt prompt) {
    try {
      int[] tokens = model.tokens(prompt);
      model.requireFit(tokens.length);
      return tokens;
    } catch (IllegalArgumentException e) {
      throw ApiException.unfitPrompt(question.source(), e.getMessage());
    }
  }

  Question question() {
    return question;
  }

  /** The tokens of an answer's prompt. */
  int[] prompt(int answer) {
    return prompts.get(answer / question.choices());
  }

  /** The next piece of any answer, or null if none comes in time. */
  Piece next(long seconds) throws InterruptedException {
    return pieces.poll(seconds, TimeUnit.SECONDS);
  }

  /** The prompt of an answer as a piece of it, with probabilities if they were asked for. */
  Piece echo(int answer) throws InterruptedException {
    int[] prompt = prompt(answer);
    Submission<ContinuationScores> submission = scores.get(answer / question.choices());
    ContinuationScores scored = submission == null ? null : submission.await().orElseThrow();
    List<Piece.Token> tokens = new ArrayList<>();
    for (int i = 0; i < prompt.length; i++) {
      boolean known = scored != null && i > 0;
      tokens.add(
          new Piece.Token(
              prompt[i],
              0,
              known ? scored.logProbabilities().getFirst().get(i - 1) : Double.NaN,
              known && question.alternatives() > 0
                  ? scored.alternatives().getFirst().get(i - 1)
                  : List.of()));
    }
    String text = model.tokenizer().orElseThrow().decode(prompt);
    return new Piece(answer, text, tokens, !question.generates());
  }

  /** What became of an answer that has ended. */
  Outcome<GenerationResult> outcome(int answer) throws InterruptedException {
    return submissions.get(answer).await();
  }

  /** Why an answer ended, as OpenAI says it. */
  static String reason(GenerationResult result) {
    return result.finishReason() == FinishReason.STOP ? "stop" : "length";
  }

  @Override
  public void close() {
    submissions.forEach(Submission::cancel);
    scores.stream().filter(score -> score != null).forEach(Submission::cancel);
  }
}
