package dev.muninn.cli;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What Java is told about the kernels' compilation names classes and methods. A name that is gone
 * would be ignored without a word, and the kernels compiled late.
 */
class CompileCommandsTest {
  private static final Pattern NAME = Pattern.compile(",(dev\\.muninn\\.[\\w.]+)::([\\w*]+)");

  @ParameterizedTest
  @ValueSource(strings = {"launcher.args", "binary/src/main/image/lib/java.args"})
  void everyNameExists(String file) throws IOException {
    List<String> commands =
        Files.readAllLines(Path.of(file)).stream()
            .filter(line -> line.startsWith("-XX:CompileCommand=") && line.contains("dev.muninn"))
            .toList();
    assertFalse(commands.isEmpty());
    for (String command : commands) {
      Matcher name = NAME.matcher(command);
      assertTrue(name.find(), command);
      Class<?> named =
          assertDoesNotThrow(
              () -> Class.forName(name.group(1), false, getClass().getClassLoader()), command);
      String method = name.group(2);
      assertTrue(
          method.equals("*")
              || Arrays.stream(named.getDeclaredMethods())
                  .anyMatch(m -> m.getName().equals(method)),
          command);
    }
  }
}
