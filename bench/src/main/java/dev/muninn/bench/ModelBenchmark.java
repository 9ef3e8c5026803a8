package dev.muninn.bench;

import dev.muninn.backend.Backend;
import dev.muninn.backend.Backends;
import dev.muninn.cache.KeyValueLayout;
import dev.muninn.cache.KeyValueType;
import dev.muninn.cache.SlotPolicy;
import dev.muninn.family.ModelFamilies;
import dev.muninn.measure.ModelShape;
import dev.muninn.model.RecurrentModel;
import dev.muninn.model.WeightFormat;
import dev.muninn.weights.Checkpoint;
import dev.muninn.weights.DType;
import java.util.Optional;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Warmup;

/**
 * A model of random weights, behind the backend seam. Warm-up lasts longer than the backend may
 * take to have its kernels compiled, during which it computes by scalars.
 */
@Warmup(iterations = 6, time = 1)
public abstract class ModelBenchmark extends WorkBenchmark {
  @Param({"TINY", "SMALL"})
  public ModelShape shape;

  @Param({"BF16", "F32"})
  public DType dtype;

  @Param({"1", "2"})
  public int threads;

  /** What computes; tornado needs a JVM with TornadoVM's options. */
  @Param("vector")
  public String backendName;

  /** Id of the device that computes; none for the backend's choice. */
  @Param("")
  public String device;

  RecurrentModel model;
  Backend backend;
  private Checkpoint checkpoint;

  @Override
  protected void prepare() {
    checkpoint = RunCheckpoints.open(shape, dtype);
    model = ModelFamilies.load(checkpoint.directory(), checkpoint);
    long began = System.nanoTime();
    backend =
        Backends.open(
            model,
            checkpoint,
            threads,
            backendName,
            device.isEmpty() ? Optional.empty() : Optional.of(device));
    backend.prepare();
    // Compiling kernels and sending weights, which no figure below contains.
    System.out.printf(
        "# %s opened in %.0f ms%n", backend.description(), (System.nanoTime() - began) / 1e6);
  }

  @Override
  protected void release() {
    backend.close();
    checkpoint.close();
  }

  /** A cache as the engine makes it where nothing else is asked for. */
  KeyValueLayout layout(int recurrences, int capacity) {
    return new KeyValueLayout(
        model,
        SlotPolicy.full(),
        recurrences,
        capacity,
        KeyValueType.forWeights(WeightFormat.of(dtype)));
  }

  ModelWork workOf(int rows) {
    return new ModelWork(shape.model(dtype), rows);
  }
}
