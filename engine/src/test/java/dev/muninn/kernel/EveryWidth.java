package dev.muninn.kernel;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import jdk.incubator.vector.FloatVector;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.ExtensionContext;

/** Tests that run once with vectors of each width that the machine has. */
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@Tag("widths")
@ExtendWith(EveryWidth.Available.class)
public @interface EveryWidth {
  /** Skips a run whose vectors the machine has not: it would repeat the one before. */
  final class Available implements ExecutionCondition {
    @Override
    public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
      int wanted = Integer.getInteger("vector.bits", 0);
      int longest = FloatVector.SPECIES_MAX.vectorBitSize();
      return wanted <= longest
          ? ConditionEvaluationResult.enabled("vectors have up to " + longest + " bits")
          : ConditionEvaluationResult.disabled(
              "this machine's vectors have " + longest + " bits, not " + wanted);
    }
  }
}
