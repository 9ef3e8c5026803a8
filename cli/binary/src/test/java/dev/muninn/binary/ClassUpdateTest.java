package dev.muninn.binary;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.IOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassHierarchyResolver;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Old classes of a library on their way into an archive of loaded classes. */
class ClassUpdateTest {
  private static final Path LIBRARIES = Path.of("target", "lib");

  @TempDir private Path directory;

  private Path copy(String name) throws IOException {
    try (Stream<Path> jars = Files.list(LIBRARIES)) {
      Path jar =
          jars.filter(file -> file.getFileName().toString().startsWith(name)).findFirst().get();
      return Files.copy(jar, directory.resolve(jar.getFileName()));
    }
  }

  @Test
  void classesOfJava5BecomeNewOnesThatVerify() throws IOException {
    Path jar = copy("picocli-");
    List<String> entries = entries(jar);
    ClassUpdate.main(new String[] {directory.toString()});
    assertEquals(entries, entries(jar));
    try (JarFile updated = new JarFile(jar.toFile());
        URLClassLoader loader = new URLClassLoader(new URL[] {jar.toUri().toURL()})) {
      ClassFile classFile =
          ClassFile.of(
              ClassFile.ClassHierarchyResolverOption.of(
                  ClassHierarchyResolver.ofResourceParsing(loader)
                      .orElse(ClassHierarchyResolver.defaultResolver())));
      int old = 0;
      for (JarEntry entry : updated.stream().filter(e -> e.getName().endsWith(".class")).toList()) {
        byte[] bytes = updated.getInputStream(entry).readAllBytes();
        old += classFile.parse(bytes).majorVersion() < ClassFile.JAVA_6_VERSION ? 1 : 0;
        assertEquals(List.of(), classFile.verify(bytes), entry.getName());
      }
      assertEquals(0, old);
    }
  }

  @Test
  void aJarOfNewClassesStaysAsItIs() throws IOException {
    Path jar = copy("muninn-weights-loader-");
    byte[] before = Files.readAllBytes(jar);
    ClassUpdate.main(new String[] {directory.toString()});
    assertArrayEquals(before, Files.readAllBytes(jar));
    try (Stream<Path> files = Files.list(directory)) {
      assertEquals(List.of(jar), files.toList());
    }
  }

  private static List<String> entries(Path jar) throws IOException {
    try (JarFile file = new JarFile(jar.toFile())) {
      List<String> names = file.stream().map(JarEntry::getName).toList();
      assertFalse(names.isEmpty());
      return names;
    }
  }
}
