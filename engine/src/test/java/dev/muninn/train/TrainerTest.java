package dev.muninn.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.LanguageModel;
import dev.muninn.ModelFiles;
import dev.muninn.decode.Cancellation;
import dev.muninn.family.huginn.HuginnConfig;
import dev.muninn.serve.GenerationRequest;
import dev.muninn.text.Tokenizer;
import dev.muninn.train.data.Batch;
import dev.muninn.train.data.TaskData;
import dev.muninn.train.data.TrainingData;
import dev.muninn.train.data.ValidationSet;
import dev.muninn.weights.Checkpoint;
import dev.muninn.weights.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whole runs of a very small model. */
class TrainerTest {
  private static final HuginnConfig CONFIG =
      new HuginnConfig(32, 2, 48, 1, 2, 1, 4, 272, 64, 50_000, 1e-6, true, true);

  private static Tokenizer tokenizer;

  @TempDir Path directory;

  @BeforeAll
  static void open() {
    tokenizer = Tokenizer.load(ModelFiles.ravenTiny(), CONFIG.vocabularySize());
  }

  @AfterAll
  static void close() {
    tokenizer.close();
  }

  private static TrainingPlan plan(long steps, int fixedDepth, boolean sandwich, DType dtype) {
    return new TrainingPlan(
        CONFIG,
        new Objective(2, fixedDepth, sandwich),
        new Schedule(steps, 2, 3e-3, 3, Schedule.Decay.INVERSE_SQUARE_ROOT, 4, 0.1, 1),
        11,
        new TrainingPlan.EvaluationPlan(5, List.of(1, 4)),
        new TrainingPlan.SavePlan(4, dtype));
  }

  private static TrainingPlan plan(long steps) {
    return plan(steps, 0, true, DType.F32);
  }

  private static TrainingData data() {
    return new TaskData(TaskData.Kind.MIX, tokenizer, 5, 30, 6, 2, 3);
  }

  /** Hears the losses; may ask for an end. */
  private static final class Losses implements TrainingListener {
    final List<Double> losses = new ArrayList<>();
    final Cancellation cancellation = new Cancellation();
    final long last;

    Losses(long last) {
      this.last = last;
    }

    @Override
    public void onStep(StepReport report) {
      losses.add(report.loss());
      if (report.step() == last) {
        cancellation.cancel();
      }
    }
  }

  /** Runs from the beginning, or from what is saved, up to a step. */
  private static List<Double> run(TrainingPlan plan, Path path, int threads, long last) {
    Losses losses = new Losses(last);
    try (TrainingDirectory files = TrainingDirectory.of(path, Map.of());
        Trainer trainer = new Trainer(plan, data(), files, threads)) {
      TrainingDirectory.readState(path)
          .ifPresentOrElse(
              state -> {
                trainer.resume(state);
                files.goOn(plan, state.step());
              },
              () -> files.begin(plan, ModelFiles.ravenTiny()));
      trainer.run(losses, losses.cancellation);
    }
    return losses.losses;
  }

  @Test
  void aSeedGivesTheSameLossesAndTheyFall() {
    List<Double> first = run(plan(12), directory.resolve("a"), 2, 0);
    List<Double> second = run(plan(12), directory.resolve("b"), 2, 0);
    assertEquals(12, first.size());
    assertEquals(first, second);
    assertTrue(first.getLast() < first.getFirst() - 0.5, first.toString());
  }

  @Test
  void aRunThatWasInterruptedHasTheLossesOfOneThatWasNot() throws IOException {
    List<Double> whole = run(plan(13), directory.resolve("whole"), 2, 0);
    Path parts = directory.resolve("parts");
    List<Double> losses = new ArrayList<>(run(plan(13), parts, 2, 6));
    assertEquals(6, losses.size());
    losses.addAll(run(plan(13), parts, 2, 7));
    losses.addAll(run(plan(13), parts, 2, 0));
    assertEquals(whole, losses);
    for (String name : List.of("model.safetensors", TrainingDirectory.VALIDATION_LOG)) {
      assertEquals(
          -1, Files.mismatch(directory.resolve("whole").resolve(name), parts.resolve(name)), name);
    }
    assertEquals(losses(directory.resolve("whole")), losses(parts));
    assertEquals(13, losses(parts).size());
    assertEquals(List.of(), run(plan(13), parts, 2, 0));
  }

  /** Steps and losses of the log. */
  private static List<String> losses(Path path) throws IOException {
    return Files.readAllLines(path.resolve(TrainingDirectory.LOG)).stream()
        .skip(1)
        .map(line -> line.substring(0, line.indexOf(',', line.indexOf(',') + 1)))
        .toList();
  }

  @Test
  void linesBehindTheSavedStepAndHalfLinesAreCut() throws IOException {
    Path path = directory.resolve("cut");
    run(plan(13), path, 1, 6);
    Path log = path.resolve(TrainingDirectory.LOG);
    Files.writeString(log, Files.readString(log) + "7,1.5,3,1e-3,1.0,100\n8,1.2");
    run(plan(13), path, 1, 0);
    assertEquals(13, losses(path).size());
    assertFalse(Files.readString(log).contains("7,1.5,"));
  }

  @Test
  void twoRunsDoNotWriteToTheSameDirectory() {
    try (TrainingDirectory first = TrainingDirectory.of(directory, Map.of())) {
      TrainingException thrown =
          assertThrows(TrainingException.class, () -> TrainingDirectory.of(directory, Map.of()));
      assertEquals(first.path() + ": another run is writing there", thrown.getMessage());
    }
    TrainingDirectory.of(directory, Map.of()).close();
  }

  @Test
  void whatIsSavedGenerates() {
    for (DType dtype : List.of(DType.F32, DType.BF16)) {
      Path path = directory.resolve(dtype.name());
      run(plan(3, 0, true, dtype), path, 1, 0);
      try (LanguageModel model = LanguageModel.load(path)) {
        assertEquals(dtype, model.checkpoint().tensor("transformer.wte.weight").dtype());
        assertEquals(
            4,
            model
                .generate(GenerationRequest.builder("12=").maxTokens(1).build())
                .recurrences()
                .getFirst());
      }
    }
  }

  @Test
  void theBaselineAndPreNormBlocksLearnToo() {
    List<Double> fixed = run(plan(8, 3, true, DType.F32), directory.resolve("fixed"), 2, 0);
    assertTrue(fixed.getLast() < fixed.getFirst(), fixed.toString());
    Path plain = directory.resolve("plain");
    TrainingPlan plan = plan(8, 0, false, DType.F32);
    List<Double> losses = run(plan, plain, 2, 5);
    losses.addAll(run(plan, plain, 2, 0));
    assertTrue(losses.getLast() < losses.getFirst(), losses.toString());
    try (Checkpoint checkpoint = Checkpoint.open(plain)) {
      assertFalse(checkpoint.contains("transformer.coda.0.norm_2.weight"));
      assertTrue(checkpoint.contains("transformer.coda.0.norm_3.weight"));
    }
  }

  @Test
  void aLossThatIsNoNumberStopsAndKeepsTheLastCheckpoint() throws IOException {
    Path path = directory.resolve("nan");
    Path model = path.resolve(Checkpoint.SINGLE_FILE);
    try (TrainingDirectory files = TrainingDirectory.of(path, Map.of());
        Trainer trainer = new Trainer(plan(20), data(), files, 2)) {
      files.begin(plan(20), ModelFiles.ravenTiny());
      byte[][] saved = new byte[1][];
      TrainingListener poison =
          new TrainingListener() {
            @Override
            public void onStep(StepReport report) {
              if (report.step() == 6) {
                trainer.parameters().all().getFirst().values['=' * 32] = Float.NaN;
                try {
                  saved[0] = Files.readAllBytes(model);
                } catch (IOException e) {
                  throw new AssertionError(e);
                }
              }
            }
          };
      TrainingException thrown =
          assertThrows(TrainingException.class, () -> trainer.run(poison, new Cancellation()));
      assertTrue(
          thrown
              .getMessage()
              .startsWith("step 7: the loss is NaN; the checkpoint of step 4 is kept"),
          thrown.getMessage());
      assertEquals(-1, Arrays.mismatch(saved[0], Files.readAllBytes(model)));
    }
    assertEquals(4, TrainingDirectory.readState(path).orElseThrow().step());
  }

  @Test
  void aCheckpointOfAnotherTypeIsABeginning() {
    Path first = directory.resolve("first");
    List<Double> losses = run(plan(12, 0, true, DType.BF16), first, 1, 0);
    Path second = directory.resolve("second");
    Losses heard = new Losses(1);
    try (TrainingDirectory files = TrainingDirectory.of(second, Map.of());
        Trainer trainer = new Trainer(plan(12), data(), files, 1);
        Checkpoint checkpoint = Checkpoint.open(first)) {
      trainer.initialize(checkpoint);
      files.begin(plan(12), first);
      trainer.run(heard, heard.cancellation);
    }
    assertTrue(heard.losses.getFirst() < losses.getFirst() - 0.5);
  }

  /** Problems that grow by one whenever they were tried, up to a size. */
  private static final class Growing implements TrainingData {
    final TrainingData problems = data();
    final int most;
    int size;

    Growing(int most) {
      this.most = most;
    }

    @Override
    public Batch batch(long number) {
      return problems.batch(number);
    }

    @Override
    public List<ValidationSet> validation() {
      return problems.validation();
    }

    @Override
    public void evaluated(Map<String, Double> accuracies) {
      size = Math.min(most, size + 1);
    }

    @Override
    public Map<String, String> state() {
      return Map.of("size", Integer.toString(size));
    }
  }

  @Test
  void onlyATrainedModelBeginsWithWhatItCanDo() {
    Path first = directory.resolve("first");
    run(plan(1), first, 1, 0);
    for (boolean trained : new boolean[] {false, true}) {
      Growing problems = new Growing(3);
      Losses heard = new Losses(1);
      Path path = directory.resolve("trained " + trained);
      try (TrainingDirectory files = TrainingDirectory.of(path, Map.of());
          Trainer trainer = new Trainer(plan(12), problems, files, 1);
          Checkpoint checkpoint = Checkpoint.open(first)) {
        if (trained) {
          trainer.initialize(checkpoint);
        }
        files.begin(plan(12), first);
        trainer.run(heard, heard.cancellation);
      }
      assertEquals(trained ? 3 : 0, problems.size);
    }
  }
}
