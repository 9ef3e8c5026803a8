package dev.muninn.train;

import dev.muninn.weights.Tensor;
import java.util.List;

/** A trained tensor: its F32 master values, AdamW's two moments, and a gradient for each thread. */
final class Parameter {
  final String name;
  final List<Long> shape;
  final float[] values;
  final float[] firstMoment;
  final float[] secondMoment;
  private final float[][] gradients;

  Parameter(String name, List<Long> shape, int threads) {
    this.name = name;
    this.shape = List.copyOf(shape);
    long size = 1;
    for (long dimension : shape) {
      size = Math.multiplyExact(size, dimension);
    }
    this.values = new float[Math.toIntExact(size)];
    this.firstMoment = new float[values.length];
    this.secondMoment = new float[values.length];
    this.gradients = new float[threads][values.length];
  }

  /** Widens a tensor of this shape. */
  void read(Tensor tensor, float[] target) {
    for (int i = 0; i < target.length; i++) {
      target[i] = tensor.get(i);
    }
  }

  /** What a thread adds its gradients to; after they are gathered, thread 0's is their sum. */
  float[] gradient(int thread) {
    return gradients[thread];
  }

  int threads() {
    return gradients.length;
  }

  /** Matrices decay; norms and biases do not. */
  boolean decays() {
    return shape.size() == 2;
  }
}
