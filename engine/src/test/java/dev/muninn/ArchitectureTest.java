package dev.muninn;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideOutsideOfPackages;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * The arrows between the engine's packages point one way, and its files can be read at a sitting.
 */
@AnalyzeClasses(packages = "dev.muninn", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {
  private static final int MOST_LINES = 500;

  @ArchTest
  static final ArchRule nothingImportsTheFacade =
      noClasses()
          .that(resideOutsideOfPackages("dev.muninn"))
          .should()
          .dependOnClassesThat()
          .resideInAPackage("dev.muninn");

  @ArchTest
  static final ArchRule nobodyAsksForTheFamily =
      noClasses()
          .that(
              resideOutsideOfPackages(
                  "dev.muninn.family..", "dev.muninn.measure..", "dev.muninn.train.."))
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "dev.muninn.family.huginn..",
              "dev.muninn.family.retrofit..",
              "dev.muninn.family.ouro..",
              "dev.muninn.family.nanbeige..");

  @ArchTest
  static final ArchRule onlyTheFacadeChoosesAFamily =
      noClasses()
          .that(
              resideOutsideOfPackages(
                  "dev.muninn",
                  "dev.muninn.family..",
                  "dev.muninn.measure..",
                  "dev.muninn.prepare..",
                  "dev.muninn.train.."))
          .should()
          .dependOnClassesThat()
          .resideInAPackage("dev.muninn.family..");

  @ArchTest
  static final ArchRule aModelIsData = onlyDependsOn("dev.muninn.model..", "dev.muninn.weights..");

  @ArchTest
  static final ArchRule kernelsKnowRows =
      onlyDependsOn("dev.muninn.kernel..", "dev.muninn.model..", "dev.muninn.weights..");

  @ArchTest
  static final ArchRule cachesKnowModels =
      onlyDependsOn("dev.muninn.cache..", "dev.muninn.model..", "dev.muninn.weights..");

  @ArchTest
  static final ArchRule backendsAreASeam =
      onlyDependsOn(
          "dev.muninn.backend..",
          "dev.muninn.cache..",
          "dev.muninn.model..",
          "dev.muninn.weights..");

  @ArchTest
  static final ArchRule theCpuIsABackend =
      onlyDependsOn(
          "dev.muninn.vector..",
          "dev.muninn.backend..",
          "dev.muninn.cache..",
          "dev.muninn.kernel..",
          "dev.muninn.model..",
          "dev.muninn.weights..");

  /** Training has its own forward pass: of the backend it wants nothing. */
  @ArchTest
  static final ArchRule trainingNeedsNoBackend =
      noClasses()
          .that()
          .resideInAPackage("dev.muninn.train..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("dev.muninn.vector..", "dev.muninn.backend..");

  @ArchTest
  static final ArchRule decodingKnowsNoDevice =
      onlyDependsOn(
          "dev.muninn.decode..",
          "dev.muninn.backend..",
          "dev.muninn.cache..",
          "dev.muninn.model..",
          "dev.muninn.weights..");

  @ArchTest
  static final ArchRule familiesBindModels =
      noClasses()
          .that()
          .resideInAPackage("dev.muninn.family..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "dev.muninn.kernel..",
              "dev.muninn.vector..",
              "dev.muninn.backend..",
              "dev.muninn.decode..",
              "dev.muninn.cache..",
              "dev.muninn.serve..",
              "dev.muninn.train..",
              "dev.muninn.measure..");

  /** Of Muninn's packages, a package may only depend on itself and some others. */
  private static ArchRule onlyDependsOn(String itself, String... others) {
    return classes()
        .that()
        .resideInAPackage(itself)
        .should()
        .onlyDependOnClassesThat(
            resideOutsideOfPackages("dev.muninn..")
                .or(resideInAnyPackage(itself))
                .or(resideInAnyPackage(others)));
  }

  @Test
  void filesCanBeReadAtASitting() throws IOException {
    try (Stream<Path> tree = Files.walk(Path.of("src", "main", "java"))) {
      List<Path> files = tree.filter(file -> file.toString().endsWith(".java")).toList();
      assertTrue(files.size() > 100, files.size() + " files");
      for (Path file : files) {
        int lines = Files.readAllLines(file).size();
        assertTrue(lines <= MOST_LINES, () -> file + " has " + lines + " lines");
      }
    }
  }
}
