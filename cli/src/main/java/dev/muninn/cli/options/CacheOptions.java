package dev.muninn.cli.options;

import dev.muninn.cache.KeyValueType;
import dev.muninn.cache.SlotPolicy;
import dev.muninn.cli.help.HelpHeading;
import java.util.Optional;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;

/** Which keys and values are kept, and how. */
@HelpHeading("Key-value cache")
public final class CacheOptions {
  @Option(
      names = "--kv",
      paramLabel = "POLICY",
      converter = PolicyConverter.class,
      description = "Recurrences that are kept: full, budget:N or anchor:N (default: full).")
  private SlotPolicy policy;

  @Option(
      names = "--kv-type",
      paramLabel = "f32|bf16|q8",
      converter = TypeConverter.class,
      description = "How they are stored (default: f32 for F32 and F16 weights, else bf16).")
  private KeyValueType type;

  public Optional<SlotPolicy> policy() {
    return Optional.ofNullable(policy);
  }

  public Optional<KeyValueType> type() {
    return Optional.ofNullable(type);
  }

  /** Reads a slot policy. */
  public static final class PolicyConverter implements ITypeConverter<SlotPolicy> {
    @Override
    public SlotPolicy convert(String value) {
      try {
        return SlotPolicy.parse(value);
      } catch (IllegalArgumentException e) {
        throw NumberConverters.expected("full, budget:N or anchor:N with N of at least 1", value);
      }
    }
  }

  /** Reads how keys and values are stored. */
  public static final class TypeConverter implements ITypeConverter<KeyValueType> {
    @Override
    public KeyValueType convert(String value) {
      return switch (value) {
        case "f32" -> KeyValueType.F32;
        case "bf16" -> KeyValueType.BF16;
        case "q8" -> KeyValueType.Q8;
        default -> throw NumberConverters.expected("f32, bf16 or q8", value);
      };
    }
  }
}
