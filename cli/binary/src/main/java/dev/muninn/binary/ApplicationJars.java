package dev.muninn.binary;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;
import java.util.zip.Deflater;

/** The application's jars on their way into the image. */
final class ApplicationJars {
  /** Where the tokenizer's jar keeps a native library for each platform. */
  private static final String NATIVE_FOLDER = "native/lib/";

  private static final String NATIVE = NATIVE_FOLDER + "linux-x86_64/cpu/libtokenizers.so";

  /** The AOT cache holds the times of the jars; this one makes the image of two builds alike. */
  private static final FileTime TIME = FileTime.from(Instant.parse("2000-01-01T00:00:00Z"));

  private ApplicationJars() {}

  /**
   * Copies all jars of a directory: without compression, as the whole image is compressed; without
   * other platforms' native libraries; and with classes of Java 5, which an AOT cache cannot hold,
   * brought up to date.
   *
   * @return their names in the order of the class path, in which the application's come first
   */
  static List<String> copy(Path from, Path to) throws IOException {
    List<String> names = new ArrayList<>();
    try (Stream<Path> jars = Files.list(from)) {
      for (Path jar : jars.filter(file -> file.toString().endsWith(".jar")).sorted().toList()) {
        String name = jar.getFileName().toString();
        copyJar(jar, to.resolve(name), to);
        names.add(name);
      }
    }
    return names;
  }

  private static void copyJar(Path from, Path to, Path libraries) throws IOException {
    try (JarFile in = new JarFile(from.toFile());
        JarOutputStream out =
            new JarOutputStream(new BufferedOutputStream(Files.newOutputStream(to)))) {
      out.setLevel(Deflater.NO_COMPRESSION);
      ClassUpdate update = new ClassUpdate(in);
      for (JarEntry entry : Collections.list(in.entries())) {
        byte[] bytes;
        try (InputStream stream = in.getInputStream(entry)) {
          bytes = stream.readAllBytes();
        }
        String name = entry.getName();
        if (name.equals(NATIVE)) {
          Path library = libraries.resolve(NATIVE.substring(NATIVE.lastIndexOf('/') + 1));
          Files.write(library, bytes);
          Files.setLastModifiedTime(library, TIME);
        }
        if (name.startsWith(NATIVE_FOLDER) && !name.endsWith(".properties")) {
          continue;
        }
        JarEntry copy = new JarEntry(name);
        copy.setLastModifiedTime(TIME);
        out.putNextEntry(copy);
        out.write(name.endsWith(".class") ? update.apply(bytes) : bytes);
        out.closeEntry();
      }
    }
    Files.setLastModifiedTime(to, TIME);
  }
}
