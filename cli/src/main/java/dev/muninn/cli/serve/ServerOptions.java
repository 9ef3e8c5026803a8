package dev.muninn.cli.serve;

import com.sun.management.OperatingSystemMXBean;
import dev.muninn.cli.help.HelpHeading;
import dev.muninn.cli.options.NumberConverters;
import dev.muninn.cli.options.UsageException;
import dev.muninn.serve.PrefixReuse;
import dev.muninn.serve.ServiceOptions;
import dev.muninn.weights.InputFile;
import dev.muninn.weights.Utf8Text;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;

/** How the server meets its clients. */
@HelpHeading("Server")
final class ServerOptions {
  private static final int MOST_KEY_BYTES = 4096;

  @Option(
      names = "--host",
      paramLabel = "ADDRESS",
      description = "Where to listen (default: 127.0.0.1, this machine alone).")
  private String host = "127.0.0.1";

  @Option(
      names = "--port",
      paramLabel = "N",
      converter = PortConverter.class,
      description = "0 takes any that is free (default: 8080).")
  private int port = 8080;

  @Option(
      names = "--api-key-file",
      paramLabel = "FILE",
      description = "Clients must send the key in this file.")
  private Path keyFile;

  @Option(
      names = "--cors-origin",
      paramLabel = "ORIGIN",
      description = "A page that may ask, such as https://example.org; may be repeated.")
  private List<String> origins = new ArrayList<>();

  @Option(
      names = "--max-body",
      paramLabel = "BYTES",
      converter = BytesConverter.class,
      description = "Largest request (default: 4M).")
  private long mostBody = 4L << 20;

  @Option(
      names = "--patience",
      paramLabel = "SECONDS",
      converter = NumberConverters.Positive.class,
      description = "For a client to send a request or read a piece (default: 30).")
  private int patience = 30;

  @Option(
      names = "--drain",
      paramLabel = "SECONDS",
      converter = NumberConverters.Count.class,
      description = "For answers to end when the server is stopped (default: 30).")
  private int drain = 30;

  @Option(
      names = "--parallel",
      paramLabel = "N",
      converter = NumberConverters.Positive.class,
      description = "Most answers at once (default: 8).")
  private int parallel = 8;

  @Option(
      names = "--max-queue",
      paramLabel = "N",
      converter = NumberConverters.Count.class,
      description = "Most that wait; more get status 429 (default: 256).")
  private int mostQueued = 256;

  @Option(
      names = "--kv-memory",
      paramLabel = "BYTES",
      converter = BytesConverter.class,
      description = "For keys and values, such as 8G (default: a quarter of the memory).")
  private Long keyValueBytes;

  @Option(
      names = "--prefix-reuse",
      paramLabel = "off|exact|any",
      converter = ReuseConverter.class,
      description =
          "Reuse keys and values of prompts that begin alike: where it changes no bit, or always"
              + " (default: exact).")
  private PrefixReuse reuse = PrefixReuse.EXACT;

  /** Where and how to listen. */
  Settings settings() throws IOException {
    InetAddress address;
    try {
      address = InetAddress.getByName(host);
    } catch (UnknownHostException e) {
      throw new UsageException("--host: there is no address " + host);
    }
    for (String origin : origins) {
      if (!origin.equals("*") && !origin.matches("https?://[^/\\s]+")) {
        throw new UsageException(
            "--cors-origin: expected an origin such as https://example.org, not '" + origin + "'");
      }
    }
    return new Settings(
        new InetSocketAddress(address, port),
        key(),
        origins,
        (int) Math.min(mostBody, 1 << 30),
        Duration.ofSeconds(patience));
  }

  private Optional<String> key() throws IOException {
    if (keyFile == null) {
      return Optional.empty();
    }
    String key =
        Utf8Text.decode(keyFile.toString(), InputFile.read(keyFile, MOST_KEY_BYTES, "a key"))
            .strip();
    if (key.isEmpty() || key.lines().count() != 1) {
      throw new IOException(keyFile + ": expected one line, the key");
    }
    return Optional.of(key);
  }

  ServiceOptions service() {
    return new ServiceOptions(
        parallel,
        keyValueBytes == null ? Math.max(1, memory() / 4) : keyValueBytes,
        mostQueued,
        reuse);
  }

  private static long memory() {
    return ((OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
        .getTotalMemorySize();
  }

  Duration drain() {
    return Duration.ofSeconds(drain);
  }

  /** Reads a port. */
  static final class PortConverter implements ITypeConverter<Integer> {
    @Override
    public Integer convert(String value) {
      if (value.matches("[0-9]{1,5}") && Integer.parseInt(value) <= 65535) {
        return Integer.valueOf(value);
      }
      throw NumberConverters.expected("a whole number from 0 to 65535", value);
    }
  }

  /** Reads a number of bytes, with K, M or G for powers of 1024. */
  static final class BytesConverter implements ITypeConverter<Long> {
    @Override
    public Long convert(String value) {
      if (value.matches("[0-9]{1,12}[KMG]?")) {
        int unit = "KMG".indexOf(value.charAt(value.length() - 1)) + 1;
        String digits = unit == 0 ? value : value.substring(0, value.length() - 1);
        long number = Long.parseLong(digits);
        if (number > 0 && number <= Long.MAX_VALUE >> 10 * unit) {
          return number << 10 * unit;
        }
      }
      throw NumberConverters.expected("bytes above 0, such as 512M or 8G", value);
    }
  }

  /** Reads which prefixes are reused. */
  static final class ReuseConverter implements ITypeConverter<PrefixReuse> {
    @Override
    public PrefixReuse convert(String value) {
      return switch (value) {
        case "off" -> PrefixReuse.OFF;
        case "exact" -> PrefixReuse.EXACT;
        case "any" -> PrefixReuse.ANY;
        default -> throw NumberConverters.expected("off, exact or any", value);
      };
    }
  }
}
