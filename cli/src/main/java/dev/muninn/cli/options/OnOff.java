package dev.muninn.cli.options;

import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** The value of an option that is {@code on} or {@code off}. */
public enum OnOff {
  ON,
  OFF;

  /** Whether it is {@code on}. */
  public boolean isOn() {
    return this == ON;
  }

  /** Reads it as it is typed. */
  public static final class Converter implements ITypeConverter<OnOff> {
    @Override
    public OnOff convert(String value) {
      return switch (value) {
        case "on" -> ON;
        case "off" -> OFF;
        default -> throw new TypeConversionException("'" + value + "' is neither on nor off");
      };
    }
  }
}
