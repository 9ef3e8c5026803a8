package dev.muninn.cli.inspect;

import dev.muninn.backend.BackendException;
import dev.muninn.backend.BackendProvider;
import dev.muninn.backend.Backends;
import dev.muninn.backend.ComputeDevice;
import dev.muninn.cli.help.CommandSection;
import dev.muninn.cli.options.OutputOptions;
import dev.muninn.cli.output.Json;
import dev.muninn.cli.output.Units;
import dev.muninn.cli.process.ExitCode;
import dev.muninn.cli.terminal.Printable;
import dev.muninn.cli.terminal.StandardStreams;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Lists what can compute a model here. */
@CommandSection.In(CommandSection.MEASURE)
@Command(
    name = "devices",
    description = "Lists the devices that can compute a model.",
    customSynopsis = "muninn devices [OPTION]...")
public final class DevicesCommand implements Callable<Integer> {
  private final StandardStreams streams;

  @Mixin private final OutputOptions outputOptions = new OutputOptions();

  public DevicesCommand(StandardStreams streams) {
    this.streams = streams;
  }

  @Override
  public Integer call() throws IOException {
    List<ComputeDevice> devices = new ArrayList<>();
    String missing = null;
    for (BackendProvider provider : Backends.providers()) {
      try {
        devices.addAll(provider.devices());
      } catch (BackendException e) {
        missing = e.getMessage();
      }
    }
    boolean tornado = devices.stream().anyMatch(d -> d.backend().equals(Backends.TORNADO));
    if (!tornado && missing == null) {
      missing = Backends.missing(Backends.TORNADO);
    }
    streams.out().write(outputOptions.json() ? json(devices, missing) : table(devices));
    streams.out().flush();
    if (missing != null && !outputOptions.json()) {
      streams.err().println("muninn: " + Printable.line(missing));
    }
    return ExitCode.OK;
  }

  private static String json(List<ComputeDevice> devices, String missing) {
    return Json.object(generator -> {
      generator.writeArrayPropertyStart("devices");
      for (ComputeDevice device : devices) {
        generator.writeStartObject();
        generator.writeStringProperty("id", device.id());
        generator.writeStringProperty("backend", device.backend());
        generator.writeStringProperty("kind", kind(device));
        generator.writeStringProperty("name", device.name());
        if (device.memoryBytes() > 0) {
          generator.writeNumberProperty("memory_bytes", device.memoryBytes());
        }
        generator.writeEndObject();
      }
      generator.writeEndArray();
      generator.writeStringProperty("missing", missing);
    });
  }

  private static String table(List<ComputeDevice> devices) {
    StringBuilder lines = new StringBuilder();
    String pattern = "%-14s %-8s %-11s %-10s %s%n";
    lines.append(String.format(pattern, "DEVICE", "BACKEND", "KIND", "MEMORY", "NAME"));
    for (ComputeDevice device : devices) {
      lines.append(
          String.format(
              pattern,
              device.id(),
              device.backend(),
              kind(device),
              device.memoryBytes() == 0 ? "the host's" : Units.bytes(device.memoryBytes()),
              Printable.line(device.name())));
    }
    return lines.toString();
  }

  private static String kind(ComputeDevice device) {
    return device.kind().name().toLowerCase(Locale.ROOT);
  }
}
