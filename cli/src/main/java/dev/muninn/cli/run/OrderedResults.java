package dev.muninn.cli.run;

import dev.muninn.LanguageModel;
import dev.muninn.cli.output.ResultJson;
import dev.muninn.cli.terminal.Progress;
import dev.muninn.cli.terminal.StandardStreams;
import dev.muninn.cli.terminal.Terminal;
import dev.muninn.decode.Cancellation;
import dev.muninn.serve.GenerationResult;
import dev.muninn.serve.Outcome;
import java.io.IOException;
import java.util.List;

/** Writes results in the order of their prompts as they are made in any order. */
final class OrderedResults implements AutoCloseable {
  private final StandardStreams streams;
  private final List<PromptLines.Line> lines;
  private final LanguageModel model;
  private final Cancellation cancellation;
  private final GenerationResult[] waiting;
  private final Progress progress;
  private int next;
  private IOException failure;

  /**
   * @param cancellation is cancelled when the output's reader is gone
   */
  OrderedResults(
      StandardStreams streams,
      List<PromptLines.Line> lines,
      LanguageModel model,
      Cancellation cancellation) {
    this.streams = streams;
    this.lines = lines;
    this.model = model;
    this.cancellation = cancellation;
    this.waiting = new GenerationResult[lines.size()];
    // Results on the terminal are progress enough, and a bar would run through them.
    this.progress = new Progress(Terminal.showsProgress(), "prompts", lines.size());
  }

  /** Takes the result of a prompt. */
  void accept(GenerationResult result, int index) {
    waiting[index] = result;
    progress.step();
    while (next < waiting.length && waiting[next] != null && failure == null) {
      write(next++);
    }
  }

  /**
   * Writes what was made of prompts that were cancelled or failed, and of those behind them.
   *
   * @param outcomes of all prompts
   */
  void finish(List<Outcome<GenerationResult>> outcomes) throws IOException {
    for (; next < waiting.length && failure == null; next++) {
      Outcome<GenerationResult> outcome = outcomes.get(next);
      if (outcome.isPresent()) {
        waiting[next] = outcome.orElseThrow();
        write(next);
      } else if (outcome.failure().isPresent()) {
        String reason = String.valueOf(outcome.failure().get().getMessage());
        write(ResultJson.failure(lines.get(next).id(), reason));
      }
    }
    if (failure != null) {
      throw failure;
    }
  }

  private void write(int index) {
    write(ResultJson.line(lines.get(index).id(), model, waiting[index]));
  }

  private void write(String line) {
    try {
      streams.out().write(line);
      streams.out().flush();
    } catch (IOException e) {
      failure = e;
      cancellation.cancel();
    }
  }

  @Override
  public void close() {
    progress.close();
  }
}
