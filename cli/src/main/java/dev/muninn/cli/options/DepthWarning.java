package dev.muninn.cli.options;

import dev.muninn.cli.terminal.StandardStreams;
import dev.muninn.model.RecurrentModel;
import java.util.Collection;

/** One line on standard error where more recurrences are known to make a model's answers worse. */
public final class DepthWarning {
  private DepthWarning() {}

  /**
   * Warns if any of the numbers of recurrences is beyond what the model was trained for, and the
   * model is of a family that is known to get worse there.
   */
  public static void check(
      StandardStreams streams, RecurrentModel model, Collection<Integer> recurrences) {
    int most = recurrences.stream().mapToInt(Integer::intValue).max().orElse(0);
    int trained = model.defaultRecurrence();
    if (model.depth().fadesBeyond() && most > trained) {
      streams
          .err()
          .println(
              "muninn: this model was trained with "
                  + trained
                  + " recurrences; with "
                  + most
                  + ", models of the family "
                  + model.family()
                  + " answer worse");
    }
  }
}
