package dev.muninn.cli.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muninn.LanguageModel;
import dev.muninn.backend.DeviceLimits;
import dev.muninn.backend.KernelTime;
import dev.muninn.cli.CommandRun;
import java.io.IOException;
import java.io.StringWriter;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What each kernel took, beside what the device reached. */
class KernelReportTest {
  private static final List<KernelTime> TIMES =
      List.of(
          new KernelTime("product down", 8, 2_000, 1e6, 3e6),
          new KernelTime("join", 1, 500, 1e3, 0));

  private static String write(Report.Format format) throws IOException {
    try (LanguageModel model = LanguageModel.load(CommandRun.RAVEN_TINY)) {
      DeviceLimits limits = new DeviceLimits(1e12, 2e12);
      Bench bench = new Bench("1", "tiny", model, limits, 2, Instant.EPOCH, 1);
      StringWriter out = new StringWriter();
      KernelReport.write(out, format, bench, TIMES);
      return out.toString();
    }
  }

  @Test
  void tableForPeople() throws IOException {
    List<String> rows =
        write(Report.Format.MD).lines().filter(line -> line.startsWith("|")).toList();
    assertEquals(4, rows.size());
    assertEquals(1, rows.stream().map(String::length).distinct().count(), () -> "" + rows);
    assertTrue(rows.get(2).contains("| product down"), rows.get(2));
    assertTrue(rows.get(2).contains("500 (50 %)"), rows.get(2));
    assertTrue(rows.get(2).contains("1500 (75 %)"), rows.get(2));
    assertTrue(rows.get(3).contains("2.00 (0 %)"), rows.get(3));
  }

  @Test
  void valuesForPrograms() throws IOException {
    List<String> csv = write(Report.Format.CSV).lines().toList();
    assertEquals(3, csv.size());
    assertTrue(csv.getFirst().endsWith("kernel,rows,ns,gb_s,gb_s_share,gflop_s,gflop_s_share"));
    assertTrue(csv.get(1).endsWith("product down,8,2000.0,500.0,0.5,1500.0,0.75"), csv.get(1));
    assertTrue(csv.get(2).endsWith("join,1,500.0,2.0,0.002,,"), csv.get(2));
    assertEquals(2, write(Report.Format.JSONL).lines().count());
    assertTrue(write(Report.Format.JSON).startsWith("["));
  }
}
