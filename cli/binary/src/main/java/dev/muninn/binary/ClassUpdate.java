package dev.muninn.binary;

import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassFileVersion;
import java.lang.classfile.ClassHierarchyResolver;
import java.lang.classfile.ClassModel;
import java.lang.classfile.ClassTransform;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Collections;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.JarOutputStream;

/**
 * Brings the classes of a jar up to the version that Java's archive of loaded classes can hold.
 * Those of Java 5 would be read and verified anew at each start, and with them all classes of ours
 * that extend or implement them.
 */
final class ClassUpdate {
  /** Where a class says its version. */
  private static final int VERSION_OFFSET = 6;

  private final ClassFile classFile;

  /** An update for classes of a jar, which stays open meanwhile. */
  ClassUpdate(JarFile jar) {
    ClassHierarchyResolver inJar =
        ClassHierarchyResolver.ofResourceParsing(descriptor -> {
          String name = descriptor.descriptorString();
          JarEntry entry = jar.getJarEntry(name.substring(1, name.length() - 1) + ".class");
          try {
            return entry == null ? null : jar.getInputStream(entry);
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        });
    // Old classes have no stack maps, which the verifier of new ones demands.
    classFile =
        ClassFile.of(
            ClassFile.StackMapsOption.GENERATE_STACK_MAPS,
            ClassFile.ClassHierarchyResolverOption.of(
                inJar.orElse(ClassHierarchyResolver.defaultResolver()).cached()));
  }

  /**
   * Updates the jars of a directory in place. The build of the command runs this file by itself,
   * from its source.
   *
   * @param directory one: the directory
   * @throws IOException if a jar cannot be read or written
   */
  public static void main(String[] directory) throws IOException {
    try (DirectoryStream<Path> jars = Files.newDirectoryStream(Path.of(directory[0]), "*.jar")) {
      for (Path jar : jars) {
        update(jar);
      }
    }
  }

  private static void update(Path jar) throws IOException {
    Path updated = jar.resolveSibling(jar.getFileName() + ".updated");
    try (JarFile in = new JarFile(jar.toFile())) {
      List<JarEntry> entries = Collections.list(in.entries());
      if (!hasOld(in, entries)) {
        return;
      }
      ClassUpdate update = new ClassUpdate(in);
      try (JarOutputStream out =
          new JarOutputStream(new BufferedOutputStream(Files.newOutputStream(updated)))) {
        for (JarEntry entry : entries) {
          JarEntry copy = new JarEntry(entry.getName());
          copy.setTime(entry.getTime());
          out.putNextEntry(copy);
          try (InputStream stream = in.getInputStream(entry)) {
            byte[] bytes = stream.readAllBytes();
            out.write(isClass(entry) ? update.apply(bytes) : bytes);
          }
          out.closeEntry();
        }
      }
    }
    Files.move(updated, jar, StandardCopyOption.REPLACE_EXISTING);
  }

  private static boolean hasOld(JarFile jar, List<JarEntry> entries) throws IOException {
    for (JarEntry entry : entries) {
      if (isClass(entry)) {
        try (DataInputStream stream = new DataInputStream(jar.getInputStream(entry))) {
          stream.skipNBytes(VERSION_OFFSET);
          if (stream.readUnsignedShort() < ClassFile.JAVA_6_VERSION) {
            return true;
          }
        }
      }
    }
    return false;
  }

  private static boolean isClass(JarEntry entry) {
    return entry.getName().endsWith(".class");
  }

  /** A class as it is, or brought up to the newest version if it is of Java 5. */
  byte[] apply(byte[] bytes) {
    ClassModel model = classFile.parse(bytes);
    if (model.majorVersion() >= ClassFile.JAVA_6_VERSION) {
      return bytes;
    }
    ClassTransform version =
        (builder, element) -> {
          if (element instanceof ClassFileVersion) {
            builder.withVersion(ClassFile.JAVA_25_VERSION, 0);
          } else {
            builder.with(element);
          }
        };
    ClassTransform methods =
        ClassTransform.transformingMethodBodies((builder, element) -> builder.with(element));
    return classFile.transformClass(model, version.andThen(methods));
  }
}
