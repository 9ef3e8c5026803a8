package dev.muninn.binary;

import java.io.IOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.attribute.ModuleResolutionAttribute;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.Set;
import java.util.spi.ToolProvider;
import jdk.tools.jlink.internal.PluginRepository;
import jdk.tools.jlink.plugin.Plugin;
import jdk.tools.jlink.plugin.ResourcePool;
import jdk.tools.jlink.plugin.ResourcePoolBuilder;

/** The Java that the image runs on: the modules that Muninn needs, linked by jlink. */
final class RuntimeImage {
  /**
   * What the jars ask for, and what TornadoVM's modules read. Muninn is on the class path, so jlink
   * cannot find out by itself.
   */
  private static final String MODULES =
      String.join(
          ",",
          "java.base",
          "java.compiler",
          "java.desktop",
          "java.instrument",
          "java.logging",
          "java.management",
          "java.net.http",
          "java.sql",
          "java.xml",
          "jdk.crypto.ec",
          "jdk.httpserver",
          "jdk.incubator.vector",
          "jdk.internal.vm.ci",
          "jdk.jfr",
          "jdk.management",
          "jdk.net",
          "jdk.unsupported",
          "jdk.zipfs");

  private RuntimeImage() {}

  /** Links it into a directory that does not exist yet. */
  static void link(Path directory) throws IOException {
    PluginRepository.registerPlugin(new IncubatorMark());
    ToolProvider jlink = ToolProvider.findFirst("jlink").orElseThrow();
    int exitCode =
        jlink.run(
            System.out,
            System.err,
            "--add-modules",
            MODULES,
            "--strip-debug",
            "--no-header-files",
            "--no-man-pages",
            "--output",
            directory.toString());
    if (exitCode != 0) {
      throw new IOException("jlink failed with exit code " + exitCode);
    }
  }

  /**
   * Takes from the vector module what marks it as incubating. Else Java prints a warning at each
   * start, and so that it can do so leaves the module graph out of the AOT cache, and with it much
   * of what makes a start quick.
   */
  private static final class IncubatorMark implements Plugin {
    private static final String MODULE_INFO = "/jdk.incubator.vector/module-info.class";

    @Override
    public String getName() {
      return "drop-incubator-mark";
    }

    @Override
    public Category getType() {
      return Category.FILTER;
    }

    @Override
    public Set<State> getState() {
      return EnumSet.of(State.AUTO_ENABLED, State.FUNCTIONAL);
    }

    @Override
    public ResourcePool transform(ResourcePool in, ResourcePoolBuilder out) {
      in.transformAndCopy(
          entry ->
              entry.path().equals(MODULE_INFO)
                  ? entry.copyWithContent(withoutMark(entry.contentBytes()))
                  : entry,
          out);
      return out.build();
    }

    private static byte[] withoutMark(byte[] moduleInfo) {
      ClassFile classFile = ClassFile.of();
      return classFile.transformClass(
          classFile.parse(moduleInfo),
          (builder, element) -> {
            if (!(element instanceof ModuleResolutionAttribute)) {
              builder.with(element);
            }
          });
    }
  }
}
