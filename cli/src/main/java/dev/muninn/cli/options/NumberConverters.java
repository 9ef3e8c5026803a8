package dev.muninn.cli.options;

import dev.muninn.LoadOptions;
import java.util.function.Predicate;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * Readers of numeric options. They know the ranges so that a refusal can name the option, which the
 * engine does not know.
 */
public final class NumberConverters {
  private NumberConverters() {}

  /** A count of something that there must be one of. */
  public static final class Positive implements ITypeConverter<Integer> {
    @Override
    public Integer convert(String value) {
      return whole(value, 1);
    }
  }

  /** Threads that compute. */
  public static final class Threads implements ITypeConverter<Integer> {
    @Override
    public Integer convert(String value) {
      return whole(value, 1, LoadOptions.MOST_THREADS);
    }
  }

  /** A count of at least two. */
  public static final class AtLeastTwo implements ITypeConverter<Integer> {
    @Override
    public Integer convert(String value) {
      return whole(value, 2);
    }
  }

  /** A count that may be none. */
  public static final class Count implements ITypeConverter<Integer> {
    @Override
    public Integer convert(String value) {
      return whole(value, 0);
    }
  }

  /** Any 64 bits. */
  public static final class Seed implements ITypeConverter<Long> {
    @Override
    public Long convert(String value) {
      try {
        return Long.valueOf(value);
      } catch (NumberFormatException e) {
        throw expected("a whole number from " + Long.MIN_VALUE + " to " + Long.MAX_VALUE, value);
      }
    }
  }

  /** A number from 0 up. */
  public static final class AtLeastZero implements ITypeConverter<Float> {
    @Override
    public Float convert(String value) {
      return real(value, "a number of at least 0", number -> number >= 0);
    }
  }

  /** A number above 0. */
  public static final class AboveZero implements ITypeConverter<Float> {
    @Override
    public Float convert(String value) {
      return real(value, "a number above 0", number -> number > 0);
    }
  }

  /** A probability, 0 included. */
  public static final class Probability implements ITypeConverter<Float> {
    @Override
    public Float convert(String value) {
      return real(value, "a number from 0 to 1", number -> number >= 0 && number <= 1);
    }
  }

  /** A share of something that is not all of it. */
  public static final class ProbabilityBelowOne implements ITypeConverter<Float> {
    @Override
    public Float convert(String value) {
      return real(value, "a number from 0 to below 1", number -> number >= 0 && number < 1);
    }
  }

  /** A probability above 0. */
  public static final class ProbabilityAboveZero implements ITypeConverter<Float> {
    @Override
    public Float convert(String value) {
      return real(value, "a number above 0, at most 1", number -> number > 0 && number <= 1);
    }
  }

  /** How a converter says no; the option's name is put before it. */
  public static TypeConversionException expected(String what, String found) {
    return new TypeConversionException("expected " + what + ", not '" + found + "'");
  }

  private static int whole(String value, int minimum) {
    return whole(value, minimum, Integer.MAX_VALUE);
  }

  private static int whole(String value, int minimum, int maximum) {
    try {
      int number = Integer.parseInt(value);
      if (number >= minimum && number <= maximum) {
        return number;
      }
    } catch (NumberFormatException e) {
      // Refused below, with the range.
    }
    throw expected("a whole number from " + minimum + " to " + maximum, value);
  }

  private static float real(String value, String what, Predicate<Float> range) {
    try {
      float number = Float.parseFloat(value);
      // Java's suffixes, hexadecimal numbers and NaN are refused on a command line.
      boolean plain =
          value.chars().allMatch(character -> "+-.0123456789eE".indexOf(character) >= 0);
      if (plain && Float.isFinite(number) && range.test(number)) {
        return number;
      }
    } catch (NumberFormatException e) {
      // Refused below, with the range.
    }
    throw expected(what, value);
  }
}
