package dev.muninn.spark;

import dev.muninn.backend.BackendException;
import dev.muninn.weights.CheckpointException;
import java.io.IOException;
import java.io.Serializable;
import java.util.List;
import java.util.concurrent.Callable;
import org.apache.spark.api.java.JavaSparkContext;

/**
 * What an executor says to a question that the driver has before its job begins. A refusal travels
 * as a value: Spark would run a task that throws again and again, and report each try.
 *
 * @param value null if it was refused
 * @param refusal in one line; null if there is none
 */
record Answer<T>(T value, Exception refusal) implements Serializable {

  /** A question, which travels. */
  interface Question<T> extends Callable<T>, Serializable {}

  /**
   * Asks an executor.
   *
   * @throws IOException as the question throws it; so are the exceptions of models and arguments
   */
  static <T> T of(JavaSparkContext context, Question<T> question) throws IOException {
    Answer<T> answer = context.parallelize(List.of(0), 1).map(part -> answer(question)).first();
    switch (answer.refusal) {
      case IOException refusal -> throw refusal;
      case RuntimeException refusal -> throw refusal;
      case null, default -> {
        return answer.value;
      }
    }
  }

  private static <T> Answer<T> answer(Question<T> question) throws Exception {
    try {
      return new Answer<>(question.call(), null);
    } catch (IOException
        | CheckpointException
        | BackendException
        | IllegalArgumentException refusal) {
      return new Answer<>(null, refusal);
    }
  }
}
