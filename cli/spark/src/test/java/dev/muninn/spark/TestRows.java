package dev.muninn.spark;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Rows as they come: sums, check digits and nonsense, as texts, tokens and conversations. */
final class TestRows {
  private static final int KINDS = 5;

  private TestRows() {}

  /** Lines of JSONL; the id of each is its number from 0. */
  static List<String> lines(int count) {
    Random random = new Random(7);
    List<String> lines = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      String sum = random.nextInt(100) + "+" + random.nextInt(100) + "=";
      String digits = random.nextLong(1_000_000_000_000L) + "=";
      String asked =
          switch (i % KINDS) {
            case 0 -> "\"prompt\":\"" + sum + "\"";
            case 1 -> "\"prompt\":\"" + digits + "\"";
            case 2 -> "\"prompt\":\"Why, " + digits + " \\u00e9?\"";
            case 3 -> "\"prompt_tokens\":[256," + (int) sum.charAt(0) + ",43,55,61]";
            default -> "\"messages\":[{\"role\":\"user\",\"content\":\"" + sum + "\"}]";
          };
      lines.add("{\"id\":" + i + "," + asked + "}");
    }
    return lines;
  }

  /** A file of lines. */
  static Path file(Path directory, List<String> lines) throws IOException {
    return Files.write(directory.resolve("rows.jsonl"), lines);
  }
}
