package dev.muninn.cli.serve;

import dev.muninn.serve.FinishReason;
import dev.muninn.serve.GenerationResult;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Brings the answers to one request to its client: as they are made, or all at once. */
final class Delivery {
  /** After such a silence a stream shows that it lives, which also finds out who has left. */
  private static final long SILENCE_SECONDS = 2;

  private final Client client;
  private final Answers answers;
  private final Question question;
  private final Reply reply;
  private final Usage usage;
  private final List<Draft> drafts = new ArrayList<>();
  private final StringBuilder events = new StringBuilder();
  private int open;

  Delivery(Client client, Answers answers, Reply reply, Usage usage) {
    this.client = client;
    this.answers = answers;
    this.question = answers.question();
    this.reply = reply;
    this.usage = usage;
    for (int answer = 0; answer < question.total(); answer++) {
      drafts.add(new Draft());
    }
    this.open = question.generates() ? question.total() : 0;
  }

  /**
   * Delivers all of it.
   *
   * @throws IOException if the client has left
   */
  void run() throws IOException, InterruptedException {
    for (int answer = 0; answer < question.total(); answer += question.choices()) {
      usage.addPrompt(answers.prompt(answer).length);
    }
    if (question.stream()) {
      stream();
    } else {
      whole();
    }
  }

  private void whole() throws IOException, InterruptedException {
    for (int answer = 0; question.echo() && answer < question.total(); answer++) {
      drafts.get(answer).add(echo(answer));
    }
    while (open > 0) {
      Piece piece = answers.next(SILENCE_SECONDS);
      if (piece != null) {
        take(piece);
      }
    }
    client.answer(200, reply.whole(drafts, usage));
  }

  private Piece echo(int answer) throws InterruptedException {
    Piece piece = answers.echo(answer);
    if (piece.last()) {
      drafts.get(answer).end("length");
    }
    return piece;
  }

  /** Adds a piece to its answer, and ends that with the last. */
  private void take(Piece piece) throws InterruptedException {
    Draft draft = drafts.get(piece.answer());
    draft.add(piece);
    if (piece.last()) {
      GenerationResult result = answers.outcome(piece.answer()).orElseThrow();
      if (result.finishReason() == FinishReason.CANCELLED) {
        throw ApiException.unavailable("the server is shutting down");
      }
      draft.end(Answers.reason(result));
      usage.addAnswer(result, draft.tokens());
      open--;
    }
  }

  private void stream() throws IOException, InterruptedException {
    client.beginStream();
    for (int answer = 0; answer < question.total(); answer++) {
      String opening = reply.opening(answer);
      if (!opening.isEmpty()) {
        event(opening);
      }
      if (question.echo()) {
        event(reply.part(echo(answer), drafts.get(answer)));
      }
    }
    send();
    while (open > 0) {
      Piece piece = answers.next(SILENCE_SECONDS);
      if (piece == null) {
        events.append(": waiting\n\n");
      }
      while (piece != null) {
        take(piece);
        event(reply.part(piece, drafts.get(piece.answer())));
        piece = answers.next(0);
      }
      send();
    }
    if (question.includeUsage()) {
      event(reply.usage(usage));
    }
    events.append("data: [DONE]\n\n");
    send();
    client.end();
  }

  /** An object on a line of its own, and an empty line. */
  private void event(String object) {
    events.append("data: ").append(object).append('\n');
  }

  private void send() throws IOException {
    client.write(events.toString().getBytes(StandardCharsets.UTF_8));
    events.setLength(0);
  }
}
