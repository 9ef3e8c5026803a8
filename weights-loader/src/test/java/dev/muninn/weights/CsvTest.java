package dev.muninn.weights;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CsvTest {
  @ParameterizedTest
  @ValueSource(
      strings = {
        "=1+1",
        "=HYPERLINK(\"http://x\")",
        "+1+1",
        "-",
        "--",
        "-a",
        "-1-1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\n=1",
        "＝1",
        "+",
        "=",
        "-1e99999",
        "-0.5.5",
        "-cmd|' /C calc'!A0"
      })
  void formulasAreTexts(String text) {
    String cell = Csv.cell(text);
    String begin = cell.startsWith("\"") ? "\"'" : "'";
    assertEquals(begin, cell.substring(0, begin.length()), cell);
  }

  @Test
  void numbersStayNumbers() {
    assertEquals("-0.5", Csv.cell(-0.5));
    assertEquals("-1.5E-7", Csv.cell(-1.5e-7f));
    assertEquals("-12", Csv.cell(-12));
    assertEquals("NaN", Csv.cell(Double.NaN));
    for (String number : new String[] {"-0.5", "+3", "-.5", "-5.", "-1e-7", "+2.5E10"}) {
      assertEquals(number, Csv.cell(number));
    }
  }

  @Test
  void whatNeedsQuotesHasThem() {
    assertEquals("", Csv.cell(null));
    assertEquals("", Csv.cell(""));
    assertEquals("a b", Csv.cell("a b"));
    assertEquals("\"a,b\"", Csv.cell("a,b"));
    assertEquals("\"a\"\"b\"", Csv.cell("a\"b"));
    assertEquals("\"a\nb\"", Csv.cell("a\nb"));
    assertEquals("\"'=\"\"a\"\",1\"", Csv.cell("=\"a\",1"));
    assertEquals("a=1", Csv.cell("a=1"));
  }
}
