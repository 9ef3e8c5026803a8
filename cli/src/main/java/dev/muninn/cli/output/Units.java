package dev.muninn.cli.output;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.Locale;

/** Quantities for people. */
public final class Units {
  private static final String[] BYTES = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};

  private Units() {}

  /** A size with the unit that leaves one to three digits before the point. */
  public static String bytes(long bytes) {
    double value = bytes;
    int unit = 0;
    while (value >= 999.95 && unit < BYTES.length - 1) {
      value /= 1000;
      unit++;
    }
    return unit == 0 ? bytes + " B" : format("%.1f %s", value, BYTES[unit]);
  }

  /** A number of things, as in "1 tensor" and "31 tensors". */
  public static String count(long number, String thing) {
    return format("%,d %s%s", number, thing, number == 1 ? "" : "s");
  }

  /** A number with three digits that count. */
  public static String significant(double value) {
    if (!Double.isFinite(value)) {
      return Double.isNaN(value) ? "-" : Double.toString(value);
    }
    if (value != 0 && (Math.abs(value) < 1e-3 || Math.abs(value) >= 1e5)) {
      return format("%.1e", value);
    }
    BigDecimal rounded = new BigDecimal(value).round(new MathContext(3));
    return rounded.signum() == 0 ? "0" : rounded.stripTrailingZeros().toPlainString();
  }

  /** For people: nanoseconds say nothing. */
  public static double milliseconds(long nanoseconds) {
    return nanoseconds / 1e6;
  }

  /** As {@link String#format}, the same in every locale. */
  public static String format(String pattern, Object... values) {
    return String.format(Locale.ROOT, pattern, values);
  }
}
