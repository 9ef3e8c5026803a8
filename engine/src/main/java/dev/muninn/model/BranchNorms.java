package dev.muninn.model;

import java.util.Optional;
import java.util.StringJoiner;

/**
 * The norms around one branch of a block: {@code x = stream(x + output(branch(before(x))))}, each
 * of them there or not.
 *
 * @param before on the branch's input
 * @param output on what the branch adds
 * @param stream on the residual stream behind the branch
 */
public record BranchNorms(Optional<Norm> before, Optional<Norm> output, Optional<Norm> stream) {

  /** Where norms stand, and their epsilons; the values are left out. */
  @Override
  public String toString() {
    StringJoiner places = new StringJoiner(" ");
    before.ifPresent(norm -> places.add("before " + norm.epsilon()));
    output.ifPresent(norm -> places.add("output " + norm.epsilon()));
    stream.ifPresent(norm -> places.add("stream " + norm.epsilon()));
    return places.toString();
  }

  /** {@code x + branch(norm(x))}, as Llama has it. */
  public static BranchNorms before(Norm before) {
    return new BranchNorms(Optional.of(before), Optional.empty(), Optional.empty());
  }

  /** {@code x + norm(branch(x))}, as OLMo-2 has it. */
  public static BranchNorms output(Norm output) {
    return new BranchNorms(Optional.empty(), Optional.of(output), Optional.empty());
  }

  /** {@code x + output(branch(before(x)))}, as Ouro has it. */
  public static BranchNorms beforeAndOutput(Norm before, Norm output) {
    return new BranchNorms(Optional.of(before), Optional.of(output), Optional.empty());
  }

  /** {@code stream(x + branch(before(x)))}, as Huginn has it. */
  public static BranchNorms beforeAndStream(Norm before, Norm stream) {
    return new BranchNorms(Optional.of(before), Optional.empty(), Optional.of(stream));
  }
}
