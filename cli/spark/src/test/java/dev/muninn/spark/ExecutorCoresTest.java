package dev.muninn.spark;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.apache.spark.SparkConf;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ExecutorCoresTest {
  private static SparkConf conf(String master, String cores) {
    SparkConf conf = new SparkConf(false).set("spark.master", master);
    return cores == null ? conf : conf.set("spark.executor.cores", cores);
  }

  @ParameterizedTest
  @CsvSource(
      nullValues = "-",
      delimiter = ';',
      value = {
        "local; -; 1",
        "local[3]; -; 3",
        "local[4, 2]; -; 4",
        "local-cluster[2, 5, 1024]; -; 5",
        "spark://host:7077; 6; 6",
        "yarn; -; 1",
        "yarn; 7; 7",
        "k8s://https://host; 8; 8"
      })
  void aTaskIsGivenAllCores(String master, String cores, int expected) {
    SparkConf conf = conf(master, cores);
    ExecutorCores.giveToTask(conf);
    assertEquals(expected, conf.getInt("spark.task.cpus", 0));
    assertDoesNotThrow(() -> ExecutorCores.requireWhole(conf));
  }

  @ParameterizedTest
  @CsvSource(
      nullValues = "-",
      delimiter = ';',
      value = {
        "local[3]; -; 2; spark.task.cpus is 2, but an executor has 3 cores",
        "yarn; -; 2; spark.task.cpus is 2, but an executor has 1 core:",
        "spark://host:7077; 4; 1; spark.task.cpus is 1, but an executor has 4 cores",
        "spark://host:7077; -; 4; spark.executor.cores is not set"
      })
  void lessIsRefusedInOneLine(String master, String cores, String cpus, String expected) {
    SparkConf conf = conf(master, cores).set("spark.task.cpus", cpus);
    ExecutorCores.giveToTask(conf);
    String message =
        assertThrows(IllegalArgumentException.class, () -> ExecutorCores.requireWhole(conf))
            .getMessage();
    assertTrue(message.startsWith(expected), message);
    assertEquals(1, message.lines().count());
  }
}
